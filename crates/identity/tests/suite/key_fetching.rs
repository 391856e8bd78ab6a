//! The issuer's keys: fetched once, again when they change, kept through outages.

use std::sync::Arc;
use std::time::Duration;

use identity::{Denial, FetchLimits, IssuerConfig, Verifier};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::keys::{self, Key};
use crate::support::provider::{Provider, Reply, url};
use crate::support::{NOW, claims, claims_with, config, encode, header, sign, trusting, verifier};

const HOUR: i64 = 3600;

fn set_of(keys: &[&Key]) -> Reply {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    Reply::Json(json!({ "keys": keys }).to_string())
}

/// A token by this key that lives for two days.
fn by(key: &Key) -> String {
    let claims = claims_with("exp", json!(NOW + 48 * HOUR)).to_string();
    sign(&header(key, "RS256").to_string(), &claims, key, "RS256")
}

fn trusting_one(provider: &Provider) -> Verifier {
    trusting(provider, vec![config()]).expect("sound")
}

/// A provider with one key, and a verifier that knows it already.
async fn warm() -> (Verifier, Provider) {
    let provider = Provider::new();
    provider.set("/keys", set_of(&[&keys::RSA]));
    let verifier = trusting_one(&provider);
    verifier.refresh(NOW).await;
    assert_eq!(provider.asked("/keys"), 1);
    (verifier, provider)
}

#[tokio::test]
async fn a_new_key_is_found_by_the_first_token_that_names_it() {
    let (verifier, provider) = warm().await;
    provider.set("/keys", set_of(&[&keys::RSA, &keys::RS256_ONLY]));
    assert!(verifier.verify(&by(&keys::RS256_ONLY), NOW + 30).await.is_ok());
    assert_eq!(provider.asked("/keys"), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_in_thirty_seconds() {
    let (verifier, provider) = warm().await;
    let mut flood = 0;
    for second in 0..=60 {
        for _ in 0..20 {
            let header = json!({"alg": "RS256", "kid": format!("unknown-{flood}")}).to_string();
            let token = format!("{}.{}.c2ln", encode(header), encode(claims().to_string()));
            let outcome = verifier.verify(&token, NOW + second).await;
            assert_eq!(outcome, Err(Denial::UnknownKey));
            flood += 1;
        }
    }
    assert_eq!(provider.asked("/keys"), 1 + 2, "{flood} tokens");
}

#[tokio::test]
async fn a_key_that_went_takes_its_remembered_tokens_along() {
    let (verifier, provider) = warm().await;
    let token = by(&keys::RSA);
    assert!(verifier.verify(&token, NOW).await.is_ok());
    assert!(verifier.cached(&token, NOW + HOUR - 1).is_some());
    provider.set("/keys", set_of(&[&keys::RS256_ONLY]));
    verifier.refresh(NOW + HOUR - 1).await;
    assert!(verifier.cached(&token, NOW + HOUR - 1).is_some(), "not due yet");
    let later = NOW + HOUR;
    let other = by(&keys::RS256_ONLY);
    assert!(verifier.verify(&token, later).await.is_ok());
    assert!(verifier.verify(&other, later).await.is_ok(), "this fetched the new set");
    assert_eq!(verifier.cached(&token, later), None);
    assert_eq!(verifier.verify(&token, later).await, Err(Denial::UnknownKey));
}

#[tokio::test]
async fn keys_that_are_only_added_leave_what_is_remembered() {
    let (verifier, provider) = warm().await;
    let token = by(&keys::RSA);
    verifier.verify(&token, NOW + 1).await.expect("good");
    provider.set("/keys", set_of(&[&keys::RS256_ONLY, &keys::RSA]));
    verifier.refresh(NOW + HOUR).await;
    assert_eq!(provider.asked("/keys"), 2);
    assert!(verifier.cached(&token, NOW + HOUR).is_some());
}

#[tokio::test]
async fn the_last_known_good_keys_serve_for_a_day_without_the_issuer() {
    let (verifier, provider) = warm().await;
    let token = by(&keys::RSA);
    for (hour, reply) in [
        Reply::Nothing,
        Reply::Status(500, String::new()),
        Reply::Status(203, keys::published()),
        Reply::Json("<html>".into()),
        Reply::Json(r#"{"keys":[]}"#.into()),
        Reply::Json(r#"{"keys":{}}"#.into()),
        Reply::Json(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.into()),
        Reply::Json(format!(r#"{{"x":"{}",{}"#, "x".repeat(5_000_000), &keys::published()[1..])),
        Reply::TooMuch,
        Reply::Status(302, keys::published()),
    ]
    .into_iter()
    .enumerate()
    {
        let now = NOW + HOUR * (hour as i64 + 1);
        provider.set("/keys", reply);
        verifier.refresh(now).await;
        assert_eq!(provider.asked("/keys"), hour + 2, "it was asked");
        assert!(verifier.verify(&token, now).await.is_ok(), "answer {hour}");
        assert_eq!(verifier.unready(now), [""; 0]);
    }

    let day = NOW + 24 * HOUR;
    assert!(verifier.verify(&token, day - 1).await.is_ok());
    assert_eq!(verifier.verify(&token, day + HOUR).await, Err(Denial::KeysUnavailable));
    assert_eq!(verifier.unready(day), [crate::support::TEMPLATE]);
    provider.set("/keys", set_of(&[&keys::RSA]));
    assert!(verifier.verify(&token, day + HOUR + 60).await.is_ok(), "back without a restart");
}

#[tokio::test]
async fn without_keys_nobody_gets_in_and_the_issuer_is_asked_less_and_less() {
    let provider = Provider::new();
    provider.set("/keys", Reply::Nothing);
    let verifier = trusting_one(&provider);
    let token = by(&keys::RSA);
    for second in 0..=75 {
        let outcome = verifier.verify(&token, NOW + second).await;
        assert_eq!(outcome, Err(Denial::KeysUnavailable));
    }
    // After 0, 5, 15, 35 and 75 seconds.
    assert_eq!(provider.asked("/keys"), 5);
    provider.set("/keys", set_of(&[&keys::RSA]));
    verifier.refresh(NOW + 75 + 59).await;
    assert_eq!(verifier.verify(&token, NOW + 75 + 59).await, Err(Denial::KeysUnavailable));
    verifier.refresh(NOW + 75 + 60).await;
    assert_eq!(verifier.unready(NOW + 75 + 60), [""; 0]);
    assert!(verifier.verify(&token, NOW + 75 + 60).await.is_ok());
}

#[tokio::test]
async fn many_that_need_the_same_keys_wait_for_one_fetch() {
    let go = Arc::new(Notify::new());
    let provider = Provider::new();
    provider.set("/keys", Reply::Held(Arc::clone(&go), keys::published()));
    let verifier = Arc::new(trusting_one(&provider));
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let verifier = Arc::clone(&verifier);
            tokio::spawn(async move { verifier.verify(&by(&keys::RSA), NOW).await })
        })
        .collect();
    while provider.asked("/keys") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    go.notify_one();
    for task in waiting {
        assert!(task.await.expect("no panic").is_ok());
    }
    assert_eq!(provider.asked("/keys"), 1);
}

#[tokio::test]
async fn a_slow_issuer_holds_up_only_who_needs_its_answer_and_hanging_up_loses_nothing() {
    let (verifier, provider) = warm().await;
    let go = Arc::new(Notify::new());
    provider.set("/keys", Reply::Held(Arc::clone(&go), keys::published()));
    let now = NOW + 30;
    let new = by(&keys::RS256_ONLY);
    let impatient = tokio::time::timeout(Duration::from_millis(100), verifier.verify(&new, now));
    assert!(impatient.await.is_err(), "the answer is still out");
    assert!(verifier.verify(&by(&keys::RSA), now).await.is_ok(), "known keys don't wait");
    go.notify_one();
    assert!(verifier.verify(&new, now).await.is_ok());
    assert_eq!(provider.asked("/keys"), 2, "the fetch that nobody waited for was used");
}

#[tokio::test]
async fn an_answer_may_take_a_mebibyte_and_ten_seconds() {
    let (_, provider) = warm().await;
    let limits = FetchLimits { bytes: 1024 * 1024, time: Duration::from_secs(10) };
    assert_eq!(provider.limits("/keys"), [limits]);
}

#[tokio::test]
async fn a_document_of_another_issuer_gives_no_keys() {
    let provider = Provider::new();
    let issuer = url("");
    provider.set("/keys", set_of(&[&keys::RSA]));
    let document = json!({"issuer": "https://evil.example", "jwks_uri": url("/keys")});
    provider.set("/.well-known/openid-configuration", Reply::Json(document.to_string()));
    let config = IssuerConfig {
        issuer: issuer.clone(),
        audiences: vec!["x".into()],
        ..IssuerConfig::default()
    };
    let verifier = trusting(&provider, vec![config]).expect("sound");
    verifier.refresh(NOW).await;
    assert_eq!(verifier.unready(NOW), [issuer]);
    assert_eq!(provider.asked("/keys"), 0);
}

#[tokio::test]
async fn an_issuer_is_trusted_in_one_way() {
    let (_, provider) = verifier();
    let twice = vec![config(), config()];
    let error = trusting(&provider, twice).expect_err("refused");
    assert!(error.to_string().contains("twice"), "{error}");
}
