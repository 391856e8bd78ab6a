//! What a server is told when it starts.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use emulator::Emulator;
use identity::TrustedIssuers;
use mirror::Mirrors;
use store::Store;
use web::{Cors, Limits, MakeIssuer, TlsFiles};

use crate::query_limits::QueryLimits;

/// Everything that a server needs.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where Graph's API listens, as asked for.
    pub listen: SocketAddr,
    /// TLS, or plain HTTP.
    pub tls: Option<TlsFiles>,
    /// What links, contexts and the issuer begin with; by default scheme and bound address.
    pub public_url: Option<String>,
    /// Whose scripts may read answers.
    pub cors: Cors,
    /// Worker threads; by default one for each core.
    pub threads: Option<usize>,
    /// Sizes, times and counts.
    pub limits: Limits,
    /// How Graph's resources answer.
    pub graph: GraphSettings,
    /// What queries may read, and what they may cost.
    pub query: QuerySettings,
    /// How subscribers are notified.
    pub notifications: Notifications,
    /// What the mirrors of this process share: where they are notified, and what is counted of them.
    pub mirrors: Arc<Mirrors>,
    /// Where the records are.
    pub store: Store,
    /// Keys that seal page tokens, with their numbers; the first seals, all open. At least one.
    pub page_token_keys: Vec<(u16, [u8; 32])>,
    /// Issuers beside the built-in one, if there are any.
    pub trusted_issuers: Option<TrustedIssuers>,
    /// How often the store is asked whether an application of the built-in issuer is still there with
    /// its roles; never, if `None`: then a token counts until it expires.
    pub recheck: Option<Duration>,
    /// Makes the built-in one.
    pub issuer: MakeIssuer,
    /// Has the server misbehave on demand, and adds the addresses by which it is told how.
    pub emulator: Option<Arc<Emulator>>,
    /// Lines of the log that were lost, for the metrics.
    pub log_lines_dropped: Arc<AtomicU64>,
    /// Version of the program, for the metrics.
    pub version: &'static str,
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("listen", &self.listen)
            .field("tls", &self.tls)
            .field("public_url", &self.public_url)
            .field("threads", &self.threads)
            .field("limits", &self.limits)
            .field("graph", &self.graph)
            .finish_non_exhaustive()
    }
}

/// How subscribers are notified.
#[derive(Debug, Clone)]
pub struct Notifications {
    /// The ways to receivers, which also ask an address whether it wants notifications.
    pub transports: Arc<notify::Transports>,
    /// Seals what a subscription keeps secret.
    pub vault: notify::Vault,
    /// What a subscription may ask for.
    pub rules: notify::Rules,
    /// What the dispatcher counts, for the metrics.
    pub counters: Arc<notify::Counters>,
}

/// How Graph's resources answer.
#[derive(Debug, Clone, Copy)]
pub struct GraphSettings {
    /// Serve the deprecated members `organizer` and `participants`; else they are null.
    pub legacy_identities: bool,
    /// Show only records whose call began within so many days, as Graph does; `None`: all.
    pub retention_view: Option<u32>,
    /// Refuse what Graph itself does not answer.
    pub is_strict: bool,
}

/// What queries may read, and what they may cost.
#[derive(Debug, Clone)]
pub struct QuerySettings {
    /// How much of the language one request may use.
    pub language: odata::Limits,
    /// How much answering it may take.
    pub cost: QueryLimits,
}

impl Default for QuerySettings {
    fn default() -> Self {
        let functions = quality::function::shipped();
        let language = odata::Limits { functions, ..odata::Limits::default() };
        Self { language, cost: QueryLimits::default() }
    }
}

impl Default for GraphSettings {
    fn default() -> Self {
        Self { legacy_identities: true, retention_view: None, is_strict: false }
    }
}
