//! A trusted issuer to test with, its keys and its tokens; and tokens that nobody may let in.

pub mod forged;
pub mod keys;
pub mod misstated;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use keys::Key;

/// The tenant of the tokens.
pub const TENANT: &str = "11111111-1111-1111-1111-11111111aaaa";
/// Another one.
pub const OTHER_TENANT: &str = "33333333-3333-3333-3333-333333333333";
/// The application that they are for.
pub const APP: &str = "22222222-2222-2222-2222-222222222222";
/// Whom they are meant for.
pub const AUDIENCE: &str = "api://callvault";
/// The issuer as it is configured, in Entra's manner.
pub const TEMPLATE: &str = "https://login.contoso.example/{tenantid}/v2.0";

/// A token that has to be refused, and why: the name of a reason of `identity::Denial`.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// The token.
    pub token: String,
    /// The reason.
    pub refused_as: &'static str,
}

impl From<(String, &'static str)> for Hostile {
    fn from((token, refused_as): (String, &'static str)) -> Self {
        Self { token, refused_as }
    }
}

/// Text as base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The issuer's name for the tenant.
pub fn issuer() -> String {
    TEMPLATE.replace("{tenantid}", TENANT)
}

/// Claims that are good in every respect at a time, in seconds since 1970.
pub fn claims(now: i64) -> Value {
    json!({
        "aud": AUDIENCE, "iss": issuer(), "iat": now, "nbf": now, "exp": now + 3600,
        "azp": APP, "idtyp": "app", "roles": ["CallRecords.Read.All"], "tid": TENANT, "ver": "2.0",
    })
}

/// The good claims with one changed; null takes it away.
pub fn claims_with(now: i64, name: &str, value: Value) -> Value {
    let mut claims = claims(now);
    set(&mut claims, name, value);
    claims
}

/// Changes a member of an object; null takes it away.
///
/// # Panics
/// When it is none.
pub fn set(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().expect("an object");
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value);
    }
}

/// The header that belongs to a key and one of its algorithms.
pub fn header(key: &Key, algorithm: &str) -> Value {
    json!({"typ": "JWT", "alg": algorithm, "kid": key.kid})
}

/// A token of these two texts, signed with a key by an algorithm, whatever the header says.
pub fn sign(header: &str, claims: &str, key: &Key, algorithm: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(algorithm, signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

/// A token as the issuer makes them, by its RSA key.
pub fn token(claims: &Value) -> String {
    let key = &keys::RSA;
    sign(&header(key, "RS256").to_string(), &claims.to_string(), key, "RS256")
}

/// Every token that has to be refused for what it is signed with or what it says.
pub fn hostile(now: i64) -> Vec<Hostile> {
    [forged::all(now), misstated::all(now)].concat()
}
