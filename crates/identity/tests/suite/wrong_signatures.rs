//! Tokens whose header or signature is wrong: none may get in.

use aws_lc_rs::hmac;
use identity::Denied;
use serde_json::{Value, json};

use crate::support::keys::{self, Key};
use crate::support::{NOW, claims, encode, header, set, sign, token, verifier};

/// A token by the RSA key whose header has one member changed.
fn with_header(name: &str, value: Value) -> String {
    let mut header = header(&keys::RSA, "RS256");
    set(&mut header, name, value);
    sign(&header.to_string(), &claims().to_string(), &keys::RSA, "RS256")
}

/// A token that a key signed by one algorithm while the header names another.
fn signed(key: &Key, says: &str, does: &str) -> String {
    sign(&header(key, says).to_string(), &claims().to_string(), key, does)
}

/// A token with these bytes for a signature.
fn with_signature(key: &Key, algorithm: &str, signature: &[u8]) -> String {
    let header = header(key, algorithm).to_string();
    format!("{}.{}.{}", encode(header), encode(claims().to_string()), encode(signature))
}

async fn check(cases: Vec<(String, Denied)>) {
    let (verifier, _provider) = verifier();
    for (number, (token, expected)) in cases.into_iter().enumerate() {
        let outcome = verifier.verify(&token, NOW).await;
        assert_eq!(outcome, Err(expected), "case {number}: {token:.200}");
        assert_eq!(verifier.cached(&token, NOW), None, "case {number} is remembered");
    }
    let outcome = verifier.verify(&token(&claims()), NOW).await;
    assert!(outcome.is_ok(), "the positive control: {outcome:?}");
}

#[tokio::test]
async fn unsigned_tokens_are_refused() {
    let mut cases = Vec::new();
    for name in ["none", "None", "NONE", "nOnE"] {
        let unsigned = with_signature(&keys::RSA, name, b"");
        cases.push((unsigned, Denied::Algorithm));
        cases.push((with_signature(&keys::RSA, name, b"x"), Denied::Algorithm));
        let header = json!({"alg": name}).to_string();
        let bare = format!("{}.{}.", encode(header), encode(claims().to_string()));
        cases.push((bare, Denied::Algorithm));
    }
    check(cases).await;
}

#[tokio::test]
async fn a_public_key_is_no_hmac_secret() {
    let mut cases = Vec::new();
    for secret in keys::RSA.public_forms() {
        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let key = hmac::Key::new(algorithm, &secret);
            for (says, expected) in [(name, Denied::Algorithm), ("RS256", Denied::Signature)] {
                for kid in [json!("rsa"), json!("secret"), Value::Null] {
                    let mut header = header(&keys::RSA, says);
                    set(&mut header, "kid", kid.clone());
                    let message =
                        format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
                    let tag = hmac::sign(&key, message.as_bytes());
                    let expected = match kid.as_str() {
                        _ if says != "RS256" => expected,
                        Some("rsa") => expected,
                        _ => Denied::UnknownKey,
                    };
                    cases.push((format!("{message}.{}", encode(tag)), expected));
                }
            }
        }
    }
    check(cases).await;
}

#[tokio::test]
async fn the_key_decides_the_algorithm_not_the_token() {
    check(vec![
        (signed(&keys::P256, "RS256", "ES256"), Denied::Algorithm),
        (signed(&keys::P256, "ES384", "ES256"), Denied::Algorithm),
        (signed(&keys::P384, "ES256", "ES384"), Denied::Algorithm),
        (signed(&keys::ED25519, "ES256", "EdDSA"), Denied::Algorithm),
        (signed(&keys::RSA, "ES256", "RS256"), Denied::Algorithm),
        (signed(&keys::RSA, "EdDSA", "RS256"), Denied::Algorithm),
        (signed(&keys::RSA, "RS1", "RS256"), Denied::Algorithm),
        (signed(&keys::RSA, "RS256 ", "RS256"), Denied::Algorithm),
        (signed(&keys::RSA, "ES512", "RS256"), Denied::Algorithm),
        // The key says of itself that it is for RS256.
        (signed(&keys::RS256_ONLY, "PS256", "PS256"), Denied::Algorithm),
        (signed(&keys::RS256_ONLY, "RS512", "RS512"), Denied::Algorithm),
        // Allowed for the key, but not how it was signed.
        (signed(&keys::RSA, "RS256", "PS256"), Denied::Signature),
        (signed(&keys::RSA, "PS256", "RS256"), Denied::Signature),
        (signed(&keys::RSA, "RS256", "RS512"), Denied::Signature),
    ])
    .await;
}

#[tokio::test]
async fn signatures_that_are_none_are_refused() {
    let mut der = vec![0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];
    let mut cases = vec![
        (with_signature(&keys::P256, "ES256", &[0; 64]), Denied::Signature),
        (with_signature(&keys::P384, "ES384", &[0; 96]), Denied::Signature),
        (with_signature(&keys::P256, "ES256", &der), Denied::Signature),
        (with_signature(&keys::ED25519, "EdDSA", &[0; 64]), Denied::Signature),
        (with_signature(&keys::RSA, "RS256", &[0; 256]), Denied::Signature),
        (with_signature(&keys::RSA, "RS256", &[0xff; 256]), Denied::Signature),
        (with_signature(&keys::RSA, "RS256", b""), Denied::Malformed),
    ];
    der.resize(64, 0);
    cases.push((with_signature(&keys::P256, "ES256", &der), Denied::Signature));
    let good = token(&claims());
    let (signed, signature) = good.rsplit_once('.').expect("a dot");
    for (text, expected) in [
        (format!("{signed}.{}", &signature[..340]), Denied::Signature),
        (format!("{signed}.{signature}AAAA"), Denied::Signature),
        (format!("{signed}.{signature}=="), Denied::Malformed),
        (format!("{signed}. {signature}"), Denied::Malformed),
        (format!("{signed}."), Denied::Malformed),
        (signed.to_owned(), Denied::Malformed),
        (String::new(), Denied::Empty),
        (" ".into(), Denied::Malformed),
        (format!("{good}.{signature}"), Denied::Malformed),
        ("a.".repeat(40_000), Denied::Malformed),
        (format!("{good}{}", " ".repeat(20_000)), Denied::Malformed),
    ] {
        cases.push((text, expected));
    }
    check(cases).await;
}

#[tokio::test]
async fn a_key_in_the_header_is_not_used() {
    let mut cases = Vec::new();
    for (name, value) in [
        ("jwk", keys::FORGER.jwk()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = header(&keys::FORGER, "RS256");
        set(&mut header, name, value.clone());
        let claims = claims().to_string();
        let forged = |header: &Value| sign(&header.to_string(), &claims, &keys::FORGER, "RS256");
        cases.push((forged(&header), Denied::Signature));
        set(&mut header, "kid", json!("mine"));
        cases.push((forged(&header), Denied::UnknownKey));
        set(&mut header, "kid", Value::Null);
        cases.push((forged(&header), Denied::UnknownKey));
    }
    check(cases).await;
}

#[tokio::test]
async fn key_ids_that_name_no_key_are_refused() {
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
    .map(|kid| (with_header("kid", json!(kid)), Denied::UnknownKey))
    .collect();
    for kid in [json!("rsa\0"), json!(1), json!(["rsa"]), json!({}), json!("k".repeat(10_000))] {
        cases.push((with_header("kid", kid), Denied::Malformed));
    }
    // Several keys fit, and none is named.
    cases.push((with_header("kid", Value::Null), Denied::UnknownKey));
    check(cases).await;
}

#[tokio::test]
async fn a_key_serves_only_the_issuer_that_it_is_limited_to() {
    let other = signed(&keys::OTHER_TENANT_ONLY, "RS256", "RS256");
    check(vec![(other, Denied::Issuer)]).await;
}

#[tokio::test]
async fn headers_that_ask_for_more_are_refused() {
    let mut cases = vec![
        (with_header("crit", json!(["b64"])), Denied::Malformed),
        (with_header("crit", json!([])), Denied::Malformed),
        (with_header("b64", json!(false)), Denied::Malformed),
        (with_header("enc", json!("A256GCM")), Denied::Malformed),
        (with_header("zip", json!("DEF")), Denied::Malformed),
        (with_header("cty", json!("JWT")), Denied::Malformed),
        (with_header("alg", Value::Null), Denied::Malformed),
        (with_header("alg", json!(["RS256"])), Denied::Malformed),
        (with_header("typ", json!("logout+jwt")), Denied::NotAccessToken),
    ];
    let claims = claims().to_string();
    for header in [
        r#"{"alg":"RS256","kid":"rsa","alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":"x","kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":"rsa"} "x""#,
        r#"["RS256"]"#,
        "",
    ] {
        cases.push((sign(header, &claims, &keys::RSA, "RS256"), Denied::Malformed));
    }
    let good = token(&self::claims());
    // An encrypted token has five parts.
    cases.push((format!("{good}.AA.AA"), Denied::Malformed));
    check(cases).await;
}

#[tokio::test]
async fn no_character_of_a_token_can_be_changed() {
    let (verifier, _provider) = verifier();
    let good = token(&claims());
    assert!(verifier.verify(&good, NOW).await.is_ok());
    for at in 0..good.len() {
        let old = good.as_bytes()[at];
        let new = if old == b'A' { 'B' } else { 'A' };
        let changed = format!("{}{new}{}", &good[..at], &good[at + 1..]);
        let outcome = verifier.verify(&changed, NOW).await;
        assert!(outcome.is_err(), "character {at}: {old} became {new}");
    }
}
