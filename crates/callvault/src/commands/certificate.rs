//! The certificate of `demo --tls`: it signs itself, for this machine only.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use odata::primitive::DateTimeOffset;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::opening::create_folder;
use crate::clock;
use crate::settings::Tls;

/// Seconds for which it is valid.
const LIFETIME: i64 = 30 * 24 * 3600;
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the certificate and its key are in a data folder.
pub(super) fn files(folder: &Path) -> Tls {
    Tls { certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
}

/// Makes a certificate and its key.
///
/// # Errors
/// When the files can't be written.
pub(super) fn make(tls: &Tls) -> Result<()> {
    if let Some(folder) = tls.certificate.parent() {
        create_folder(folder)?;
    }
    let now = clock::now();
    let day = |seconds: i64| {
        let text = DateTimeOffset::from_unix_seconds(seconds).to_string();
        let mut parts = text.get(..10).unwrap_or_default().split('-');
        let mut number = || parts.next().and_then(|part| part.parse::<u16>().ok()).unwrap_or(1);
        let (year, month, day) = (number(), number() as u8, number() as u8);
        rcgen::date_time_ymd(year.into(), month, day)
    };
    let mut wanted = CertificateParams::new(NAMES.map(str::to_owned))?;
    (wanted.not_before, wanted.not_after) = (day(now - 24 * 3600), day(now + LIFETIME));
    // Clients that trust it take it for its own authority.
    wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let pair = KeyPair::generate()?;
    let made = wanted.self_signed(&pair)?;
    write(&tls.certificate, &made.pem())?;
    write(&tls.key, &pair.serialize_pem())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("writing {}", path.display()))
}
