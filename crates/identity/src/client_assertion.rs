//! Assertions by which an application shows who it is in place of a secret (RFC 7523, section 2.2): signed with
//! the key of a certificate, or given by another issuer that is trusted with it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::certificate::{self, Certificate, CertificateError};
use crate::guid::random_guid;
use crate::jws::Jws;
use crate::keys::VerificationKey;

/// What `client_assertion_type` says (RFC 7523, section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The audience of federated tokens, unless another is agreed on.
pub const FEDERATED_AUDIENCE: &str = "api://AzureADTokenExchange";

/// Seconds that an assertion counts, and that it counts before it was made: clocks differ.
const LIFETIME: i64 = 600;
const LEEWAY: i64 = 300;

/// A certificate with its private key, with which an application signs assertions.
pub struct ClientCertificate {
    certificate: Certificate,
    key: RsaKeyPair,
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let thumbprint = &self.certificate.thumbprint;
        f.debug_struct("ClientCertificate").field("thumbprint", thumbprint).finish_non_exhaustive()
    }
}

impl ClientCertificate {
    /// Reads a certificate and its key from PEM.
    ///
    /// # Errors
    /// What is wrong with the text, without any of it.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_pem(text)?;
        let key = match certificate::section(text, "PRIVATE KEY") {
            Some(der) => RsaKeyPair::from_pkcs8(&der).ok(),
            None => certificate::section(text, "RSA PRIVATE KEY")
                .and_then(|der| RsaKeyPair::from_der(&der).ok()),
        };
        let key = key.ok_or(CertificateError::NoPrivateKey)?;
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
        let first = public.n.iter().position(|&byte| byte != 0).unwrap_or(0);
        if public.n[first..] != certificate.modulus {
            return Err(CertificateError::OtherKey);
        }
        Ok(Self { certificate, key })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// An assertion of an application for a token endpoint, at a time in seconds since 1970; none if the
    /// cryptographic library refuses, which a sound system never does.
    pub fn assertion(&self, client_id: &str, endpoint: &str, now: i64) -> Option<String> {
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.certificate.thumbprint});
        let claims = json!({
            "aud": endpoint,
            "iss": client_id,
            "sub": client_id,
            "jti": random_guid(),
            "iat": now,
            "nbf": now - LEEWAY,
            "exp": now + LIFETIME,
        });
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PSS_SHA256, &random, token.as_bytes(), &mut signature).ok()?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }
}

/// Tokens of another issuer that count for an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedCredential {
    /// `iss` of the tokens.
    pub issuer: String,
    /// `sub` of the tokens.
    pub subject: String,
    /// `aud` of the tokens.
    pub audience: String,
    /// The issuer's public keys: JSON Web Keys.
    pub keys: Vec<Value>,
}

impl FederatedCredential {
    /// Whether one of the keys can verify anything.
    pub fn has_usable_key(&self) -> bool {
        self.keys.iter().any(|key| VerificationKey::from_jwk(key).is_some())
    }
}

/// What an application may show in place of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppCredential {
    /// Assertions that the key of this certificate signed.
    Certificate(Box<Certificate>),
    /// Tokens of another issuer.
    Federated(FederatedCredential),
}

/// Why an assertion does not count; with each, Entra's number is in `token_answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AssertionFault {
    /// It is no signed JWT.
    Malformed,
    /// It is of another application than asks.
    OtherApplication,
    /// It is not for this endpoint.
    Audience,
    /// It is too old, too young, or lives for ever.
    Time,
    /// No certificate of the application signed it.
    Certificate,
    /// No issuer that is trusted for the application is its issuer.
    Issuer,
    /// The issuer's token is for another audience.
    FederatedAudience,
    /// The issuer's token is of another subject.
    Subject,
    /// The issuer did not sign it.
    Signature,
}

/// The longest time that an assertion may live.
const LONGEST: i64 = 24 * 3_600;

/// Checks an assertion: `endpoints` are the addresses that it may be for.
pub(crate) fn check(
    text: &str,
    (client_id, credentials): (&str, &[AppCredential]),
    endpoints: &[String],
    now: i64,
) -> Result<(), AssertionFault> {
    let token = Jws::parse(text).map_err(|_| AssertionFault::Malformed)?;
    let issuer = token.text_claim("iss").ok_or(AssertionFault::Malformed)?;
    let is_own = issuer.eq_ignore_ascii_case(client_id);
    if is_own {
        let subject = token.text_claim("sub").unwrap_or_default();
        if !subject.eq_ignore_ascii_case(client_id) {
            return Err(AssertionFault::OtherApplication);
        }
        if !endpoints.iter().any(|endpoint| is_for(&token, endpoint)) {
            return Err(AssertionFault::Audience);
        }
        check_time(&token, now)?;
        return check_certificate(&token, credentials, now);
    }
    check_federated(&token, (issuer, credentials))?;
    check_time(&token, now)
}

fn check_certificate(
    token: &Jws<'_>,
    credentials: &[AppCredential],
    now: i64,
) -> Result<(), AssertionFault> {
    let has_signed = credentials.iter().any(|credential| match credential {
        AppCredential::Certificate(certificate) => {
            (certificate.not_before..=certificate.not_after).contains(&now)
                && is_signed(token, &certificate.jwk)
        }
        AppCredential::Federated(_) => false,
    });
    if has_signed { Ok(()) } else { Err(AssertionFault::Certificate) }
}

fn check_federated(
    token: &Jws<'_>,
    (issuer, credentials): (&str, &[AppCredential]),
) -> Result<(), AssertionFault> {
    let mut fault = AssertionFault::Issuer;
    for credential in credentials {
        let AppCredential::Federated(trusted) = credential else { continue };
        if trusted.issuer != issuer {
            continue;
        }
        if token.text_claim("sub") != Some(&trusted.subject) {
            fault = AssertionFault::Subject;
        } else if !is_for(token, &trusted.audience) {
            fault = AssertionFault::FederatedAudience;
        } else if !trusted.keys.iter().any(|key| is_signed(token, key)) {
            fault = AssertionFault::Signature;
        } else {
            return Ok(());
        }
    }
    Err(fault)
}

fn is_signed(token: &Jws<'_>, jwk: &Value) -> bool {
    VerificationKey::from_jwk(jwk)
        .is_some_and(|key| key.allows(token.algorithm) && key.signed(token))
}

fn is_for(token: &Jws<'_>, audience: &str) -> bool {
    match token.claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    }
}

fn check_time(token: &Jws<'_>, now: i64) -> Result<(), AssertionFault> {
    let instant = |name: &str| token.claims.get(name).and_then(Value::as_i64);
    let ends = instant("exp").ok_or(AssertionFault::Time)?;
    let begins = instant("nbf").unwrap_or(i64::MIN);
    let counts = begins <= now + LEEWAY && ends > now - LEEWAY && ends <= now + LONGEST;
    if counts { Ok(()) } else { Err(AssertionFault::Time) }
}

#[cfg(test)]
mod tests;
