//! The settings as they are written, with their defaults.
//!
//! One struct for each table of the file. Meanings stand in `docs/callvault.example.toml`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Typed {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) store: Option<String>,
    pub(super) server: Server,
    pub(super) graph: Graph,
    pub(super) auth: Auth,
    pub(super) records: Records,
    pub(super) notifications: Notifications,
    pub(super) calls: Calls,
    pub(super) limits: Limits,
    pub(super) log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: SocketAddr,
    pub(super) admin_listen: String,
    pub(super) public_url: Option<String>,
    pub(super) allow_plain_http: bool,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) workers: Option<usize>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            admin_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)).to_string(),
            public_url: None,
            allow_plain_http: false,
            tls_cert: None,
            tls_key: None,
            workers: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Graph {
    pub(super) legacy_identities: LegacyIdentities,
    pub(super) retention_view: RetentionView,
    pub(super) strict: Strict,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LegacyIdentities {
    #[default]
    On,
    Null,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum RetentionView {
    #[serde(rename = "30d")]
    ThirtyDays,
    #[default]
    #[serde(rename = "all")]
    All,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Strict {
    On,
    #[default]
    Off,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Auth {
    pub(super) recheck: Option<Time>,
    pub(super) issuers: Vec<Issuer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issuer {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) discovery: Option<String>,
    pub(super) jwks_uri: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) roles_claim: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Records {
    pub(super) retention: Retention,
}

/// `notifications.*`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Notifications {
    pub(super) allow_insecure_urls: bool,
    pub(super) allow_networks: Words,
    pub(super) subscriptions_per_tenant: u64,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            allow_insecure_urls: false,
            allow_networks: Words::Several(Vec::new()),
            subscriptions_per_tenant: 100,
        }
    }
}

/// `calls.*`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Calls {
    pub(super) grace: Time,
    pub(super) abandoned_after: Time,
}

impl Default for Calls {
    fn default() -> Self {
        Self { grace: Time::Seconds(60), abandoned_after: Time::Seconds(24 * 3600) }
    }
}

/// A length of time.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number of seconds, or one with s, m, h or d behind it")]
pub(super) enum Time {
    Seconds(u64),
    Text(String),
}

/// Words: a list, or text with commas between, as the environment has it.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a list, or text with commas between")]
pub(super) enum Words {
    Several(Vec<String>),
    Joined(String),
}

impl Words {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let (several, joined) = match self {
            Self::Several(words) => (words.as_slice(), ""),
            Self::Joined(text) => (&[][..], text.as_str()),
        };
        let joined = joined.split(',').filter(|word| !word.trim().is_empty());
        several.iter().map(String::as_str).chain(joined)
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected \"forever\" or a number of days")]
pub(super) enum Retention {
    Days(u32),
    Word(String),
}

impl Default for Retention {
    fn default() -> Self {
        Self::Word("forever".to_owned())
    }
}

/// `limits.*`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    connections: usize,
    connections_per_address: usize,
    rate: Rate,
    url_bytes: usize,
    header_bytes: usize,
    memory: u64,
    ingest_bytes_in_flight: Option<u64>,
    rejections: usize,
    header_seconds: u64,
    body_idle_seconds: u64,
    body_seconds: u64,
    body_bytes_per_second: u64,
    idle_seconds: u64,
    answer_bytes_per_second: u64,
    drain_seconds: u64,
    filter_bytes: usize,
    expression_nodes: usize,
    expression_depth: usize,
    lambda_depth: usize,
    literal_bytes: usize,
    in_items: usize,
    orderby_keys: usize,
    select_items: usize,
    expand_depth: usize,
    expand_items: usize,
    search_words: usize,
    apply_steps: usize,
    top: u64,
    rows_scanned: u64,
    groups: usize,
    query_milliseconds: u64,
    query_steps: u64,
    query_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let server = web::Limits::default();
        let graph::QuerySettings { language, cost } = graph::QuerySettings::default();
        Self {
            connections: server.connections,
            connections_per_address: server.connections_per_address,
            rate: Rate::Named(NamedRate::Off),
            url_bytes: server.url,
            header_bytes: server.headers,
            memory: web::MEMORY,
            ingest_bytes_in_flight: None,
            rejections: server.rejections,
            header_seconds: server.head.as_secs(),
            body_idle_seconds: server.body_idle.as_secs(),
            body_seconds: server.body.as_secs(),
            body_bytes_per_second: server.body_rate,
            idle_seconds: server.idle.as_secs(),
            answer_bytes_per_second: server.answer_rate,
            drain_seconds: server.drain.as_secs(),
            filter_bytes: language.filter,
            expression_nodes: language.nodes,
            expression_depth: language.depth,
            lambda_depth: language.lambdas,
            literal_bytes: language.literal,
            in_items: language.in_list,
            orderby_keys: language.orderby,
            select_items: language.select_items,
            expand_depth: language.expand_depth,
            expand_items: language.expand_items,
            search_words: language.search_words,
            apply_steps: language.apply_steps,
            top: language.top,
            rows_scanned: cost.rows_scanned,
            groups: cost.groups,
            query_milliseconds: cost.time.as_millis() as u64,
            query_steps: cost.steps,
            query_bytes: cost.bytes,
        }
    }
}

impl Limits {
    /// As the server takes them.
    pub(crate) fn of_server(self) -> web::Limits {
        let memory = web::Memory::of(self.memory);
        web::Limits {
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            url: self.url_bytes,
            headers: self.header_bytes,
            ingest_in_flight: self.ingest_bytes_in_flight.unwrap_or(memory.ingest),
            question_memory: memory.questions,
            answers_in_flight: memory.answers,
            rejections: self.rejections,
            rates: self.rate.of_server(),
            head: Duration::from_secs(self.header_seconds),
            body_idle: Duration::from_secs(self.body_idle_seconds),
            body: Duration::from_secs(self.body_seconds),
            body_rate: self.body_bytes_per_second,
            idle: Duration::from_secs(self.idle_seconds),
            answer_rate: self.answer_bytes_per_second,
            drain: Duration::from_secs(self.drain_seconds),
            ..web::Limits::default()
        }
    }

    /// What queries may ask, and what they may cost.
    pub(crate) fn of_queries(self) -> graph::QuerySettings {
        let language = odata::Limits {
            url: self.url_bytes,
            filter: self.filter_bytes,
            nodes: self.expression_nodes,
            depth: self.expression_depth,
            lambdas: self.lambda_depth,
            literal: self.literal_bytes,
            in_list: self.in_items,
            orderby: self.orderby_keys,
            select_items: self.select_items,
            expand_depth: self.expand_depth,
            expand_items: self.expand_items,
            search_words: self.search_words,
            apply_steps: self.apply_steps,
            top: self.top,
        };
        let cost = graph::QueryLimits {
            rows_scanned: self.rows_scanned,
            groups: self.groups,
            time: Duration::from_millis(self.query_milliseconds),
            steps: self.query_steps,
            bytes: self.query_bytes,
        };
        graph::QuerySettings { language, cost }
    }
}

/// `limits.rate`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"off\", \"graph\", or limits such as { record = \"10/20s\" }"
)]
enum Rate {
    Named(NamedRate),
    Own(OwnRate),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NamedRate {
    Off,
    Graph,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnRate {
    everywhere: Option<Allowance>,
    tenant: Option<Allowance>,
    application: Option<Allowance>,
    record: Option<Allowance>,
    following: Option<Allowance>,
}

/// Requests and a time: `10/20s`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Allowance(web::Allowance);

impl TryFrom<String> for Allowance {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (count, within) = text.split_once('/')?;
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            let within = super::parse_time(within.trim())?;
            (!within.is_zero()).then_some(Self(web::Allowance { count, within }))
        };
        read()
            .ok_or_else(|| format!("'{text}' is no number of requests within a time, as 10/20s is"))
    }
}

impl Rate {
    fn of_server(self) -> Option<web::Rates> {
        let own = match self {
            Self::Named(NamedRate::Off) => return None,
            Self::Named(NamedRate::Graph) => return Some(graph::GRAPH_RATES),
            Self::Own(own) => own,
        };
        let plain = |allowance: Option<Allowance>| allowance.map(|Allowance(plain)| plain);
        Some(web::Rates {
            everywhere: plain(own.everywhere),
            tenant: plain(own.tenant),
            application: plain(own.application),
            record: plain(own.record),
            following: plain(own.following),
        })
    }
}

/// `log.*`
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: Level,
}

/// How a line of the log is written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object on each line.
    Json,
}

/// How much is logged.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// What failed.
    Error,
    /// Also what needs attention.
    Warn,
    /// Also what was done.
    #[default]
    Info,
    /// Also how.
    Debug,
    /// Everything.
    Trace,
}
