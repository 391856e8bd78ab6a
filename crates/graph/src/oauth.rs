//! The built-in issuer's addresses: tokens, discovery, keys.

use std::rc::Rc;
use std::sync::Arc;

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use identity::{AppCredential, Certificate, RegisteredApp, TokenAnswer, TokenRequest};
use store::Store;
use web::body::Body;
use web::response::ContentType;
use web::{Arrival, Problem, Response, Trace, unix_seconds};

use crate::routes::{Handler, Rows};
use crate::worker::Worker;

/// Answers at an address of the issuer. `tenant` is the raw path segment.
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    tenant: &str,
    rows: Rows,
    arrival: Arrival,
    trace: &mut Trace,
) -> Result<Response, Problem> {
    trace.route = rows.label().into();
    let handler = rows.select(&arrival.method)?.handler;
    if let Handler::Token = handler {
        return token(worker, tenant, arrival).await;
    }
    let tenant = identity::normalize_tenant(tenant).ok_or_else(Problem::no_such_route)?;
    let issuer = &worker.web.shared.issuer;
    let document = match handler {
        Handler::Keys => issuer.jwks(unix_seconds()),
        _ => issuer.discovery(&tenant),
    };
    // Keys change rarely, and a verifier that misses one asks again anyway.
    let cached = HeaderValue::from_static("public, max-age=300");
    Ok(Response::of(ContentType::PlainJson, document).with_header(CACHE_CONTROL, cached))
}

async fn token(worker: &Worker, tenant: &str, arrival: Arrival) -> Result<Response, Problem> {
    let Arrival { headers, source, .. } = arrival;
    let mut body = Body::new(source, &headers, &worker.web.limits);
    let form = body.read(worker.web.limits.form, None).await?;
    let place = worker.shared.tokens.queue().await?;
    let shared = Arc::clone(&worker.web.shared);
    let tenant = tenant.to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let answer = ask_issuer(&shared, &tenant, &headers, &form);
        drop(place);
        answer
    })
    .await
    .map_err(Problem::internal)?;
    let status = StatusCode::from_u16(answer.status).map_err(Problem::internal)?;
    let mut response = Response::of(ContentType::PlainJson, answer.body).with_status(status);
    if let Some(challenge) = answer.www_authenticate {
        let challenge = HeaderValue::from_static(challenge);
        response = response.with_header(WWW_AUTHENTICATE, challenge);
    }
    Ok(response)
}

/// Blocking: checks the secret.
fn ask_issuer(shared: &web::Shared, tenant: &str, headers: &HeaderMap, form: &[u8]) -> TokenAnswer {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let request = TokenRequest {
        tenant,
        content_type: header(CONTENT_TYPE),
        authorization: header(AUTHORIZATION),
        body: form,
    };
    let store = &shared.options.store;
    let find = |tenant: &str, client_id: &str| registered(store, tenant, client_id);
    identity::answer_token_request(&shared.issuer, &request, find, unix_seconds())
}

fn registered(
    store: &Store,
    tenant: &str,
    client_id: &str,
) -> Result<Option<RegisteredApp>, store::Error> {
    let mut reader = store.reader()?;
    let app = reader.app(client_id)?.filter(|app| app.tenant.as_str() == tenant);
    let Some(app) = app else { return Ok(None) };
    let credentials = reader.app_credentials(client_id)?;
    let credentials = credentials.iter().filter_map(credential).collect();
    Ok(Some(RegisteredApp { roles: app.roles, secret_hash: app.secret_hash, credentials }))
}

/// A credential as it is kept; one that can't be read counts for nothing.
fn credential(row: &store::AppCredential) -> Option<AppCredential> {
    match row.kind.as_str() {
        "certificate" => Certificate::from_pem(&row.body)
            .ok()
            .map(|certificate| AppCredential::Certificate(Box::new(certificate))),
        _ => serde_json::from_str(&row.body).ok().map(AppCredential::Federated),
    }
}
