//! TLS: the certificate in use, read from PEM files and replaceable while connections are open.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::options::TlsFiles;
use crate::start_error::StartError;

/// The flags that name the files.
const CERTIFICATE_FLAG: &str = "--tls-cert";
const KEY_FLAG: &str = "--tls-key";

/// What new connections are secured with.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    pub fn load(files: &TlsFiles) -> Result<Self, StartError> {
        let config = RwLock::new(Arc::new(read(files)?));
        Ok(Self { files: files.clone(), config })
    }

    /// Reads the files again. When that fails, the certificate in use stays.
    pub fn reload(&self) -> Result<(), StartError> {
        let config = Arc::new(read(&self.files)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig, StartError> {
    let TlsFiles { certificate, key } = files;
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unread(certificate, CERTIFICATE_FLAG, error))?;
    if chain.is_empty() {
        return Err(unusable(certificate, CERTIFICATE_FLAG, &"the file has no certificate"));
    }
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, KEY_FLAG, error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, CERTIFICATE_FLAG, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                StartError::OtherKey { certificate: certificate.clone(), key: key.clone() }
            }
            error => unusable(key, KEY_FLAG, &error),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn unread(path: &Path, flag: &'static str, error: pem::Error) -> StartError {
    match error {
        pem::Error::Io(source) => {
            StartError::CertificateFile { path: path.to_owned(), flag, source }
        }
        error => unusable(path, flag, &error),
    }
}

fn unusable(path: &Path, flag: &'static str, reason: &dyn std::fmt::Display) -> StartError {
    StartError::Certificate { path: path.to_owned(), flag, reason: reason.to_string() }
}
