//! Why a server could not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use identity::{ConfigError, KeyError};

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// As it was given.
        address: SocketAddr,
        /// The flag that gives it.
        flag: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Tokens would cross a network in clear.
    #[error(
        "{0} is not a loopback address, and tokens would cross a network in clear: give a certificate \
         (--tls-cert, --tls-key), or allow plain HTTP (server.allow_plain_http)"
    )]
    PlainHttp(SocketAddr),
    /// A PEM file can't be used.
    #[error("{} is no PEM file that {flag} can use: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A PEM file can't be read.
    #[error("reading {} ({flag})", path.display())]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key belongs to another certificate.
    #[error(
        "the key in {} (--tls-key) is not the key of the certificate in {} (--tls-cert): name two files \
         that were made together",
        key.display(),
        certificate.display()
    )]
    OtherKey {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The public URL is not one.
    #[error("the public URL '{0}' must begin with http:// or https:// and have no query")]
    PublicUrl(String),
    /// The store can't be read.
    #[error("the store can't be read")]
    Store(#[from] store::Error),
    /// The built-in issuer's keys can't be used.
    #[error("the signing keys can't be used")]
    Key(#[from] KeyError),
    /// The settings of the trusted issuers contradict themselves.
    #[error("the settings of the trusted issuers can't be used")]
    Issuers(#[from] ConfigError),
    /// A thread or its event loop can't be made.
    #[error("a thread can't be started")]
    Thread(#[source] std::io::Error),
}
