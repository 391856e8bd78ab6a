//! A trusted issuer to test with: its keys, its tokens, its documents.

pub(crate) mod keys;
pub(crate) mod provider;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{ConfigError, IssuerConfig, TrustedIssuers, Verifier};
use serde_json::{Value, json};

use keys::Key;
use provider::{Provider, Reply, url};

/// The time of all tests, seconds since 1970.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const TENANT: &str = "11111111-1111-1111-1111-11111111aaaa";
pub(crate) const OTHER_TENANT: &str = "33333333-3333-3333-3333-333333333333";
pub(crate) const APP: &str = "22222222-2222-2222-2222-222222222222";
pub(crate) const AUDIENCE: &str = "api://callvault";
/// The issuer as it is configured, in Entra's manner.
pub(crate) const TEMPLATE: &str = "https://login.contoso.example/{tenantid}/v2.0";

/// Text as base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The issuer's name for the tenant.
pub(crate) fn issuer() -> String {
    TEMPLATE.replace("{tenantid}", TENANT)
}

/// Claims that are good in every respect.
pub(crate) fn claims() -> Value {
    json!({
        "aud": AUDIENCE, "iss": issuer(), "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "azp": APP, "idtyp": "app", "roles": ["CallRecords.Read.All"], "tid": TENANT, "ver": "2.0",
    })
}

/// The good claims with one changed; null takes it away.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    set(&mut claims, name, value);
    claims
}

/// Changes a member of an object; null takes it away.
pub(crate) fn set(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().expect("an object");
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value);
    }
}

/// The header that belongs to a key and one of its algorithms.
pub(crate) fn header(key: &Key, algorithm: &str) -> Value {
    json!({"typ": "JWT", "alg": algorithm, "kid": key.kid})
}

/// A token of these two texts, signed with a key by an algorithm, whatever the header says.
pub(crate) fn sign(header: &str, claims: &str, key: &Key, algorithm: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(algorithm, signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

/// A token as the issuer makes them, by its RSA key.
pub(crate) fn token(claims: &Value) -> String {
    let key = &keys::RSA;
    sign(&header(key, "RS256").to_string(), &claims.to_string(), key, "RS256")
}

/// A verifier that trusts the test issuer, which publishes all its keys.
pub(crate) fn verifier() -> (Verifier, Provider) {
    let provider = Provider::new();
    provider.set("/keys", Reply::Json(keys::published()));
    (trusting(&provider, vec![config()]).expect("a sound configuration"), provider)
}

/// A verifier that trusts issuers whose keys are at this provider.
pub(crate) fn trusting(
    provider: &Provider,
    issuers: Vec<IssuerConfig>,
) -> Result<Verifier, ConfigError> {
    let fetcher = Arc::new(provider.clone());
    Verifier::new(None, Some(TrustedIssuers { issuers, fetcher }))
}

/// How the test issuer is trusted, with its keys at the provider.
pub(crate) fn config() -> IssuerConfig {
    IssuerConfig {
        issuer: TEMPLATE.into(),
        audiences: vec!["api://other".into(), AUDIENCE.into()],
        jwks_uri: Some(url("/keys")),
        ..IssuerConfig::default()
    }
}
