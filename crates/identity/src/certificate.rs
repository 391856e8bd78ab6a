//! X.509 certificates (RFC 5280) as far as an application shows who it is with one: the RSA key, the time for
//! which it holds, and the thumbprint. Nothing of a chain is checked: the operator names the certificate itself.

use std::ops::RangeInclusive;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Time;

/// Bytes of a file with a certificate and its key.
const LARGEST: usize = 64 << 10;
/// `rsaEncryption` (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Bytes of an RSA key's modulus.
const MODULUS: RangeInclusive<usize> = 256..=1_024;

/// Why a certificate, or the file with it, is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is no certificate in the text.
    #[error("there is no certificate (BEGIN CERTIFICATE) in it")]
    NoCertificate,
    /// It is no certificate that can be read, or not one with an RSA key of 2048 bits or more.
    #[error("the certificate can't be read, or has no RSA key of at least 2048 bits")]
    Unusable,
    /// There is no private key beside it.
    #[error(
        "there is no private key (BEGIN PRIVATE KEY) beside the certificate, or it is encrypted"
    )]
    NoPrivateKey,
    /// The private key is another one's.
    #[error("the private key is not the one of the certificate")]
    OtherKey,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the certificate in base64url, as tokens name it (`x5t#S256`, RFC 7515, section 4.1.8).
    pub thumbprint: String,
    /// Seconds since 1970 from which on it holds.
    pub not_before: i64,
    /// Seconds since 1970 up to which it holds.
    pub not_after: i64,
    /// Its public key as a JSON Web Key.
    pub(crate) jwk: Value,
    /// Modulus of the key, without zeros before it.
    pub(crate) modulus: Vec<u8>,
    /// The certificate alone, as PEM.
    pub pem: String,
}

impl Certificate {
    /// The first certificate in a text.
    ///
    /// # Errors
    /// Why there is none of use.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let der = section(text, "CERTIFICATE").ok_or(CertificateError::NoCertificate)?;
        let fields = x509_cert::Certificate::from_der(&der).ok().map(|it| it.tbs_certificate);
        let fields = fields.ok_or(CertificateError::Unusable)?;
        let (modulus, exponent) = rsa_key(&fields.subject_public_key_info)
            .filter(|(modulus, _)| MODULUS.contains(&modulus.len()))
            .ok_or(CertificateError::Unusable)?;
        let seconds = |time: Time| time.to_unix_duration().as_secs() as i64;
        let (not_before, not_after) =
            (seconds(fields.validity.not_before), seconds(fields.validity.not_after));
        let jwk = json!({
            "kty": "RSA",
            "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(&modulus),
            "e": URL_SAFE_NO_PAD.encode(exponent),
        });
        let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &der));
        let body = STANDARD.encode(&der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        Ok(Self { thumbprint, not_before, not_after, jwk, modulus, pem })
    }
}

/// The bytes of the first section of that name in a text of PEM (RFC 7468).
pub(crate) fn section(text: &str, name: &str) -> Option<Vec<u8>> {
    if text.len() > LARGEST {
        return None;
    }
    let (begin, end) = (format!("-----BEGIN {name}-----"), format!("-----END {name}-----"));
    let (_, behind) = text.split_once(&begin)?;
    let (body, _) = behind.split_once(&end)?;
    let body: String = body.chars().filter(|char| !char.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}

/// Modulus and exponent of an RSA key (RFC 8017, appendix A.1.1), without zeros before them.
fn rsa_key(key: &SubjectPublicKeyInfoOwned) -> Option<(Vec<u8>, Vec<u8>)> {
    if key.algorithm.oid != RSA {
        return None;
    }
    let mut reader = SliceReader::new(key.subject_public_key.as_bytes()?).ok()?;
    let numbers = reader.sequence(|numbers| {
        let (modulus, exponent) = (UintRef::decode(numbers)?, UintRef::decode(numbers)?);
        Ok((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
    });
    numbers.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let pem = |body: &[u8]| {
            let body = STANDARD.encode(body);
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        assert_eq!(Certificate::from_pem("secret"), Err(CertificateError::NoCertificate));
        for body in [&[][..], &[0x30], &[0x30, 0x84, 1], &[0x30, 3, 0x30, 1, 0xa0], &[0xff; 300]] {
            let read = Certificate::from_pem(&pem(body));
            assert_eq!(read, Err(CertificateError::Unusable), "{body:?}");
        }
    }
}
