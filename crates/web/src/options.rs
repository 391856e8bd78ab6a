//! What a server is told when it starts.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use identity::{Issuer, KeyError, TrustedIssuers};
use store::Store;

use crate::cors::Cors;
use crate::limits::Limits;

/// Makes the built-in issuer, once the public URL is known.
pub type MakeIssuer = Arc<dyn Fn(&str) -> Result<Issuer, KeyError> + Send + Sync>;

/// Appends metrics of the application's own to the text that Prometheus reads.
pub type Metrics = Arc<dyn Fn(&mut String) -> fmt::Result + Send + Sync>;

/// Everything that a server needs beside its application.
#[derive(Clone)]
pub struct Options {
    /// Where the application's addresses are, as asked for.
    pub listen: SocketAddr,
    /// TLS, or plain HTTP.
    pub tls: Option<TlsFiles>,
    /// What links and the issuer begin with; by default scheme and bound address.
    pub public_url: Option<String>,
    /// Whose scripts may read answers.
    pub cors: Cors,
    /// Worker threads; by default one for each core.
    pub threads: Option<usize>,
    /// Whether a 403 names the roles that are missing; Graph's own has an empty message.
    pub names_missing_roles: bool,
    /// Sizes, times and counts.
    pub limits: Limits,
    /// Where applications are registered, and of which each worker has a reader.
    pub store: Store,
    /// Issuers beside the built-in one, if there are any.
    pub trusted_issuers: Option<TrustedIssuers>,
    /// How often the store is asked whether an application of the built-in issuer is still there with
    /// its roles; never, if `None`: then a token counts until it expires.
    pub recheck: Option<Duration>,
    /// Makes the built-in one.
    pub issuer: MakeIssuer,
    /// Lines of the log that were lost, for the metrics.
    pub log_lines_dropped: Arc<AtomicU64>,
    /// Version of the program, for the metrics.
    pub version: &'static str,
    /// What routes are called in metrics and in the access log; the first is that of none.
    pub labels: &'static [&'static str],
    /// Metrics of the application's own, behind those of the server.
    pub metrics: Metrics,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("tls", &self.tls)
            .field("public_url", &self.public_url)
            .field("threads", &self.threads)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// PEM files.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, then those that it hangs on.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}
