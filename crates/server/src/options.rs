//! What a server is told when it starts.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use emulator::Emulator;
use identity::{ConfigError, Issuer, KeyError, TrustedIssuers};
use store::Store;

use crate::graph::QueryLimits;
use crate::throttle::Rates;

/// Makes the built-in issuer, once the public URL is known.
pub type MakeIssuer = Arc<dyn Fn(&str) -> Result<Issuer, KeyError> + Send + Sync>;

/// Everything that a server needs.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where Graph's API listens; port 0 takes any free port.
    pub listen: SocketAddr,
    /// Where health and metrics listen, if anywhere.
    pub admin_listen: Option<SocketAddr>,
    /// TLS, or plain HTTP.
    pub tls: Option<TlsFiles>,
    /// What links, contexts and the issuer begin with; by default scheme and bound address.
    pub public_url: Option<String>,
    /// Plain HTTP also beyond loopback.
    pub allow_plain_http: bool,
    /// Worker threads; by default one for each core.
    pub threads: Option<usize>,
    /// Sizes, times and counts.
    pub limits: Limits,
    /// How Graph's resources answer.
    pub graph: GraphSettings,
    /// What queries may ask, and what they may cost.
    pub query: QuerySettings,
    /// Who may be told of records, and how.
    pub notifications: Notifications,
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
            .field("admin_listen", &self.admin_listen)
            .field("tls", &self.tls)
            .field("public_url", &self.public_url)
            .field("threads", &self.threads)
            .field("limits", &self.limits)
            .field("graph", &self.graph)
            .finish_non_exhaustive()
    }
}

/// Who may be told of records, and how.
#[derive(Debug, Clone)]
pub struct Notifications {
    /// Ask addresses whether they want to be told.
    pub transports: Arc<notify::Transports>,
    /// Seals what a subscription keeps secret.
    pub vault: notify::Vault,
    /// What a subscription may ask for.
    pub rules: notify::Rules,
    /// What the dispatcher counts, for the metrics.
    pub counters: Arc<notify::Counters>,
}

/// PEM files.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, then those that it hangs on.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
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

/// What queries may ask, and what they may cost.
#[derive(Debug, Clone, Default)]
pub struct QuerySettings {
    /// How much of the language one request may use.
    pub language: odata::Limits,
    /// How much answering it may take.
    pub cost: QueryLimits,
}

impl Default for GraphSettings {
    fn default() -> Self {
        Self { legacy_identities: true, retention_view: None, is_strict: false }
    }
}

/// Bytes that are shared out to what grows with what clients ask and send, by default.
pub const MEMORY: u64 = 448 << 20;

/// How memory is shared out: fixed parts of one sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of the values and items that all questions together may hold.
    pub questions: usize,
    /// Bytes of records that may be on their way in.
    pub ingest: u64,
    /// Bytes of answers that may be in flight.
    pub answers: u64,
}

impl Memory {
    /// Shares out so many bytes.
    pub fn of(all: u64) -> Self {
        let part = |of_default: u64| (all / 448).saturating_mul(of_default);
        let questions = usize::try_from(part(96)).unwrap_or(usize::MAX);
        Self { questions, ingest: part(160), answers: part(64) }
    }
}

/// Sizes in bytes, times, and counts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections over all threads. Further ones take the places of those that showed no valid token
    /// and keep us waiting; if there are none of these, they wait.
    pub connections: usize,
    /// Connections from one address (of IPv6: one network of 64 bits), in the same way; but further ones
    /// are closed.
    pub connections_per_address: usize,
    /// Bytes of path and query.
    pub url: usize,
    /// Bytes of all header lines. Their number is at most 100.
    pub headers: usize,
    /// Bytes of a body for the token endpoint.
    pub form: usize,
    /// Bytes of records that may be on their way in, over all threads.
    pub ingest_in_flight: u64,
    /// Bytes of the values and items that all questions together may hold.
    pub question_memory: usize,
    /// Bytes of answers that may be in flight, over all threads: made and not yet written.
    pub answers_in_flight: u64,
    /// Rejections in a row that end the reading of a body of many lines.
    pub rejections: usize,
    /// How often applications may ask; `None` is as often as they want.
    pub rates: Option<Rates>,
    /// For a request's head to arrive, and for the TLS handshake.
    pub head: Duration,
    /// Between two pieces of a body.
    pub body_idle: Duration,
    /// For a client to send a body, and longer by a second for each `body_rate` bytes that have come.
    /// Only the time counts in which the client is waited for.
    pub body: Duration,
    /// Bytes a second; 0: a large body has no more time than a small one.
    pub body_rate: u64,
    /// Between requests, and for a client to take what is sent.
    pub idle: Duration,
    /// Bytes a second that a client has to take of answers, once it has been waited for as long as between
    /// requests; 0 is none.
    pub answer_rate: u64,
    /// For requests in flight to end when the server shuts down.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let memory = Memory::of(MEMORY);
        Self {
            connections: 1_024,
            connections_per_address: 768,
            url: 8 << 10,
            headers: 16 << 10,
            form: 16 << 10,
            ingest_in_flight: memory.ingest,
            question_memory: memory.questions,
            answers_in_flight: memory.answers,
            rejections: 1_000,
            rates: None,
            head: Duration::from_secs(10),
            body_idle: Duration::from_secs(30),
            body: Duration::from_mins(1),
            body_rate: 16 << 10,
            idle: Duration::from_mins(1),
            answer_rate: 16 << 10,
            drain: Duration::from_secs(10),
        }
    }
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// As it was given.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Tokens would cross a network in clear.
    #[error("{0} is not a loopback address: give a certificate, or allow plain HTTP")]
    PlainHttp(SocketAddr),
    /// A PEM file can't be used.
    #[error("{}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The public URL is not one.
    #[error("the public URL '{0}' must begin with http:// or https:// and have no query")]
    PublicUrl(String),
    /// There is no key to seal page tokens with.
    #[error("no key for page tokens is given")]
    NoPageTokenKey,
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
