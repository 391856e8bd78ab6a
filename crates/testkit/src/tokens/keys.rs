//! Key pairs of the test issuer, and of nobody, to sign tokens with.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use super::{encode, set};

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Elliptic(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

/// A key pair with the id under which it is published.
pub struct Key {
    /// The id.
    pub kid: &'static str,
    pair: Pair,
    /// Members of the published key beyond those of its type.
    limits: Value,
}

/// The usual one.
pub static RSA: LazyLock<Key> = LazyLock::new(|| rsa("rsa", json!({})));
/// Says of itself that it is for RS256.
pub static RS256_ONLY: LazyLock<Key> = LazyLock::new(|| rsa("rs256", json!({"alg": "RS256"})));
/// Limited to the template's tenants.
pub static TENANTS_ONLY: LazyLock<Key> =
    LazyLock::new(|| rsa("tenants", json!({"issuer": super::TEMPLATE})));
/// Limited to another tenant than the tokens'.
pub static OTHER_TENANT_ONLY: LazyLock<Key> = LazyLock::new(|| {
    rsa("other", json!({"issuer": super::TEMPLATE.replace("{tenantid}", super::OTHER_TENANT)}))
});
/// For ES256.
pub static P256: LazyLock<Key> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("made");
    Key { kid: "p256", pair: Pair::Elliptic(pair), limits: json!({}) }
});
/// For ES384.
pub static P384: LazyLock<Key> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("made");
    Key { kid: "p384", pair: Pair::Elliptic(pair), limits: json!({"use": "sig"}) }
});
/// For EdDSA.
pub static ED25519: LazyLock<Key> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::generate().expect("made");
    Key { kid: "ed25519", pair: Pair::Edwards(pair), limits: json!({"alg": "EdDSA"}) }
});
/// Never published; it claims to be the issuer's RSA key.
pub static FORGER: LazyLock<Key> = LazyLock::new(|| rsa("rsa", json!({})));

/// The set that the issuer publishes, with some keys in it that are of no use.
pub fn published() -> String {
    let useful = [&RSA, &RS256_ONLY, &TENANTS_ONLY, &OTHER_TENANT_ONLY, &P256, &P384, &ED25519];
    let mut keys: Vec<_> = useful.iter().map(|key| key.jwk()).collect();
    keys.push(json!({"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}));
    keys.push(json!({"kty": "post-quantum", "kid": "future"}));
    json!({ "keys": keys }).to_string()
}

/// An RSA key pair.
pub fn rsa(kid: &'static str, limits: Value) -> Key {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("made");
    Key { kid, pair: Pair::Rsa(Box::new(pair)), limits }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Key {
    /// An RSA key pair from its PKCS #8 form.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Self {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).expect("a key");
        Self { kid: "", pair: Pair::Rsa(Box::new(pair)), limits: json!({}) }
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "n": encode(public.n), "e": encode(public.e)})
            }
            Pair::Elliptic(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Pair::Edwards(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())})
            }
        };
        set(&mut jwk, "kid", json!(self.kid));
        for (name, value) in self.limits.as_object().expect("an object") {
            set(&mut jwk, name, value.clone());
        }
        jwk
    }

    /// The public RSA key in all the forms in which somebody may take it for an HMAC secret.
    pub fn public_forms(&self) -> Vec<Vec<u8>> {
        use base64::Engine as _;
        let Pair::Rsa(pair) = &self.pair else { panic!("RSA only") };
        let public = pair.public_key();
        let pkcs1 = public.as_ref().to_vec();
        let spki = public.as_der().expect("encoded").as_ref().to_vec();
        let text = base64::engine::general_purpose::STANDARD.encode(&spki);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let lines = lines.join("\n");
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----");
        let jwk = self.jwk();
        let modulus = jwk["n"].as_str().expect("text").as_bytes().to_vec();
        vec![
            pkcs1,
            spki,
            pem.clone().into_bytes(),
            format!("{pem}\n").into_bytes(),
            jwk.to_string().into_bytes(),
            modulus,
            Vec::new(),
        ]
    }

    /// A signature by the algorithm of this name.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    other => panic!("{other} is not RSA"),
                };
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut out).expect("signed");
                out
            }
            Pair::Elliptic(pair) => {
                pair.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec()
            }
            Pair::Edwards(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}
