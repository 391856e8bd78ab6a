//! Tokens whose header or signature is wrong.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::keys::{self, Key};
use super::{Hostile, claims, encode, header, set, sign, token};

/// All of them.
pub fn all(now: i64) -> Vec<Hostile> {
    [
        unsigned,
        by_public_key,
        other_algorithms,
        no_signatures,
        own_keys,
        unknown_keys,
        limited_keys,
        demands,
    ]
    .iter()
    .flat_map(|table| table(now))
    .collect()
}

/// A token by the RSA key whose header has one member changed.
fn with_header(now: i64, name: &str, value: Value) -> String {
    let mut header = header(&keys::RSA, "RS256");
    set(&mut header, name, value);
    sign(&header.to_string(), &claims(now).to_string(), &keys::RSA, "RS256")
}

/// A token that a key signed by one algorithm while the header names another.
fn signed(now: i64, key: &Key, says: &str, does: &str) -> String {
    sign(&header(key, says).to_string(), &claims(now).to_string(), key, does)
}

/// A token with these bytes for a signature.
fn with_signature(now: i64, key: &Key, algorithm: &str, signature: &[u8]) -> String {
    let header = header(key, algorithm).to_string();
    format!("{}.{}.{}", encode(header), encode(claims(now).to_string()), encode(signature))
}

fn hostile(cases: Vec<(String, &'static str)>) -> Vec<Hostile> {
    cases.into_iter().map(Hostile::from).collect()
}

/// Tokens without a signature.
pub fn unsigned(now: i64) -> Vec<Hostile> {
    let mut cases = Vec::new();
    for name in ["none", "None", "NONE", "nOnE"] {
        let unsigned = with_signature(now, &keys::RSA, name, b"");
        cases.push((unsigned, "Algorithm"));
        cases.push((with_signature(now, &keys::RSA, name, b"x"), "Algorithm"));
        let header = json!({"alg": name}).to_string();
        let bare = format!("{}.{}.", encode(header), encode(claims(now).to_string()));
        cases.push((bare, "Algorithm"));
    }
    hostile(cases)
}

/// HMACs with the public key as the secret.
pub fn by_public_key(now: i64) -> Vec<Hostile> {
    let mut cases = Vec::new();
    for secret in keys::RSA.public_forms() {
        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let key = hmac::Key::new(algorithm, &secret);
            for (says, expected) in [(name, "Algorithm"), ("RS256", "Signature")] {
                for kid in [json!("rsa"), json!("secret"), Value::Null] {
                    let mut header = header(&keys::RSA, says);
                    set(&mut header, "kid", kid.clone());
                    let message = format!(
                        "{}.{}",
                        encode(header.to_string()),
                        encode(claims(now).to_string())
                    );
                    let tag = hmac::sign(&key, message.as_bytes());
                    let expected = match kid.as_str() {
                        _ if says != "RS256" => expected,
                        Some("rsa") => expected,
                        _ => "UnknownKey",
                    };
                    cases.push((format!("{message}.{}", encode(tag)), expected));
                }
            }
        }
    }
    hostile(cases)
}

/// Tokens whose algorithm is not that of their key.
pub fn other_algorithms(now: i64) -> Vec<Hostile> {
    hostile(vec![
        (signed(now, &keys::P256, "RS256", "ES256"), "Algorithm"),
        (signed(now, &keys::P256, "ES384", "ES256"), "Algorithm"),
        (signed(now, &keys::P384, "ES256", "ES384"), "Algorithm"),
        (signed(now, &keys::ED25519, "ES256", "EdDSA"), "Algorithm"),
        (signed(now, &keys::RSA, "ES256", "RS256"), "Algorithm"),
        (signed(now, &keys::RSA, "EdDSA", "RS256"), "Algorithm"),
        (signed(now, &keys::RSA, "RS1", "RS256"), "Algorithm"),
        (signed(now, &keys::RSA, "RS256 ", "RS256"), "Algorithm"),
        (signed(now, &keys::RSA, "ES512", "RS256"), "Algorithm"),
        // The key says of itself that it is for RS256.
        (signed(now, &keys::RS256_ONLY, "PS256", "PS256"), "Algorithm"),
        (signed(now, &keys::RS256_ONLY, "RS512", "RS512"), "Algorithm"),
        // Allowed for the key, but not how it was signed.
        (signed(now, &keys::RSA, "RS256", "PS256"), "Signature"),
        (signed(now, &keys::RSA, "PS256", "RS256"), "Signature"),
        (signed(now, &keys::RSA, "RS256", "RS512"), "Signature"),
    ])
}

/// Signatures that are none.
pub fn no_signatures(now: i64) -> Vec<Hostile> {
    let mut der = vec![0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];
    let mut cases = vec![
        (with_signature(now, &keys::P256, "ES256", &[0; 64]), "Signature"),
        (with_signature(now, &keys::P384, "ES384", &[0; 96]), "Signature"),
        (with_signature(now, &keys::P256, "ES256", &der), "Signature"),
        (with_signature(now, &keys::ED25519, "EdDSA", &[0; 64]), "Signature"),
        (with_signature(now, &keys::RSA, "RS256", &[0; 256]), "Signature"),
        (with_signature(now, &keys::RSA, "RS256", &[0xff; 256]), "Signature"),
        (with_signature(now, &keys::RSA, "RS256", b""), "Malformed"),
    ];
    der.resize(64, 0);
    cases.push((with_signature(now, &keys::P256, "ES256", &der), "Signature"));
    let good = token(&claims(now));
    let (signed, signature) = good.rsplit_once('.').expect("a dot");
    for (text, expected) in [
        (format!("{signed}.{}", &signature[..340]), "Signature"),
        (format!("{signed}.{signature}AAAA"), "Signature"),
        (format!("{signed}.{signature}=="), "Malformed"),
        (format!("{signed}. {signature}"), "Malformed"),
        (format!("{signed}."), "Malformed"),
        (signed.to_owned(), "Malformed"),
        (String::new(), "Empty"),
        (" ".into(), "Malformed"),
        (format!("{good}.{signature}"), "Malformed"),
        ("a.".repeat(40_000), "Malformed"),
        (format!("{good}{}", " ".repeat(20_000)), "Malformed"),
    ] {
        cases.push((text, expected));
    }
    hostile(cases)
}

/// Tokens that bring their key along.
pub fn own_keys(now: i64) -> Vec<Hostile> {
    let mut cases = Vec::new();
    for (name, value) in [
        ("jwk", keys::FORGER.jwk()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = header(&keys::FORGER, "RS256");
        set(&mut header, name, value.clone());
        let claims = claims(now).to_string();
        let forged = |header: &Value| sign(&header.to_string(), &claims, &keys::FORGER, "RS256");
        cases.push((forged(&header), "Signature"));
        set(&mut header, "kid", json!("mine"));
        cases.push((forged(&header), "UnknownKey"));
        set(&mut header, "kid", Value::Null);
        cases.push((forged(&header), "UnknownKey"));
    }
    hostile(cases)
}

/// Key ids that name no key.
pub fn unknown_keys(now: i64) -> Vec<Hostile> {
    let mut cases: Vec<_> = [
        "",
        "RSA",
        "rsa ",
        "../../../../dev/null",
        "' OR '1'='1",
        "secret",
        "future",
        "https://evil.example/keys",
        "\u{1f511}",
    ]
    .iter()
    .map(|kid| (with_header(now, "kid", json!(kid)), "UnknownKey"))
    .collect();
    for kid in [json!("rsa\0"), json!(1), json!(["rsa"]), json!({}), json!("k".repeat(10_000))] {
        cases.push((with_header(now, "kid", kid), "Malformed"));
    }
    // Several keys fit, and none is named.
    cases.push((with_header(now, "kid", Value::Null), "UnknownKey"));
    hostile(cases)
}

/// By keys that are for other issuers.
pub fn limited_keys(now: i64) -> Vec<Hostile> {
    let other = signed(now, &keys::OTHER_TENANT_ONLY, "RS256", "RS256");
    hostile(vec![(other, "Issuer")])
}

/// Headers that ask for more than is understood.
pub fn demands(now: i64) -> Vec<Hostile> {
    let mut cases = vec![
        (with_header(now, "crit", json!(["b64"])), "Malformed"),
        (with_header(now, "crit", json!([])), "Malformed"),
        (with_header(now, "b64", json!(false)), "Malformed"),
        (with_header(now, "enc", json!("A256GCM")), "Malformed"),
        (with_header(now, "zip", json!("DEF")), "Malformed"),
        (with_header(now, "cty", json!("JWT")), "Malformed"),
        (with_header(now, "alg", Value::Null), "Malformed"),
        (with_header(now, "alg", json!(["RS256"])), "Malformed"),
        (with_header(now, "typ", json!("logout+jwt")), "NotAccessToken"),
    ];
    let good = token(&claims(now));
    let claims = claims(now).to_string();
    for header in [
        r#"{"alg":"RS256","kid":"rsa","alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":"x","kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":"rsa"} "x""#,
        r#"["RS256"]"#,
        "",
    ] {
        cases.push((sign(header, &claims, &keys::RSA, "RS256"), "Malformed"));
    }
    // An encrypted token has five parts.
    cases.push((format!("{good}.AA.AA"), "Malformed"));
    hostile(cases)
}
