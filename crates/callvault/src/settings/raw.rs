//! The settings as written, with their defaults, before they are checked.
//!
//! One struct per table of the file. `docs/callvault.example.toml` explains the keys.

use std::path::PathBuf;

use serde::Deserialize;

use super::limits::Limits;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSettings {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) store: Option<String>,
    pub(super) server: Server,
    pub(super) graph: Graph,
    pub(super) auth: Auth,
    pub(super) records: Records,
    pub(super) notifications: Notifications,
    pub(super) calls: Calls,
    pub(super) places: Vec<Places>,
    pub(super) quality: Quality,
    pub(super) ui: Ui,
    pub(super) columns: Columns,
    pub(super) mirror: Vec<Mirror>,
    pub(super) limits: Limits,
    pub(super) log: Log,
}

/// `server.*`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: String,
    pub(super) admin_listen: String,
    pub(super) public_url: Option<String>,
    pub(super) cors_origins: Vec<String>,
    pub(super) allow_plain_http: bool,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) workers: Option<usize>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            admin_listen: "127.0.0.1:8081".to_owned(),
            public_url: None,
            cors_origins: Vec::new(),
            allow_plain_http: false,
            tls_cert: None,
            tls_key: None,
            workers: None,
        }
    }
}

/// `graph.*`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Graph {
    pub(super) legacy_identities: LegacyIdentities,
    pub(super) retention_view: RetentionView,
    pub(super) strict: Strict,
}

/// `graph.legacy_identities`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LegacyIdentities {
    #[default]
    On,
    Null,
}

/// `graph.retention_view`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum RetentionView {
    #[serde(rename = "30d")]
    ThirtyDays,
    #[default]
    #[serde(rename = "all")]
    All,
}

/// `graph.strict`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Strict {
    On,
    #[default]
    Off,
}

/// `ui.*`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ui {
    pub(super) enabled: Enabled,
    pub(super) keep_accesses: Option<Retention>,
}

/// `columns.*`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Columns {
    pub(super) enabled: Enabled,
}

/// `ui.enabled`, `columns.enabled`
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Enabled {
    #[default]
    On,
    Off,
}

/// `auth.*`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Auth {
    pub(super) recheck: Option<Time>,
    pub(super) issuers: Vec<Issuer>,
}

/// `auth.issuers`
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

/// `records.*`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Records {
    pub(super) retention: Retention,
    pub(super) keep_changes: Option<Retention>,
}

/// `notifications.*`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Notifications {
    pub(super) allow_insecure_urls: bool,
    pub(super) allow_networks: TextList,
    pub(super) subscriptions_per_tenant: u64,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            allow_insecure_urls: false,
            allow_networks: TextList::Items(Vec::new()),
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

/// `places`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Places {
    pub(super) tenant: String,
    pub(super) name: String,
    pub(super) version: i64,
    pub(super) file: PathBuf,
    pub(super) kind: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

/// `mirror`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mirror {
    pub(super) name: String,
    pub(super) tenant: String,
    pub(super) application: String,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) secret_env: Option<String>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) federated_token_file: Option<PathBuf>,
    pub(super) notifications: Option<bool>,
    pub(super) notification_url: Option<String>,
    pub(super) cloud: Option<String>,
    pub(super) source: Option<String>,
    pub(super) authority: Option<String>,
    pub(super) rate: Option<mirror::Rate>,
    pub(super) backfill_days: Option<i64>,
}

/// `quality.*`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Quality {
    pub(super) profiles: Vec<PathBuf>,
}

/// A length of time.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number of seconds, or a number with the unit s, m, h or d"
)]
pub(super) enum Time {
    Seconds(u64),
    Text(String),
}

/// A list of texts, or one text with commas, as in the environment.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a list, or text separated by commas")]
pub(super) enum TextList {
    Items(Vec<String>),
    Joined(String),
}

impl TextList {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let (items, joined) = match self {
            Self::Items(items) => (items.as_slice(), ""),
            Self::Joined(text) => (&[][..], text.as_str()),
        };
        let joined = joined.split(',').filter(|item| !item.trim().is_empty());
        items.iter().map(String::as_str).chain(joined)
    }
}

/// `records.retention`, `records.keep_changes`
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

/// `log.*`
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: Level,
}

/// Format of log lines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text for reading.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Which events are logged; each level includes the ones before.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Failures.
    Error,
    /// What needs attention.
    Warn,
    /// What was done.
    #[default]
    Info,
    /// Details.
    Debug,
    /// Everything.
    Trace,
}
