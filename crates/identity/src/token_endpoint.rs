//! The token endpoint of the built-in issuer: the OAuth 2.0 client credentials grant (RFC 6749,
//! section 4.4) as Entra's clients ask for it.

use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client_assertion::{self, ASSERTION_TYPE, AppCredential};
use crate::form;
use crate::guid::normalize_tenant;
use crate::issuer::{Grant, Issuer};
use crate::secret::verify_secret;
use crate::token_answer::{Refusal, TokenAnswer, granted};

/// Seconds that a token lives: an hour less the second that Entra takes off.
const LIFETIME: i64 = 3599;
/// Bytes that a request body may have.
const MAX_BODY: usize = 64 * 1024;

/// A request to the token endpoint.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The tenant's segment of the path, as it came.
    pub tenant: &'a str,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `Authorization`, for clients that authenticate by HTTP Basic.
    pub authorization: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// An application as it is registered in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredApp {
    /// The roles that its tokens have.
    pub roles: Vec<String>,
    /// The hash of its secret, made by [`crate::hash_secret`].
    pub secret_hash: String,
    /// What it may show in place of its secret.
    pub credentials: Vec<AppCredential>,
}

/// What the client asks for, complete but not verified.
struct Wish {
    tenant: String,
    client_id: String,
    proof: Proof,
}

/// What shows that the client is who it says.
enum Proof {
    Secret(String),
    Assertion(String),
}

/// Answers a request for a token.
///
/// `find` looks an application up by tenant and client id. With a secret, an unknown client id costs the same
/// as a wrong one. Blocks for some 20 ms and takes 19 MiB (Argon2id): not for a thread that serves
/// requests, and not for many at once.
pub fn answer_token_request<E: Display>(
    issuer: &Issuer,
    request: &TokenRequest<'_>,
    find: impl FnOnce(&str, &str) -> Result<Option<RegisteredApp>, E>,
    now: i64,
) -> TokenAnswer {
    let basic = request.authorization.is_some();
    grant(issuer, request, find, now).unwrap_or_else(|refusal| {
        // The number says why; what the client sent may be a secret in the wrong field.
        let tenant = normalize_tenant(request.tenant);
        tracing::info!(tenant, aadsts = refusal.number(), "no token given");
        refusal.answer(basic, now)
    })
}

fn grant<E: Display>(
    issuer: &Issuer,
    request: &TokenRequest<'_>,
    find: impl FnOnce(&str, &str) -> Result<Option<RegisteredApp>, E>,
    now: i64,
) -> Result<TokenAnswer, Refusal> {
    let wish = read(request)?;
    let app = find(&wish.tenant, &wish.client_id).map_err(|error| {
        tracing::error!(%error, "cannot look up an application");
        Refusal::Transient
    })?;
    let hash = app.as_ref().map(|app| app.secret_hash.as_str());
    let Wish { tenant, client_id, proof } = wish;
    let is_secret_right = match &proof {
        Proof::Secret(secret) => verify_secret(secret, hash),
        Proof::Assertion(_) => true,
    };
    let Some(app) = app else { return Err(Refusal::NoApplication { client_id, tenant }) };
    if !is_secret_right {
        return Err(Refusal::WrongSecret(client_id));
    }
    if let Proof::Assertion(assertion) = &proof {
        let endpoints = issuer.audiences(&tenant);
        client_assertion::check(assertion, (&client_id, &app.credentials), &endpoints, now)
            .map_err(|fault| Refusal::Assertion(fault, client_id.clone()))?;
    }
    let grant = Grant { tenant: &tenant, app_id: &client_id, roles: &app.roles, ttl: LIFETIME };
    let token = issuer.issue(&grant, now).map_err(|error| {
        tracing::error!(%error, "cannot sign a token");
        Refusal::Transient
    })?;
    tracing::info!(tenant, app = client_id, "token given");
    Ok(granted(&token, LIFETIME))
}

fn read(request: &TokenRequest<'_>) -> Result<Wish, Refusal> {
    let tenant = normalize_tenant(request.tenant)
        .ok_or_else(|| Refusal::NoTenant(request.tenant.to_owned()))?;
    let media_type = request.content_type.and_then(|value| value.split(';').next());
    let is_form = media_type.is_some_and(|value| {
        value.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if !is_form || request.body.len() > MAX_BODY {
        return Err(Refusal::NoForm);
    }
    let fields = Fields(form::fields(request.body).ok_or(Refusal::NoForm)?);
    let grant_type = fields.one("grant_type")?.ok_or(Refusal::Missing("grant_type"))?;
    if grant_type != "client_credentials" {
        return Err(Refusal::GrantType(grant_type));
    }
    let header = request.authorization.map(|value| basic(value).ok_or(Refusal::NoSecret));
    let (client_id, secret) = match (header.transpose()?, fields.one("client_id")?) {
        (Some((id, secret)), named) => {
            if fields.one("client_secret")?.is_some() || named.is_some_and(|name| name != id) {
                return Err(Refusal::Repeated("client_id"));
            }
            (id, Some(secret))
        }
        (None, named) => {
            (named.ok_or(Refusal::Missing("client_id"))?, fields.one("client_secret")?)
        }
    };
    let scope = fields.one("scope")?.ok_or(Refusal::Missing("scope"))?;
    if !is_default_scope(&scope) {
        return Err(Refusal::Scope(scope));
    }
    let proof = match (secret, assertion(&fields)?) {
        (Some(_), Some(_)) => return Err(Refusal::Repeated("client_assertion")),
        (Some(secret), None) => Proof::Secret(secret),
        (None, Some(assertion)) => Proof::Assertion(assertion),
        (None, None) => return Err(Refusal::NoSecret),
    };
    Ok(Wish { tenant, client_id: normalize_tenant(&client_id).unwrap_or(client_id), proof })
}

/// The assertion that comes in place of a secret, if one does.
fn assertion(fields: &Fields) -> Result<Option<String>, Refusal> {
    let kind = fields.one("client_assertion_type")?;
    let assertion = fields.one("client_assertion")?;
    match (&assertion, kind.as_deref()) {
        (None, None) | (Some(_), Some(ASSERTION_TYPE)) => Ok(assertion),
        (None, Some(_)) => Err(Refusal::Missing("client_assertion")),
        (Some(_), _) => Err(Refusal::Missing("client_assertion_type")),
    }
}

/// One resource's `/.default`: an application's roles are given by the operator, not asked for.
fn is_default_scope(scope: &str) -> bool {
    let resource = scope.strip_suffix("/.default");
    resource.is_some_and(|resource| !resource.is_empty() && !resource.contains(char::is_whitespace))
}

/// Client id and secret from HTTP Basic authentication (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    let plain = STANDARD.decode(text.trim()).ok()?;
    let colon = plain.iter().position(|&byte| byte == b':')?;
    let id = form::decode(&plain[..colon])?;
    let secret = form::decode(&plain[colon + 1..])?;
    (scheme.eq_ignore_ascii_case("basic") && !id.is_empty()).then_some((id, secret))
}

struct Fields(Vec<(String, String)>);

impl Fields {
    /// A parameter, which may come once. An empty one counts as missing (RFC 6749, section 3.2).
    fn one(&self, name: &'static str) -> Result<Option<String>, Refusal> {
        let mut values = self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refusal::Repeated(name)),
            (value, None) => Ok(value.filter(|value| !value.is_empty()).cloned()),
        }
    }
}

#[cfg(test)]
mod tests;
