//! Tokens in the forms in which identity providers make them: all must get in.

use identity::{Caller, Denial, IssuerConfig, role};
use serde_json::{Value, json};

use crate::support::keys::{self, Key};
use crate::support::provider::{Provider, Reply, url};
use crate::support::{
    APP, AUDIENCE, NOW, TENANT, claims, claims_with, header, issuer, set, sign, token, trusting,
    verifier,
};

fn caller() -> Caller {
    Caller {
        tenant: TENANT.into(),
        app_id: APP.into(),
        roles: vec![role::READ_CALL_RECORDS.into()],
        expires_at: NOW + 3600,
        is_own: false,
    }
}

#[tokio::test]
async fn every_algorithm_verifies() {
    let (verifier, _provider) = verifier();
    let rsa =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map(|name| (&*keys::RSA, name));
    let others: [(&Key, &str); 5] = [
        (&keys::RS256_ONLY, "RS256"),
        (&keys::TENANTS_ONLY, "RS256"),
        (&keys::P256, "ES256"),
        (&keys::P384, "ES384"),
        (&keys::ED25519, "EdDSA"),
    ];
    for (key, algorithm) in rsa.into_iter().chain(others) {
        let token =
            sign(&header(key, algorithm).to_string(), &claims().to_string(), key, algorithm);
        let outcome = verifier.verify(&token, NOW).await;
        assert_eq!(outcome.as_deref(), Ok(&caller()), "{algorithm} by {}", key.kid);
    }
}

#[tokio::test]
async fn a_token_without_a_key_id_is_by_the_only_key_that_fits() {
    let (verifier, _provider) = verifier();
    for (key, algorithm) in
        [(&*keys::P256, "ES256"), (&keys::P384, "ES384"), (&keys::ED25519, "EdDSA")]
    {
        let header = json!({ "alg": algorithm }).to_string();
        let token = sign(&header, &claims().to_string(), key, algorithm);
        assert!(verifier.verify(&token, NOW).await.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn a_verified_token_is_remembered_until_it_ends() {
    let (verifier, _provider) = verifier();
    let token = token(&claims_with("exp", json!(NOW + 60)));
    assert_eq!(verifier.cached(&token, NOW), None);
    let caller = verifier.verify(&token, NOW).await.expect("good");
    assert_eq!(verifier.cached(&token, NOW), Some(caller.clone()));
    assert_eq!(verifier.cached(&token, NOW + 60 + 299), Some(caller));
    assert_eq!(verifier.cached(&token, NOW + 60 + 300), None);
    assert_eq!(verifier.verify(&token, NOW + 60 + 300).await, Err(Denial::Expired));
    let changed = format!("{}x", &token[..token.len() - 1]);
    assert_eq!(verifier.cached(&changed, NOW), None);
}

/// An application's token by Entra in version 1, for the issuer `sts.windows.net`.
fn entra_v1() -> Value {
    json!({
        "aud": AUDIENCE, "iss": format!("https://sts.windows.net/{TENANT}/"), "iat": NOW,
        "nbf": NOW, "exp": NOW + 3600, "aio": "E2ZgYJ", "appid": APP, "appidacr": "1",
        "idp": format!("https://sts.windows.net/{TENANT}/"), "idtyp": "app",
        "oid": "44444444-4444-4444-4444-444444444444", "rh": "0.AAAA",
        "roles": ["CallRecords.Read.All"], "sub": "44444444-4444-4444-4444-444444444444",
        "tid": TENANT, "uti": "AAAA", "ver": "1.0",
    })
}

/// An application's token by Entra in version 2, without the optional claim `idtyp`.
fn entra_v2() -> Value {
    json!({
        "aud": "55555555-5555-5555-5555-555555555555", "iss": issuer(), "iat": NOW, "nbf": NOW,
        "exp": NOW + 3600, "aio": "E2ZgYJ", "azp": APP, "azpacr": "1",
        "oid": "44444444-4444-4444-4444-444444444444", "rh": "0.AAAA",
        "roles": ["CallRecords.Read.All"], "sub": "44444444-4444-4444-4444-444444444444",
        "tid": TENANT, "uti": "AAAA", "ver": "2.0",
    })
}

#[tokio::test]
async fn entras_tokens_of_both_versions_get_in() {
    let provider = Provider::new();
    provider.set("/keys", Reply::Json(keys::published()));
    let trusted = |issuer: &str, audience: &str| IssuerConfig {
        issuer: issuer.into(),
        audiences: vec![audience.into()],
        jwks_uri: Some(url("/keys")),
        ..IssuerConfig::default()
    };
    let verifier = trusting(
        &provider,
        vec![
            trusted("https://sts.windows.net/{tenantid}/", AUDIENCE),
            trusted(crate::support::TEMPLATE, "55555555-5555-5555-5555-555555555555"),
        ],
    )
    .expect("sound");
    for claims in [entra_v1(), entra_v2()] {
        assert_eq!(verifier.verify(&token(&claims), NOW).await.as_deref(), Ok(&caller()));
    }
    // Each issuer has its own audience.
    let mut crossed = entra_v2();
    set(&mut crossed, "aud", json!(AUDIENCE));
    assert_eq!(verifier.verify(&token(&crossed), NOW).await, Err(Denial::Audience));
}

#[tokio::test]
async fn keycloaks_tokens_get_in_by_discovery_a_fixed_tenant_and_a_path_to_the_roles() {
    let provider = Provider::new();
    let realm = url("/realms/calls");
    let document = json!({"issuer": realm, "jwks_uri": url("/realms/calls/certs")});
    let well_known = "/realms/calls/.well-known/openid-configuration";
    provider.set(well_known, Reply::Json(document.to_string()));
    provider.set("/realms/calls/certs", Reply::Json(keys::published()));
    let verifier = trusting(
        &provider,
        vec![IssuerConfig {
            issuer: realm.clone(),
            audiences: vec!["callvault".into()],
            tenant: Some(TENANT.to_uppercase()),
            roles_claim: Some("realm_access.roles".into()),
            ..IssuerConfig::default()
        }],
    )
    .expect("sound");
    let claims = json!({
        "exp": NOW + 3600, "iat": NOW, "jti": "trrtcc:1", "iss": realm,
        "aud": ["callvault", "account"], "sub": "44444444-4444-4444-4444-444444444444",
        "typ": "Bearer", "azp": APP, "acr": "1", "tid": "a claim that means something else",
        "realm_access": {"roles": ["CallRecords.Read.All"]}, "roles": ["Callvault.Admin"],
        "scope": "profile email", "clientHost": "127.0.0.1",
        "preferred_username": "service-account-reader",
    });
    assert_eq!(verifier.verify(&token(&claims), NOW).await.as_deref(), Ok(&caller()));
    assert_eq!(provider.asked(well_known), 1);
}
