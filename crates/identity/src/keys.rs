//! One public key that tokens are verified with, read from a JSON Web Key (RFC 7517, 7518, 8037).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde_json::Value;

use crate::jws::{self, Jws};

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Bytes of an RSA modulus: 2048 to 8192 bits.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A public key and what it may be used for.
#[derive(Debug)]
pub(crate) struct VerificationKey {
    /// The id by which tokens name the key.
    pub(crate) kid: Option<String>,
    /// The issuer that the key is limited to, as Entra states it; may contain `{tenantid}`.
    pub(crate) issuer: Option<String>,
    /// Seconds since 1970 after which nothing that the key signed counts.
    pub(crate) not_after: Option<i64>,
    /// What the key's type and its own `alg` leave: the token's header chooses within it only.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
    /// The whole JWK as text, to see whether a later set still has this key.
    text: String,
}

impl VerificationKey {
    /// Reads a JWK; `None` when it is of no use for verifying: secret, for encryption, too small,
    /// of an unknown type, or damaged.
    pub(crate) fn from_jwk(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops") {
            operations.as_array()?.iter().find(|&operation| operation == "verify")?;
        }
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let (key, by_type) = match (text("kty")?, text("crv")) {
            ("RSA", _) => (rsa(&bytes("n")?, &bytes("e")?)?, RSA),
            ("EC", Some("P-256")) => {
                (elliptic(&bytes("x")?, &bytes("y")?, 32)?, &[Algorithm::ES256][..])
            }
            ("EC", Some("P-384")) => {
                (elliptic(&bytes("x")?, &bytes("y")?, 48)?, &[Algorithm::ES384][..])
            }
            ("OKP", Some("Ed25519")) => (edwards(&bytes("x")?)?, &[Algorithm::EdDSA][..]),
            _ => return None,
        };
        let algorithms = match text("alg") {
            // RFC 9864 gives EdDSA with this curve a name of its own.
            None | Some("Ed25519") => by_type.to_vec(),
            Some(name) => vec![jws::algorithm(name).filter(|own| by_type.contains(own))?],
        };
        Some(Self {
            kid: text("kid").map(str::to_owned),
            issuer: text("issuer").map(str::to_owned),
            not_after: None,
            algorithms,
            key,
            text: jwk.to_string(),
        })
    }

    /// Whether a token may be signed with this algorithm by this key.
    pub(crate) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether this key signed the token, by the algorithm in the token's header. Asked only of a
    /// key that allows the algorithm.
    pub(crate) fn signed(&self, token: &Jws<'_>) -> bool {
        let message = token.signed.as_bytes();
        jsonwebtoken::crypto::verify(token.signature, message, &self.key, token.algorithm)
            .unwrap_or(false)
    }

    /// Whether both are the same key with the same limits.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.text == other.text && self.not_after == other.not_after
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<DecodingKey> {
    let modulus = &modulus[modulus.iter().position(|&byte| byte != 0)?..];
    let odd = exponent.last()? & 1 == 1;
    (RSA_MODULUS.contains(&modulus.len()) && exponent.len() <= 8 && odd)
        .then(|| DecodingKey::from_rsa_raw_components(modulus, exponent))
}

/// The uncompressed point (SEC 1, section 2.3.3), which is what the verifier takes.
fn elliptic(x: &[u8], y: &[u8], coordinate: usize) -> Option<DecodingKey> {
    (x.len() == coordinate && y.len() == coordinate)
        .then(|| DecodingKey::from_ec_der(&[&[4], x, y].concat()))
}

fn edwards(x: &[u8]) -> Option<DecodingKey> {
    let key = (x.len() == 32).then(|| DecodingKey::from_ed_der(x))?;
    debug_assert_eq!(key.family(), AlgorithmFamily::Ed);
    Some(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rsa_jwk() -> Value {
        let modulus = [&[0xc5], &[7; 255][..]].concat();
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB"})
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    #[test]
    fn the_type_of_a_key_and_its_alg_decide_what_it_verifies() {
        let any = VerificationKey::from_jwk(&rsa_jwk()).expect("usable");
        assert!(any.allows(Algorithm::RS256) && any.allows(Algorithm::PS512));
        assert!(!any.allows(Algorithm::ES256) && !any.allows(Algorithm::HS256));
        let one = with(rsa_jwk(), "alg", json!("RS256"));
        let one = VerificationKey::from_jwk(&one).expect("usable");
        assert!(one.allows(Algorithm::RS256) && !one.allows(Algorithm::PS256));
        let curve = json!({"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519",
            "x": URL_SAFE_NO_PAD.encode([1; 32])});
        assert!(VerificationKey::from_jwk(&curve).expect("usable").allows(Algorithm::EdDSA));
    }

    #[test]
    fn keys_that_cannot_verify_are_left_out() {
        let small = URL_SAFE_NO_PAD.encode([0xc5; 128]);
        let coordinate = URL_SAFE_NO_PAD.encode([1; 31]);
        for jwk in [
            json!({}),
            json!("RSA"),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "RSA"}),
            with(rsa_jwk(), "n", json!(small)),
            with(rsa_jwk(), "n", json!("AA")),
            with(rsa_jwk(), "e", json!("AA")),
            with(rsa_jwk(), "e", json!("")),
            with(rsa_jwk(), "use", json!("enc")),
            with(rsa_jwk(), "key_ops", json!(["encrypt"])),
            with(rsa_jwk(), "alg", json!("HS256")),
            with(rsa_jwk(), "alg", json!("RSA-OAEP")),
            with(rsa_jwk(), "alg", json!("ES256")),
            json!({"kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate}),
            json!({"kty": "EC", "crv": "secp256k1", "x": coordinate, "y": coordinate}),
            json!({"kty": "OKP", "crv": "X25519", "x": URL_SAFE_NO_PAD.encode([1; 32])}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": coordinate}),
        ] {
            assert!(VerificationKey::from_jwk(&jwk).is_none(), "{jwk}");
        }
        let fit = with(rsa_jwk(), "key_ops", json!(["verify"]));
        assert!(VerificationKey::from_jwk(&with(fit, "use", json!("sig"))).is_some());
    }
}
