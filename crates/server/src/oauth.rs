//! The built-in issuer's addresses: tokens, discovery, keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};
use identity::{RegisteredApp, TokenAnswer, TokenRequest};
use store::Store;
use tokio::sync::Semaphore;

use crate::body::Body;
use crate::problem::Problem;
use crate::request::{Arrival, Trace};
use crate::response::{ContentType, Response};
use crate::router::{Endpoint, Route};
use crate::worker::{self, Shared, Worker};

/// Secrets checked at once. Each takes 19 MiB and tens of milliseconds of a core by design.
const AT_ONCE: usize = 2;
/// Requests that may wait for that.
const QUEUE: usize = 32;

/// Answers at an address of the issuer. `tenant` is the raw path segment.
pub(crate) async fn answer(
    worker: &Worker,
    tenant: &str,
    endpoint: Endpoint,
    arrival: Arrival,
    trace: &mut Trace,
) -> Result<Response, Problem> {
    let (route, method, allow) = match endpoint {
        Endpoint::Token => (Route::Token, Method::POST, "POST"),
        Endpoint::Discovery => (Route::Discovery, Method::GET, "GET, HEAD"),
        Endpoint::Keys => (Route::Keys, Method::GET, "GET, HEAD"),
    };
    trace.route = route;
    if arrival.method != method {
        return Err(Problem::method_not_allowed(allow));
    }
    if endpoint == Endpoint::Token {
        return token(worker, tenant, arrival).await;
    }
    let tenant = identity::normalize_tenant(tenant).ok_or_else(Problem::no_such_route)?;
    let issuer = &worker.shared.issuer;
    let document = match endpoint {
        Endpoint::Keys => issuer.jwks(worker::now()),
        _ => issuer.discovery(&tenant),
    };
    // Keys change rarely, and a verifier that misses one asks again anyway.
    let cached = HeaderValue::from_static("public, max-age=300");
    Ok(Response::of(ContentType::PlainJson, document).with_header(CACHE_CONTROL, cached))
}

async fn token(worker: &Worker, tenant: &str, arrival: Arrival) -> Result<Response, Problem> {
    let Arrival { headers, source, .. } = arrival;
    let mut body = Body::new(source, &headers, &worker.limits);
    let form = body.read(worker.limits.form, None).await?;
    let place = worker.shared.token_desk.queue().await?;
    let shared = Arc::clone(&worker.shared);
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
fn ask_issuer(shared: &Shared, tenant: &str, headers: &HeaderMap, form: &[u8]) -> TokenAnswer {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let request = TokenRequest {
        tenant,
        content_type: header(CONTENT_TYPE),
        authorization: header(AUTHORIZATION),
        body: form,
    };
    let store = &shared.options.store;
    let find = |tenant: &str, client_id: &str| registered(store, tenant, client_id);
    identity::answer_token_request(&shared.issuer, &request, find, worker::now())
}

fn registered(
    store: &Store,
    tenant: &str,
    client_id: &str,
) -> Result<Option<RegisteredApp>, store::Error> {
    let app = store.reader()?.app(client_id)?.filter(|app| app.tenant.as_str() == tenant);
    Ok(app.map(|app| RegisteredApp { roles: app.roles, secret_hash: app.secret_hash }))
}

/// Lets few requests in at once, so that a flood of secrets takes neither all cores nor all
/// memory.
#[derive(Debug)]
pub(crate) struct TokenDesk {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl TokenDesk {
    pub(crate) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0) }
    }

    /// Waits for a place; 429 when too many wait already.
    async fn queue(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Problem> {
        let waiting = Waiting::join(&self.waiting)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(Problem::internal);
        drop(waiting);
        place
    }
}

/// Counts one who waits, also when the client leaves meanwhile.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(waiting: &'a AtomicUsize) -> Result<Self, Problem> {
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < QUEUE).then_some(count + 1)
            })
            .map_err(|_| Problem::throttled(Duration::from_secs(1)))?;
        Ok(Self(waiting))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::problem::Code;

    #[tokio::test]
    async fn a_flood_of_token_requests_is_told_to_come_back() {
        let desk = TokenDesk::new();
        let first = desk.queue().await.unwrap();
        let _second = desk.queue().await.unwrap();
        let mut waiting: Vec<_> = (0..QUEUE).map(|_| Box::pin(desk.queue())).collect();
        let mut context = Context::from_waker(Waker::noop());
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(desk.queue().await.unwrap_err().code(), Code::Throttled);
        drop(waiting.pop());
        assert!(pin!(desk.queue()).poll(&mut context).is_pending(), "one left the queue");
        drop(first);
        assert!(waiting[0].as_mut().poll(&mut context).is_ready());
    }
}
