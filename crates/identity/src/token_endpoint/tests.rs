//! Tests of the token endpoint, request by request.

use serde_json::Value;

use super::*;
use crate::master_key::MasterKey;
use crate::secret::hash_secret;
use crate::signing_key::SigningKey;

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
const SECRET: &str = "a+b c%d:e";
const FORM: &str = "application/x-www-form-urlencoded";
const GOOD: &str = "grant_type=client_credentials&client_id=22222222-2222-2222-2222-222222222222\
    &client_secret=a%2Bb+c%25d%3Ae&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default\
    &client_info=1&claims=%7B%7D&x-client-SKU=msal.js.node";

fn issuer() -> Issuer {
    let master = MasterKey::from_text(&"5".repeat(64)).expect("a key");
    let key = SigningKey::generate(&master, 0).expect("made");
    Issuer::new(Some("https://calls.contoso.example"), &master, &[key]).expect("sound")
}

fn request(body: &str) -> TokenRequest<'_> {
    TokenRequest {
        tenant: TENANT,
        content_type: Some(FORM),
        authorization: None,
        body: body.as_bytes(),
    }
}

/// The error, its number and the status of a refusal.
fn refused(request: &TokenRequest<'_>) -> (u16, String, u64) {
    let nobody = |_: &str, _: &str| Ok::<_, String>(None);
    let issuer = Issuer::new(None, &MasterKey::from_text(&"5".repeat(64)).expect("a key"), &[]);
    let answer = answer_token_request(&issuer.expect("sound"), request, nobody, 0);
    error(&answer)
}

fn error(answer: &TokenAnswer) -> (u16, String, u64) {
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    let number = body["error_codes"][0].as_u64().expect("a number");
    let description = body["error_description"].as_str().expect("text");
    assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
    for id in ["trace_id", "correlation_id"] {
        assert!(normalize_tenant(body[id].as_str().expect("text")).is_some());
    }
    assert_eq!(body["timestamp"], "1970-01-01 00:00:00Z");
    (answer.status, body["error"].as_str().expect("text").to_owned(), number)
}

#[test]
fn the_right_secret_gets_a_token_and_only_the_right_one() {
    let issuer = issuer();
    let app = RegisteredApp {
        roles: vec!["CallRecords.Read.All".into()],
        secret_hash: hash_secret(SECRET),
        credentials: Vec::new(),
    };
    let find = |tenant: &str, client: &str| {
        assert_eq!((tenant, client), (TENANT, CLIENT));
        Ok::<_, String>(Some(app.clone()))
    };
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:a%2Bb+c%25d%3Ae")));
    let by_header = "grant_type=client_credentials&scope=api%3A%2F%2Fx%2F.default";
    for request in [
        request(GOOD),
        TokenRequest {
            content_type: Some("Application/X-www-form-urlencoded; charset=utf-8"),
            ..request(GOOD)
        },
        TokenRequest { authorization: Some(&basic), ..request(by_header) },
    ] {
        let answer = answer_token_request(&issuer, &request, find, 1_000);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &3599.into()));
        assert_eq!(body["ext_expires_in"], 3599);
        let token = body["access_token"].as_str().expect("text");
        let jws = crate::jws::Jws::parse(token).expect("well-formed");
        assert_eq!(jws.claims["exp"], 1_000 + 3599);
        assert_eq!(jws.claims["azp"], CLIENT);
        assert_eq!(jws.claims["roles"], serde_json::json!(["CallRecords.Read.All"]));
    }

    let wrong = GOOD.replace("a%2Bb", "a%2Bc");
    let answer = answer_token_request(&issuer, &request(&wrong), find, 0);
    assert_eq!(error(&answer), (401, "invalid_client".into(), 7_000_215));
    assert!(!answer.body.contains("a+c"), "the secret is not repeated");
}

#[test]
fn a_client_that_is_not_registered_is_told_so() {
    assert_eq!(refused(&request(GOOD)), (400, "unauthorized_client".into(), 700_016));
}

#[test]
fn a_store_that_fails_is_no_refusal_of_the_client() {
    let broken = |_: &str, _: &str| Err("disk");
    let answer = answer_token_request(&issuer(), &request(GOOD), broken, 0);
    assert_eq!(error(&answer), (503, "temporarily_unavailable".into(), 90_033));
}

#[test]
fn incomplete_and_wrong_requests_are_answered_as_entra_answers_them() {
    let without = |name: &str| {
        let kept = GOOD.split('&').filter(|field| !field.starts_with(&format!("{name}=")));
        kept.collect::<Vec<_>>().join("&")
    };
    let scope = |value: &str| format!("{}&scope={value}", without("scope"));
    for (body, expected) in [
        (String::new(), (400, "invalid_request", 900_144)),
        (without("grant_type"), (400, "invalid_request", 900_144)),
        (without("client_id"), (400, "invalid_request", 900_144)),
        (without("scope"), (400, "invalid_request", 900_144)),
        (format!("{}&client_id=", without("client_id")), (400, "invalid_request", 900_144)),
        (without("client_secret"), (401, "invalid_client", 7_000_218)),
        (GOOD.replace("client_credentials", "password"), (400, "unsupported_grant_type", 70_003)),
        (scope("https://graph.microsoft.com/CallRecords.Read.All"), (400, "invalid_scope", 70_011)),
        (scope("/.default"), (400, "invalid_scope", 70_011)),
        (scope("a/.default+b/.default"), (400, "invalid_scope", 70_011)),
        (scope("https://graph.microsoft.com/.default+openid"), (400, "invalid_scope", 70_011)),
        (format!("{GOOD}&scope=x"), (400, "invalid_request", 90_100)),
        (format!("{GOOD}&client_secret=x"), (400, "invalid_request", 90_100)),
        (format!("{GOOD}&a=%zz"), (400, "invalid_request", 900_144)),
        (format!("{GOOD}&a={}", "x".repeat(MAX_BODY)), (400, "invalid_request", 900_144)),
    ] {
        let (status, error, number) = refused(&request(&body));
        assert_eq!((status, error.as_str(), number), expected, "{body:.300}");
    }
}

#[test]
fn what_is_not_a_form_or_not_for_a_tenant_is_refused() {
    for content_type in [None, Some("application/json"), Some("")] {
        let request = TokenRequest { content_type, ..request(GOOD) };
        assert_eq!(refused(&request), (400, "invalid_request".into(), 900_144));
    }
    for tenant in ["common", "contoso.onmicrosoft.com", ""] {
        let request = TokenRequest { tenant, ..request(GOOD) };
        assert_eq!(refused(&request), (400, "invalid_request".into(), 90_002));
    }
}

#[test]
fn credentials_come_in_one_way_only() {
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:secret")));
    let both = TokenRequest { authorization: Some(&basic), ..request(GOOD) };
    assert_eq!(refused(&both), (400, "invalid_request".into(), 90_100));
    for header in ["Bearer x", "Basic", "Basic !", "Basic eA==", "Basic OnNlY3JldA=="] {
        let request = TokenRequest { authorization: Some(header), ..request(GOOD) };
        assert_eq!(refused(&request), (401, "invalid_client".into(), 7_000_218), "{header}");
    }
}
