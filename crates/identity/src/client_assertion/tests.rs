//! Assertions are made and checked.

use aws_lc_rs::digest;

use super::*;

const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
const ENDPOINT: &str = "https://login.contoso.example/t/oauth2/v2.0/token";
/// In 2026.
const NOW: i64 = 1_790_000_000;

fn client(up_to: i32) -> ClientCertificate {
    let (certificate, key) = testkit::certificates::of_application(up_to);
    ClientCertificate::from_pem(&format!("{certificate}{key}")).expect("a good one")
}

fn known(client: &ClientCertificate) -> Vec<AppCredential> {
    vec![AppCredential::Certificate(Box::new(client.certificate().clone()))]
}

fn checked(text: &str, credentials: &[AppCredential], now: i64) -> Result<(), AssertionFault> {
    check(text, (CLIENT, credentials), &[ENDPOINT.to_owned()], now)
}

#[test]
fn a_certificate_is_read_with_its_time_and_its_thumbprint() {
    let (pem, _) = testkit::certificates::of_application(2031);
    let read = Certificate::from_pem(&pem).expect("a good one");
    assert_eq!((read.not_before, read.not_after), (1_577_836_800, 1_924_992_000));
    let der = certificate::section(&pem, "CERTIFICATE").expect("it is there");
    let print = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &der));
    assert_eq!(read.thumbprint, print);
    assert_eq!(Certificate::from_pem(&read.pem), Ok(read));
}

#[test]
fn a_key_must_stand_beside_its_certificate() {
    let (one, key) = testkit::certificates::of_application(2031);
    let (other, _) = testkit::certificates::of_application(2031);
    assert!(ClientCertificate::from_pem(&format!("{key}{one}")).is_ok());
    let alone = ClientCertificate::from_pem(&one).map(drop);
    assert_eq!(alone, Err(CertificateError::NoPrivateKey));
    let mixed = ClientCertificate::from_pem(&format!("{other}{key}")).map(drop);
    assert_eq!(mixed, Err(CertificateError::OtherKey));
    let shown = format!("{:?}", ClientCertificate::from_pem(&format!("{one}{key}")));
    assert!(shown.contains("thumbprint") && !shown.contains("PRIVATE"), "{shown}");
}

#[test]
fn an_assertion_counts_for_its_application_its_endpoint_and_its_time() {
    let client_of = client(2031);
    let credentials = known(&client_of);
    let assertion = client_of.assertion(CLIENT, ENDPOINT, NOW).expect("signed");
    assert_eq!(checked(&assertion, &credentials, NOW), Ok(()));
    let late = checked(&assertion, &credentials, NOW + LIFETIME + LEEWAY);
    assert_eq!(late, Err(AssertionFault::Time));
    let early = checked(&assertion, &credentials, NOW - 2 * LEEWAY - 1);
    assert_eq!(early, Err(AssertionFault::Time));
    let elsewhere = client_of.assertion(CLIENT, "https://other.example", NOW).expect("signed");
    assert_eq!(checked(&elsewhere, &credentials, NOW), Err(AssertionFault::Audience));
    let other = client(2031).assertion(CLIENT, ENDPOINT, NOW).expect("signed");
    assert_eq!(checked(&other, &credentials, NOW), Err(AssertionFault::Certificate));
    assert_eq!(checked(&assertion, &[], NOW), Err(AssertionFault::Certificate));
    let of_other = client_of.assertion("somebody-else", ENDPOINT, NOW).expect("signed");
    assert_eq!(checked(&of_other, &credentials, NOW), Err(AssertionFault::Issuer));
    assert_eq!(checked("secret", &credentials, NOW), Err(AssertionFault::Malformed));
    let mut altered = assertion.clone();
    altered.replace_range(assertion.len() - 40..assertion.len() - 36, "AAAA");
    assert_eq!(checked(&altered, &credentials, NOW), Err(AssertionFault::Certificate));
}

#[test]
fn a_certificate_that_has_expired_signs_nothing() {
    let client_of = client(2026);
    let assertion = client_of.assertion(CLIENT, ENDPOINT, NOW).expect("signed");
    let outcome = checked(&assertion, &known(&client_of), NOW);
    assert_eq!(outcome, Err(AssertionFault::Certificate));
}

/// A token of another issuer, signed with a key that stands in for its key.
fn federated(signer: &ClientCertificate, issuer: &str, subject: &str, audience: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": issuer, "sub": subject, "aud": [audience], "exp": NOW + 60});
    let mut token = format!("{}.{}", part(json!({"alg": "PS256", "typ": "JWT"})), part(claims));
    let mut signature = vec![0; signer.key.public_modulus_len()];
    let random = SystemRandom::new();
    signer.key.sign(&RSA_PSS_SHA256, &random, token.as_bytes(), &mut signature).expect("signed");
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

#[test]
fn a_token_of_another_issuer_counts_by_issuer_subject_audience_and_signature() {
    let (issuer, subject) = ("https://cluster.contoso.example", "system:serviceaccount:a:b");
    let signer = client(2031);
    let trusted = FederatedCredential {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        audience: FEDERATED_AUDIENCE.to_owned(),
        keys: vec![signer.certificate().jwk.clone()],
    };
    assert!(trusted.has_usable_key());
    let credentials = [AppCredential::Federated(trusted)];
    let tried = |token: &str| checked(token, &credentials, NOW);
    let good = federated(&signer, issuer, subject, FEDERATED_AUDIENCE);
    assert_eq!(tried(&good), Ok(()));
    let late = checked(&good, &credentials, NOW + 60 + LEEWAY);
    assert_eq!(late, Err(AssertionFault::Time));
    for (token, fault) in [
        (federated(&signer, "https://x", subject, FEDERATED_AUDIENCE), AssertionFault::Issuer),
        (federated(&signer, issuer, "x", FEDERATED_AUDIENCE), AssertionFault::Subject),
        (federated(&signer, issuer, subject, "x"), AssertionFault::FederatedAudience),
        (federated(&client(2031), issuer, subject, FEDERATED_AUDIENCE), AssertionFault::Signature),
    ] {
        assert_eq!(tried(&token), Err(fault));
    }
}
