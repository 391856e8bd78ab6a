//! Certificates that applications show in place of secrets.

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// A new certificate of an application with an RSA key, as PEM: the certificate, and its key. It holds from
/// 2020 up to the beginning of a year.
///
/// # Panics
/// When there is no randomness.
pub fn of_application(up_to: i32) -> (String, String) {
    let names = vec!["collector.contoso.example".to_owned()];
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
    let key = key.expect("a key can be made");
    let mut params = CertificateParams::new(names).expect("the name is one");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(up_to, 1, 1);
    let certificate = params.self_signed(&key).expect("a certificate can be made");
    (certificate.pem(), key.serialize_pem())
}
