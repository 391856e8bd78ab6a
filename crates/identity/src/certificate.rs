//! X.509 certificates (RFC 5280) as far as an application shows who it is with one: the RSA key, the time for
//! which it holds, and the thumbprint. Nothing of a chain is checked: the operator names the certificate itself.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Bytes of a file with a certificate and its key.
const LARGEST: usize = 64 << 10;
/// `rsaEncryption` (RFC 8017, appendix A.1), as DER.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

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
        let read = read(&der).filter(|read| (256..=1024).contains(&read.modulus.len()));
        let Read { modulus, exponent, not_before, not_after } =
            read.ok_or(CertificateError::Unusable)?;
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

struct Read {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    not_before: i64,
    not_after: i64,
}

/// What stands in a certificate in DER.
fn read(der: &[u8]) -> Option<Read> {
    let mut certificate = Elements(inside(der, SEQUENCE)?);
    let mut fields = Elements(certificate.next(SEQUENCE)?);
    if fields.0.first() == Some(&VERSION) {
        fields.next(VERSION)?;
    }
    // Serial number, signature algorithm, issuer.
    fields.next(INTEGER)?;
    fields.next(SEQUENCE)?;
    fields.next(SEQUENCE)?;
    let mut validity = Elements(fields.next(SEQUENCE)?);
    let (not_before, not_after) = (validity.time()?, validity.time()?);
    // Subject.
    fields.next(SEQUENCE)?;
    let mut key = Elements(fields.next(SEQUENCE)?);
    let mut algorithm = Elements(key.next(SEQUENCE)?);
    if algorithm.next(OBJECT_ID)? != RSA {
        return None;
    }
    let bits = key.next(BIT_STRING)?.strip_prefix(&[0])?;
    let mut numbers = Elements(inside(bits, SEQUENCE)?);
    let positive = |number: &[u8]| {
        let first = number.iter().position(|&byte| byte != 0)?;
        Some(number[first..].to_vec())
    };
    let modulus = positive(numbers.next(INTEGER)?)?;
    let exponent = positive(numbers.next(INTEGER)?)?;
    Some(Read { modulus, exponent, not_before, not_after })
}

fn inside(der: &[u8], tag: u8) -> Option<&[u8]> {
    Elements(der).next(tag)
}

/// Elements of DER behind each other (X.690, section 8.1).
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// What the next element holds, which has that tag.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            0..=0x7f => usize::from(first),
            0x81..=0x83 => {
                let (number, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = behind;
                number.iter().fold(0, |length, &byte| length << 8 | usize::from(byte))
            }
            _ => return None,
        };
        let (content, behind) = rest.split_at_checked(length)?;
        self.0 = behind;
        (found == tag).then_some(content)
    }

    fn time(&mut self) -> Option<i64> {
        let tag = *self.0.first()?;
        let text = std::str::from_utf8(self.next(tag)?).ok()?;
        let (year, rest) = match tag {
            // RFC 5280, section 4.1.2.5.1: 50 and above are years of the century before.
            UTC_TIME => {
                let year: i64 = text.get(..2)?.parse().ok()?;
                (if year >= 50 { 1900 + year } else { 2000 + year }, text.get(2..)?)
            }
            GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
            _ => return None,
        };
        let digits = rest.strip_suffix('Z').filter(|digits| digits.len() == 10)?;
        let part = |at: usize| digits.get(at..at + 2)?.parse::<i64>().ok();
        let days = days(year, part(0)?, part(2)?);
        Some(days * 86_400 + part(4)? * 3_600 + part(6)? * 60 + part(8)?)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, with years that begin in March, so that the leap
/// day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_1970() {
        for (date, expected) in
            [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2026, 12, 1), 20_788)]
        {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
        }
    }

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
