//! A token taken apart: the compact form of RFC 7515, and of its header only what is safe.
//!
//! Nothing is believed here. The header's `alg` is later checked against what the key allows, and
//! header members that bring or name a key (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use crate::denial::Denial;
use crate::strict_json;

/// Bytes that a token may have. Entra's are 1 to 2 KB, with many groups up to 10 KB.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

/// Bytes that a key id may have.
const MAX_KID: usize = 512;

/// A token whose signature is not verified yet.
#[derive(Debug)]
pub(crate) struct Jws<'a> {
    /// What the header claims to be signed with; never `none`, never HMAC.
    pub(crate) algorithm: Algorithm,
    /// The key's id, when the header names one.
    pub(crate) kid: Option<String>,
    /// The claims, not verified.
    pub(crate) claims: Map<String, Value>,
    /// What the signature is over: header and claims as they came.
    pub(crate) signed: &'a str,
    /// The signature in base64url, known to be canonical.
    pub(crate) signature: &'a str,
}

impl<'a> Jws<'a> {
    /// Takes a token apart.
    pub(crate) fn parse(token: &'a str) -> Result<Self, Denial> {
        if token.is_empty() {
            return Err(Denial::Empty);
        }
        if token.len() > MAX_TOKEN {
            return Err(Denial::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Denial::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Denial::Malformed)?;
        // An encrypted token has five parts. A dot in the claims would not be base64url either.
        let header = object(header)?;
        let algorithm = check_header(&header)?;
        let kid = key_id(&header)?;
        let claims = object(claims)?;
        if signature.is_empty() || URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(Denial::Malformed);
        }
        Ok(Self { algorithm, kid, claims, signed, signature })
    }

    /// A claim that is a string; `None` when it is absent or anything else.
    pub(crate) fn text_claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }
}

/// One part of the token as a JSON object. Padding, foreign characters and stray bits in the last
/// character are refused, so that a token has exactly one spelling.
fn object(part: &str) -> Result<Map<String, Value>, Denial> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Denial::Malformed)?;
    strict_json::object(&bytes).ok_or(Denial::Malformed)
}

fn check_header(header: &Map<String, Value>) -> Result<Algorithm, Denial> {
    // crit and b64: extensions that must be understood, and none is. enc and zip belong to
    // encrypted tokens, cty to nested ones.
    if ["crit", "b64", "enc", "zip", "cty"].iter().any(|name| header.contains_key(*name)) {
        return Err(Denial::Malformed);
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(kind)) if is_access_token_type(kind) => {}
        Some(Value::String(_)) => return Err(Denial::NotAccessToken),
        Some(_) => return Err(Denial::Malformed),
    }
    let name = header.get("alg").and_then(Value::as_str).ok_or(Denial::Malformed)?;
    algorithm(name).ok_or(Denial::Algorithm)
}

fn is_access_token_type(kind: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

fn key_id(header: &Map<String, Value>) -> Result<Option<String>, Denial> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID && !kid.contains(char::is_control) => {
            Ok(Some(kid.clone()))
        }
        Some(_) => Err(Denial::Malformed),
    }
}

/// The signature algorithms there are here, by their names of RFC 7518 and 8037. What isn't in
/// this table, `none` and the HMAC family first of all, doesn't exist.
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part(header), part("{}"))
    }

    fn denied(header: &str) -> Denial {
        Jws::parse(&token(header)).expect_err(header)
    }

    #[test]
    fn a_header_with_algorithm_and_key_id_is_read() {
        let token = token(r#"{"alg":"PS384","kid":"k1","typ":"JWT","x5t":"ignored"}"#);
        let jws = Jws::parse(&token).expect("well-formed");
        assert_eq!(jws.algorithm, Algorithm::PS384);
        assert_eq!(jws.kid.as_deref(), Some("k1"));
        assert_eq!(format!("{}.c2ln", jws.signed), token);
    }

    #[test]
    fn algorithms_without_a_public_key_are_refused() {
        for name in ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS1", "rs256", ""]
        {
            assert_eq!(denied(&format!(r#"{{"alg":"{name}"}}"#)), Denial::Algorithm, "{name}");
        }
    }

    #[test]
    fn headers_that_ask_for_more_are_malformed() {
        for header in [
            r#"{"typ":"JWT"}"#,
            r#"{"alg":1}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"RS256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"RS256","crit":[]}"#,
            r#"{"alg":"RS256","b64":false}"#,
            r#"{"alg":"RS256","enc":"A256GCM"}"#,
            r#"{"alg":"RS256","zip":"DEF"}"#,
            r#"{"alg":"RS256","cty":"JWT"}"#,
            r#"{"alg":"RS256","kid":7}"#,
            r#"{"alg":"RS256","kid":"a\u0000b"}"#,
            r#"{"alg":"RS256","typ":1}"#,
            r#"{"alg":"RS256","alg":"none"}"#,
        ] {
            assert_eq!(denied(header), Denial::Malformed, "{header}");
        }
        let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(10_000));
        assert_eq!(denied(&long), Denial::Malformed);
    }

    #[test]
    fn other_kinds_of_jwt_are_no_access_tokens() {
        assert_eq!(denied(r#"{"alg":"RS256","typ":"dpop+jwt"}"#), Denial::NotAccessToken);
        assert!(Jws::parse(&token(r#"{"alg":"RS256","typ":"at+JWT"}"#)).is_ok());
    }

    #[test]
    fn a_token_has_one_spelling() {
        let good = token(r#"{"alg":"RS256"}"#);
        let (signed, _) = good.rsplit_once('.').expect("a dot");
        for bad in [
            String::new(),
            ".".into(),
            "..".into(),
            signed.into(),
            format!("{signed}."),
            format!("{good}."),
            format!("{good}.c2ln"),
            format!("{good}="),
            format!("{signed}.c2lnbg=="),
            // The last character's low bits are not zero.
            format!("{signed}.c2lnbh"),
            format!("{signed}.c2 n"),
            format!("{signed}.c2+n"),
            good.replacen('.', "=.", 1),
            format!("{good}{}", "A".repeat(MAX_TOKEN)),
        ] {
            let denied = Jws::parse(&bad).expect_err(&bad);
            let expected = if bad.is_empty() { Denial::Empty } else { Denial::Malformed };
            assert_eq!(denied, expected, "{bad}");
        }
    }
}
