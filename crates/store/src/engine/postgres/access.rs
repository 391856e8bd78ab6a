//! How to reach a database: defaults for what a URL leaves open, and encryption.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Cause, Error};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what was sent may stay unacknowledged.
const SILENCE: Duration = Duration::from_secs(10);
/// A session that stands still in a transaction loses it, so that others need not wait.
const OPTIONS: &str = "-c idle_in_transaction_session_timeout=10000";

/// A URL's configuration with what it leaves open. Another machine is spoken to by TLS alone, and
/// its certificate is always verified, unless `sslmode=disable` asks for something else.
pub(super) fn config(mut config: Config) -> Config {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_options().is_none() {
        config.options(OPTIONS);
    }
    config.application_name("callvault");
    if config.get_ssl_mode() == SslMode::Prefer {
        let is_here = config.get_hosts().iter().all(is_here)
            && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
        config.ssl_mode(if is_here { SslMode::Disable } else { SslMode::Require });
    }
    config
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Verifies as the operating system does, with the certificates that it trusts. Where no TLS is spoken
/// the system needs none.
pub(super) fn tls(config: &Config) -> Result<MakeRustlsConnect, Error> {
    let wrong = |error: rustls::Error| Error::Unavailable(Cause::new(error));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?;
    if config.get_ssl_mode() == SslMode::Disable {
        let none = builder.with_root_certificates(RootCertStore::empty());
        return Ok(MakeRustlsConnect::new(none.with_no_client_auth()));
    }
    let verifier = Verifier::new(provider).map_err(wrong)?;
    let client = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_are_spoken_to_by_tls_unless_that_is_ruled_out() {
        for (url, expected) in [
            ("postgres://a@127.0.0.1/b", SslMode::Disable),
            ("postgres://a@localhost/b?sslmode=require", SslMode::Require),
            ("postgres://a@[::1]/b", SslMode::Disable),
            ("postgres://a@db.contoso.com/b", SslMode::Require),
            ("postgres://a@localhost/b?hostaddr=10.0.0.7", SslMode::Require),
            ("postgres://a@10.0.0.7/b", SslMode::Require),
            ("postgres://a@10.0.0.7/b?sslmode=disable", SslMode::Disable),
        ] {
            assert_eq!(config(url.parse().unwrap()).get_ssl_mode(), expected, "{url}");
        }
    }
}
