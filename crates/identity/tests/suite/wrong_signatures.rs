//! Tokens whose header or signature is wrong: none may get in.

use testkit::tokens::{Hostile, forged};

use crate::support::{NOW, claims, token, verifier};

async fn check(cases: Vec<Hostile>) {
    let (verifier, _provider) = verifier();
    for (number, Hostile { token, refused_as }) in cases.into_iter().enumerate() {
        let outcome = verifier.verify(&token, NOW).await;
        let reason = outcome.as_ref().err().map(|denied| format!("{denied:?}"));
        assert_eq!(reason.as_deref(), Some(refused_as), "case {number}: {token:.200}");
        assert_eq!(verifier.cached(&token, NOW), None, "case {number} is remembered");
    }
    let outcome = verifier.verify(&token(&claims()), NOW).await;
    assert!(outcome.is_ok(), "the positive control: {outcome:?}");
}

#[tokio::test]
async fn unsigned_tokens_are_refused() {
    check(forged::unsigned(NOW)).await;
}

#[tokio::test]
async fn a_public_key_is_no_hmac_secret() {
    check(forged::by_public_key(NOW)).await;
}

#[tokio::test]
async fn the_key_decides_the_algorithm_not_the_token() {
    check(forged::other_algorithms(NOW)).await;
}

#[tokio::test]
async fn signatures_that_are_none_are_refused() {
    check(forged::no_signatures(NOW)).await;
}

#[tokio::test]
async fn a_key_in_the_header_is_not_used() {
    check(forged::own_keys(NOW)).await;
}

#[tokio::test]
async fn key_ids_that_name_no_key_are_refused() {
    check(forged::unknown_keys(NOW)).await;
}

#[tokio::test]
async fn a_key_serves_only_the_issuer_that_it_is_limited_to() {
    check(forged::limited_keys(NOW)).await;
}

#[tokio::test]
async fn headers_that_ask_for_more_are_refused() {
    check(forged::demands(NOW)).await;
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
