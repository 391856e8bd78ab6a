//! Tokens that are signed well and say something wrong.

use identity::{Denial, IssuerConfig, Verifier};
use serde_json::{Value, json};
use testkit::tokens::{Hostile, misstated};

use crate::support::keys;
use crate::support::{
    APP, NOW, OTHER_TENANT, TENANT, claims, claims_with, config, header, issuer, set, sign, token,
    trusting, verifier,
};

/// A claim changed (null: taken away) and what becomes of the token.
type Case = (&'static str, Value, Option<Denial>);

async fn check(verifier: &Verifier, cases: Vec<Case>) {
    for (name, value, expected) in cases {
        let token = token(&claims_with(name, value.clone()));
        let outcome = verifier.verify(&token, NOW).await;
        assert_eq!(outcome.err(), expected, "{name} = {value}");
        assert_eq!(verifier.cached(&token, NOW).is_some(), expected.is_none(), "{name} = {value}");
    }
}

#[tokio::test]
async fn times_are_whole_seconds_with_a_leeway_of_five_minutes() {
    let (verifier, _provider) = verifier();
    check(
        &verifier,
        vec![
            ("exp", json!(NOW - 299), None),
            ("exp", json!(i64::MAX), None),
            ("nbf", json!(NOW + 299), None),
            ("nbf", json!(NOW + 300), None),
            ("nbf", Value::Null, None),
            ("iat", Value::Null, None),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_token_must_be_meant_for_us() {
    let (verifier, _provider) = verifier();
    check(
        &verifier,
        vec![("aud", json!("api://other"), None), ("aud", json!(["x", "api://callvault"]), None)],
    )
    .await;
}

#[tokio::test]
async fn issuer_and_tenant_must_be_a_pair_that_is_trusted() {
    let (verifier, _provider) = verifier();
    check(&verifier, vec![("tid", json!(TENANT.to_uppercase()), None)]).await;
    let token = token(&claims_with("tid", json!(TENANT.to_uppercase())));
    assert_eq!(verifier.verify(&token, NOW).await.expect("good").tenant, TENANT);
}

#[tokio::test]
async fn without_a_fixed_tenant_the_token_must_name_one() {
    let (_, provider) = verifier();
    let mut config = config();
    config.issuer = issuer();
    let verifier = trusting(&provider, vec![config]).expect("sound");
    check(
        &verifier,
        vec![
            ("ver", json!("1.0"), None),
            ("tid", Value::Null, Some(Denial::Tenant)),
            ("tid", json!("contoso"), Some(Denial::Tenant)),
            ("tid", json!(7), Some(Denial::Tenant)),
            // The issuer is its own tenant's only by what the operator says; this one is trusted
            // with every tenant that it names.
            ("tid", json!(OTHER_TENANT), None),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_issuer_with_a_fixed_tenant_refuses_tokens_of_another() {
    let (_, provider) = verifier();
    let config = IssuerConfig { issuer: issuer(), tenant: Some(TENANT.to_owned()), ..config() };
    let verifier = trusting(&provider, vec![config]).expect("sound");
    check(
        &verifier,
        vec![
            ("ver", json!("1.0"), None),
            ("tid", Value::Null, None),
            ("tid", json!(TENANT.to_uppercase()), None),
            ("tid", json!(OTHER_TENANT), Some(Denial::Tenant)),
            ("tid", json!("contoso"), None),
            ("tid", json!(7), None),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_a_user_may_is_not_what_an_application_may() {
    use Denial::Delegated;
    let (verifier, _provider) = verifier();
    check(
        &verifier,
        vec![("idtyp", Value::Null, None), ("scp", json!("user_impersonation"), None)],
    )
    .await;
    for roles in [json!(["CallRecords.Read.All"]), Value::Null] {
        for scopes in [json!("CallRecords.Read.All"), json!("")] {
            let mut claims = claims_with("idtyp", Value::Null);
            set(&mut claims, "roles", roles.clone());
            set(&mut claims, "scp", scopes);
            let outcome = verifier.verify(&token(&claims), NOW).await;
            assert_eq!(outcome, Err(Delegated), "{claims}");
        }
    }
    let mut expired = claims_with("idtyp", json!("user"));
    set(&mut expired, "exp", json!(NOW - 400));
    assert_eq!(verifier.verify(&token(&expired), NOW).await, Err(Denial::Expired));
}

#[tokio::test]
async fn id_tokens_and_refresh_tokens_are_no_access_tokens() {
    let (verifier, _provider) = verifier();
    check(&verifier, vec![("typ", json!("Bearer"), None)]).await;
}

#[tokio::test]
async fn roles_that_are_none_leave_the_caller_without_any() {
    let (verifier, _provider) = verifier();
    for token in misstated::without_roles(NOW) {
        let caller = verifier.verify(&token, NOW).await.expect("verified");
        assert_eq!(caller.roles, [""; 0], "{token}");
        assert!(!caller.has_any(&identity::role::ALL));
    }
    for token in misstated::misspelt_roles(NOW) {
        let caller = verifier.verify(&token, NOW).await.expect("verified");
        assert!(!caller.has_any(&identity::role::ALL), "{:?}", caller.roles);
    }
}

#[tokio::test]
async fn claims_that_are_wrong_or_can_be_read_in_two_ways_are_refused() {
    let (verifier, _provider) = verifier();
    for Hostile { token, refused_as } in misstated::all(NOW) {
        let outcome = verifier.verify(&token, NOW).await;
        let reason = outcome.err().map(|denied| format!("{denied:?}"));
        assert_eq!(reason.as_deref(), Some(refused_as), "{token}");
        assert_eq!(verifier.cached(&token, NOW), None, "{token}");
    }
    let good = claims().to_string();
    let open = good.strip_suffix('}').expect("an object");
    let header = header(&keys::RSA, "RS256").to_string();
    let same = sign(&header, &format!("{open},\"x\":1}}"), &keys::RSA, "RS256");
    assert_eq!(verifier.verify(&same, NOW).await.expect("good").app_id, APP);
}

#[tokio::test]
async fn every_reason_has_graphs_words() {
    for (denied, message) in [
        (Denial::Empty, "Access token is empty."),
        (Denial::Malformed, "CompactToken parsing failed with error code: 80049217"),
        (Denial::Early, "Access token has expired or is not yet valid."),
        (Denial::Expired, "Lifetime validation failed, the token is expired."),
        (Denial::Audience, "Access token validation failure. Invalid audience."),
        (Denial::Issuer, "Access token validation failure. Invalid issuer."),
        (Denial::Signature, "Access token validation failure. Invalid signature."),
        (Denial::UnknownKey, "Access token validation failure. Invalid signature."),
        (Denial::Delegated, ""),
    ] {
        assert_eq!(denied.message(), message);
        assert_eq!(denied.is_forbidden(), denied == Denial::Delegated);
        assert!(!denied.is_unavailable());
    }
}
