//! What the settings file, the environment and the flags come to.
//!
//! The same keys can be given in three places, and the later one wins: `callvault.toml`, then the
//! environment (`server.public_url` is `CALLVAULT_SERVER__PUBLIC_URL`), then flags. A key that
//! does not exist is an error wherever it stands, since a misspelt one would be silently without
//! effect.

mod layers;
mod typed;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

pub(crate) use layers::Layers;
use store::Place;
use typed::{LegacyIdentities, Retention, RetentionView, Strict, Time, Typed};
pub(crate) use typed::{Level, Limits, LogFormat};

const DATA_DIR: &str = "callvault-data";
const STORE_FILE: &str = "callvault.db";
/// A year, in seconds: whoever asks for more means something else.
const LONGEST_TIME: u64 = 366 * 86_400;

/// Everything that can be set, checked and with defaults filled in.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Folder of the keys and, unless said otherwise, the store.
    pub(crate) data_dir: PathBuf,
    /// Where the store is.
    pub(crate) store: Place,
    pub(crate) server: Server,
    pub(crate) graph: Graph,
    /// Trusted identity providers beside the built-in issuer.
    pub(crate) issuers: Vec<identity::IssuerConfig>,
    /// How often applications of the built-in issuer are looked at; `None` is never.
    pub(crate) recheck: Option<Duration>,
    /// Days after their end that records are kept; `None` is forever.
    pub(crate) retention_days: Option<u32>,
    pub(crate) notifications: Notifications,
    pub(crate) calls: Calls,
    pub(crate) limits: Limits,
    pub(crate) log: typed::Log,
}

/// `server.*`
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) public_url: Option<String>,
    pub(crate) allow_plain_http: bool,
    pub(crate) tls: Option<Tls>,
    /// Threads that serve; `None` is one for each core.
    pub(crate) workers: Option<usize>,
}

/// Files in PEM.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// `notifications.*`
#[derive(Debug)]
pub(crate) struct Notifications {
    /// Which addresses messages may go to.
    pub(crate) guard: notify::Guard,
    /// Whether they may go by plain HTTP.
    pub(crate) allows_plain: bool,
    /// Live subscriptions that a tenant may have.
    pub(crate) quota: u64,
}

/// `calls.*`
#[derive(Debug)]
pub(crate) struct Calls {
    /// How long more events are waited for when all calls of a chain have ended.
    pub(crate) grace: Duration,
    /// How long an end is waited for when nothing more is heard of a call.
    pub(crate) abandoned_after: Duration,
}

/// `graph.*`
#[derive(Debug)]
pub(crate) struct Graph {
    /// Whether the deprecated identities are shown.
    pub(crate) legacy_identities: bool,
    /// Days after their start that records are shown; `None` is all of them.
    pub(crate) retention_view_days: Option<u32>,
    /// Whether what Graph itself does not answer is refused.
    pub(crate) is_strict: bool,
}

impl Settings {
    /// Checks what the layers say.
    pub(crate) fn resolve(layers: &Layers) -> Result<Self> {
        let typed: Typed = layers.typed()?;
        let data_dir = typed.data_dir.unwrap_or_else(|| DATA_DIR.into());
        let store = match &typed.store {
            Some(url) => place(url)?,
            None => Place::File(data_dir.join(STORE_FILE)),
        };
        let server = server(typed.server)?;
        let issuers = typed.auth.issuers.into_iter().map(issuer).collect::<Result<_>>()?;
        Ok(Self {
            data_dir,
            store,
            server,
            graph: Graph {
                legacy_identities: typed.graph.legacy_identities == LegacyIdentities::On,
                retention_view_days: match typed.graph.retention_view {
                    RetentionView::ThirtyDays => Some(30),
                    RetentionView::All => None,
                },
                is_strict: typed.graph.strict == Strict::On,
            },
            issuers,
            recheck: recheck(typed.auth.recheck.as_ref())?,
            retention_days: retention(&typed.records.retention)?,
            notifications: notifications(&typed.notifications)?,
            calls: Calls {
                grace: time("calls.grace", &typed.calls.grace)?,
                abandoned_after: time("calls.abandoned_after", &typed.calls.abandoned_after)?,
            },
            limits: typed.limits,
            log: typed.log,
        })
    }

    /// Where the master key is.
    pub(crate) fn master_key_path(&self) -> PathBuf {
        self.data_dir.join("keys").join("master")
    }
}

fn place(url: &str) -> Result<Place> {
    // What is wrong is not repeated: it may hold a password.
    Place::parse(url).context("store: expected sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")
}

fn server(typed: typed::Server) -> Result<Server> {
    let admin_listen = match typed.admin_listen.as_str() {
        "off" => None,
        address => Some(
            address
                .parse()
                .with_context(|| format!("server.admin_listen: '{address}' is no ADDR:PORT"))?,
        ),
    };
    let tls = match (typed.tls_cert, typed.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (None, None) => None,
        _ => bail!("server.tls_cert and server.tls_key belong together"),
    };
    let public_url = typed.public_url.map(|url| url.trim_end_matches('/').to_owned());
    if let Some(url) = &public_url {
        ensure!(
            url.starts_with("https://") || url.starts_with("http://"),
            "server.public_url: '{url}' does not begin with https:// or http://"
        );
    }
    ensure!(typed.workers != Some(0), "server.workers: there must be at least one");
    Ok(Server {
        listen: typed.listen,
        admin_listen,
        public_url,
        allow_plain_http: typed.allow_plain_http,
        tls,
        workers: typed.workers,
    })
}

fn issuer(typed: typed::Issuer) -> Result<identity::IssuerConfig> {
    ensure!(
        !typed.audiences.is_empty(),
        "auth.issuers: {} needs at least one audience",
        typed.issuer
    );
    let tenant = match typed.tenant {
        None => None,
        Some(text) => Some(identity::normalize_tenant(&text).with_context(|| {
            format!("auth.issuers: the tenant '{text}' of {} is no GUID", typed.issuer)
        })?),
    };
    Ok(identity::IssuerConfig {
        issuer: typed.issuer,
        audiences: typed.audiences,
        discovery: typed.discovery,
        jwks_uri: typed.jwks_uri,
        tenant,
        roles_claim: typed.roles_claim,
    })
}

fn notifications(typed: &typed::Notifications) -> Result<Notifications> {
    Ok(Notifications {
        guard: notify::Guard::allowing(typed.allow_networks.iter())
            .context("notifications.allow_networks")?,
        allows_plain: typed.allow_insecure_urls,
        quota: typed.subscriptions_per_tenant,
    })
}

/// Reads a length of time such as `90`, `90s`, `15m`, `24h` or `7d`.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(unit).filter(|seconds| *seconds <= LONGEST_TIME).map(Duration::from_secs)
}

fn time(key: &str, typed: &Time) -> Result<Duration> {
    let read = match typed {
        Time::Seconds(seconds) if *seconds <= LONGEST_TIME => Some(Duration::from_secs(*seconds)),
        Time::Seconds(_) => None,
        Time::Text(text) => parse_time(text),
    };
    read.with_context(|| {
        format!("{key}: expected a number of seconds, or one with s, m, h or d behind it")
    })
}

fn recheck(typed: Option<&Time>) -> Result<Option<Duration>> {
    match typed {
        None => Ok(None),
        Some(Time::Text(word)) if word == "off" => Ok(None),
        Some(typed) => {
            let interval = time("auth.recheck", typed)?;
            ensure!(!interval.is_zero(), "auth.recheck: expected \"off\", or one second at least");
            Ok(Some(interval))
        }
    }
}

fn retention(typed: &Retention) -> Result<Option<u32>> {
    match typed {
        Retention::Days(days) if *days > 0 => Ok(Some(*days)),
        Retention::Word(word) if word == "forever" => Ok(None),
        _ => bail!("records.retention: expected \"forever\" or a number of days"),
    }
}

/// The settings file to read: the one that was named, or the usual one if it is there.
pub(crate) fn file_to_read(named: Option<&Path>) -> Option<PathBuf> {
    let usual = Path::new("callvault.toml");
    named.map(Path::to_owned).or_else(|| usual.exists().then(|| usual.to_owned()))
}

#[cfg(test)]
mod tests;
