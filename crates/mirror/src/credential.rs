//! What a mirror shows to the issuer of its tokens.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use identity::{ASSERTION_TYPE, ClientCertificate};

/// Bytes of a file with a federated token.
const LARGEST: u64 = 64 << 10;

/// A client secret. It is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// From its text, without the line end of a file.
    pub fn new(text: &str) -> Self {
        Self(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Whether it has no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What shows that a mirror is the application that it says.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A client secret.
    Secret(Secret),
    /// A certificate, whose key signs an assertion for each token.
    Certificate(Arc<ClientCertificate>),
    /// A file with a token of another issuer, which is read anew for each token, because it is replaced.
    Federated(PathBuf),
}

impl Credential {
    /// The fields of a request for a token in which it stands. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Why there are none, without what is secret.
    pub(crate) fn fields(
        &self,
        (application, endpoint): (&str, &str),
        now: i64,
    ) -> Result<Vec<(&'static str, String)>, String> {
        let assertion = match self {
            Self::Secret(Secret(text)) => return Ok(vec![("client_secret", text.clone())]),
            Self::Certificate(certificate) => certificate
                .assertion(application, endpoint, now)
                .ok_or("the key of the certificate can't sign")?,
            Self::Federated(path) => {
                let shown = path.display();
                let mut text = String::new();
                std::fs::File::open(path)
                    .and_then(|file| file.take(LARGEST).read_to_string(&mut text))
                    .map_err(|error| format!("the federated token in {shown}: {error}"))?;
                let token = text.trim();
                if token.is_empty() {
                    return Err(format!("the federated token in {shown} is empty"));
                }
                token.to_owned()
            }
        };
        Ok(vec![
            ("client_assertion_type", ASSERTION_TYPE.to_owned()),
            ("client_assertion", assertion),
        ])
    }

    /// When it ends, in seconds since 1970, as far as that can be known.
    pub fn ends(&self) -> Option<i64> {
        match self {
            Self::Certificate(certificate) => Some(certificate.certificate().not_after),
            Self::Secret(_) | Self::Federated(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hush\r\n");
        assert_eq!(secret.as_bytes(), b"hush");
        let credential = Credential::Secret(secret);
        assert_eq!(format!("{credential:?}"), "Secret(Secret)");
        let fields = credential.fields(("app", "https://x"), 0);
        assert_eq!(fields, Ok(vec![("client_secret", "hush".to_owned())]));
    }

    #[test]
    fn a_federated_token_is_read_each_time_and_named_where_it_is_missing() {
        let path = std::env::temp_dir().join(format!("callvault-token-{}", std::process::id()));
        let credential = Credential::Federated(path.clone());
        let missing = credential.fields(("app", "https://x"), 0);
        assert!(missing.is_err_and(|why| why.contains("callvault-token")));
        for text in ["one\n", "two"] {
            std::fs::write(&path, text).expect("written");
            let fields = credential.fields(("app", "https://x"), 0).expect("read");
            assert_eq!(fields[1], ("client_assertion", text.trim().to_owned()));
        }
        drop(std::fs::remove_file(path));
    }
}
