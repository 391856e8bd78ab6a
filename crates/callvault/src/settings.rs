//! The settings: merged from the file, the environment and the flags, and checked.
//!
//! The same keys can be set in three places, and the later one wins: `callvault.toml`, then the
//! environment (`server.public_url` is `CALLVAULT_SERVER__PUBLIC_URL`), then flags. An unknown key is an
//! error in each of them, since a misspelt key would silently have no effect.

mod layers;
mod limits;
mod mirrors;
mod raw;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

pub(crate) use layers::Layers;
pub(crate) use limits::Limits;
pub(crate) use mirrors::{CredentialPlace, MirrorEntry};
use model::TenantId;
use places::Kind;
use raw::{Enabled, LegacyIdentities, RawSettings, Retention, RetentionView, Strict, Time};
pub(crate) use raw::{Level, LogFormat};
use store::Place;

/// Name of the folder that has the store, in the working directory, if nothing else is set.
pub(crate) const DATA_DIR: &str = "callvault-data";
/// Name of the file of a store in its data folder.
pub(crate) const STORE_FILE: &str = "callvault.db";
/// Days for which the access log is kept, if nothing else is set.
const ACCESSES_ARE_KEPT: u32 = 400;
/// The longest duration, a year in seconds: a larger number is a mistake.
const MAX_TIME: u64 = 366 * 86_400;

/// All settings, checked, with defaults filled in.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Folder of the keys and, by default, of the store.
    pub(crate) data_dir: PathBuf,
    /// Where the store is.
    pub(crate) store: Place,
    pub(crate) server: Server,
    pub(crate) graph: Graph,
    /// Trusted identity providers, besides the built-in issuer.
    pub(crate) issuers: Vec<identity::IssuerConfig>,
    /// How often applications of the built-in issuer are rechecked; `None` is never.
    pub(crate) recheck: Option<Duration>,
    /// Days after the end of a call that its records are kept; `None` is forever.
    pub(crate) retention_days: Option<u32>,
    /// Days for which the change log tells of what is gone; `None` is forever.
    pub(crate) changes_days: Option<u32>,
    pub(crate) notifications: Notifications,
    pub(crate) calls: Calls,
    /// Maps of places that are imported at the start.
    pub(crate) places: Vec<MapFile>,
    /// Files with profiles that are imported at start.
    pub(crate) profiles: Vec<PathBuf>,
    /// Whether there are pages for people.
    pub(crate) has_pages: bool,
    /// Days for which the access log is kept; `None` is forever.
    pub(crate) accesses_days: Option<u32>,
    /// Whether blocks of columns are made, and answer questions.
    pub(crate) has_columns: bool,
    /// Mirrors that the settings set up.
    pub(crate) mirrors: Vec<MirrorEntry>,
    pub(crate) limits: Limits,
    pub(crate) log: raw::Log,
}

/// `server.*`
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) public_url: Option<String>,
    /// Whose scripts may read answers.
    pub(crate) cors: web::Cors,
    pub(crate) allow_plain_http: bool,
    pub(crate) tls: Option<Tls>,
    /// Number of worker threads; `None` is the default.
    pub(crate) workers: Option<usize>,
}

/// PEM files.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// `notifications.*`
#[derive(Debug)]
pub(crate) struct Notifications {
    /// Which addresses notifications may reach.
    pub(crate) guard: notify::Guard,
    /// Whether notifications may use plain HTTP.
    pub(crate) allows_plain: bool,
    /// Maximum number of live subscriptions per tenant.
    pub(crate) quota: u64,
}

/// `calls.*`
#[derive(Debug)]
pub(crate) struct Calls {
    /// Wait for further events after all calls of a chain have ended.
    pub(crate) grace: Duration,
    /// Wait after the last event of a chain without an end.
    pub(crate) abandoned_after: Duration,
}

/// `places`
#[derive(Debug)]
pub(crate) struct MapFile {
    pub(crate) tenant: TenantId,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) file: PathBuf,
    pub(crate) kind: Option<Kind>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// `graph.*`
#[derive(Debug)]
pub(crate) struct Graph {
    /// Whether the deprecated identities are returned.
    pub(crate) legacy_identities: bool,
    /// Days after their start that records are visible; `None` is always.
    pub(crate) retention_view_days: Option<u32>,
    /// Whether requests that Graph itself does not answer are rejected.
    pub(crate) is_strict: bool,
}

impl Settings {
    /// Checks the merged layers.
    ///
    /// # Errors
    /// When a value is missing or wrong.
    pub(crate) fn resolve(layers: &Layers) -> Result<Self> {
        let raw: RawSettings = layers.raw()?;
        let data_dir = raw.data_dir.unwrap_or_else(|| DATA_DIR.into());
        let store = match &raw.store {
            Some(url) => place(url)?,
            None => Place::File(data_dir.join(STORE_FILE)),
        };
        let server = server(raw.server)?;
        let issuers = raw.auth.issuers.into_iter().map(issuer).collect::<Result<_>>()?;
        Ok(Self {
            data_dir,
            store,
            server,
            graph: Graph {
                legacy_identities: raw.graph.legacy_identities == LegacyIdentities::On,
                retention_view_days: match raw.graph.retention_view {
                    RetentionView::ThirtyDays => Some(30),
                    RetentionView::All => None,
                },
                is_strict: raw.graph.strict == Strict::On,
            },
            issuers,
            recheck: recheck(raw.auth.recheck.as_ref())?,
            retention_days: retention("records.retention", &raw.records.retention)?,
            changes_days: match &raw.records.keep_changes {
                Some(kept) => retention("records.keep_changes", kept)?,
                None => Some(CHANGES_ARE_KEPT),
            },
            notifications: notifications(&raw.notifications)?,
            calls: Calls {
                grace: time("calls.grace", &raw.calls.grace)?,
                abandoned_after: time("calls.abandoned_after", &raw.calls.abandoned_after)?,
            },
            places: raw.places.into_iter().map(map_file).collect::<Result<_>>()?,
            profiles: raw.quality.profiles,
            has_pages: raw.ui.enabled == Enabled::On,
            has_columns: raw.columns.enabled == Enabled::On,
            accesses_days: match &raw.ui.keep_accesses {
                Some(kept) => retention("ui.keep_accesses", kept)?,
                None => Some(ACCESSES_ARE_KEPT),
            },
            mirrors: raw.mirror.into_iter().map(mirrors::entry).collect::<Result<_>>()?,
            limits: raw.limits,
            log: raw.log,
        })
    }

    /// Path of the master key.
    pub(crate) fn master_key_path(&self) -> PathBuf {
        self.data_dir.join("keys").join("master")
    }
}

fn place(url: &str) -> Result<Place> {
    Place::parse(url).with_context(|| {
        // What stands before an at-sign may have a password.
        let shown = match url.rsplit_once('@') {
            Some((_, host)) => format!("…@{host}"),
            None => url.to_owned(),
        };
        format!(
            "store: expected sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME, and not '{shown}'"
        )
    })
}

fn server(raw: raw::Server) -> Result<Server> {
    let listen = address(&raw.listen).context("server.listen")?;
    let admin_listen = match raw.admin_listen.as_str() {
        "off" => None,
        text => Some(address(text).context("server.admin_listen")?),
    };
    let tls = match (raw.tls_cert, raw.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (None, None) => None,
        _ => bail!("server.tls_cert and server.tls_key must be set together"),
    };
    let public_url = raw.public_url.map(|url| url.trim_end_matches('/').to_owned());
    if let Some(url) = &public_url {
        ensure!(
            url.starts_with("https://") || url.starts_with("http://"),
            "server.public_url: '{url}' does not begin with https:// or http://"
        );
    }
    ensure!(raw.workers != Some(0), "server.workers: expected at least 1");
    let cors = web::Cors::new(raw.cors_origins).map_err(|origin| {
        anyhow!("server.cors_origins: '{origin}' is no origin such as https://app.contoso.com")
    })?;
    Ok(Server {
        listen,
        admin_listen,
        public_url,
        cors,
        allow_plain_http: raw.allow_plain_http,
        tls,
        workers: raw.workers,
    })
}

fn issuer(raw: raw::Issuer) -> Result<identity::IssuerConfig> {
    ensure!(!raw.audiences.is_empty(), "auth.issuers: {} needs at least one audience", raw.issuer);
    let tenant = match raw.tenant {
        None => None,
        Some(text) => Some(identity::normalize_tenant(&text).with_context(|| {
            format!("auth.issuers: the tenant '{text}' of {} is not a GUID", raw.issuer)
        })?),
    };
    Ok(identity::IssuerConfig {
        issuer: raw.issuer,
        audiences: raw.audiences,
        discovery: raw.discovery,
        jwks_uri: raw.jwks_uri,
        tenant,
        roles_claim: raw.roles_claim,
    })
}

fn map_file(raw: raw::Places) -> Result<MapFile> {
    let raw::Places { tenant, name, version, file, kind, from, to } = raw;
    ensure!(places::is_name(&name), "places: '{name}' is no name of a map");
    ensure!(version > 0, "places: {name}: versions begin at 1");
    let tenant = TenantId::parse(&tenant)
        .with_context(|| format!("places: {name}: the tenant '{tenant}' is not a GUID"))?;
    let kind = kind.map(|kind| {
        let expected = "expected building, endpoint, bssid or asn";
        Kind::parse(&kind).with_context(|| format!("places: {name}: kind: {expected}"))
    });
    Ok(MapFile { tenant, name, version, file, kind: kind.transpose()?, from, to })
}

fn notifications(raw: &raw::Notifications) -> Result<Notifications> {
    Ok(Notifications {
        guard: notify::Guard::allowing(raw.allow_networks.iter())
            .context("notifications.allow_networks")?,
        allows_plain: raw.allow_insecure_urls,
        quota: raw.subscriptions_per_tenant,
    })
}

/// Parses an address to listen on. `localhost` stands for 127.0.0.1.
///
/// # Errors
/// When it is no address with a port.
pub(crate) fn address(text: &str) -> Result<SocketAddr> {
    let port = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let local = port.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    local.or_else(|| text.parse().ok()).with_context(|| {
        format!("'{text}' is not ADDR:PORT, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080")
    })
}

/// Parses a duration such as `90`, `90s`, `15m`, `24h` or `7d`.
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
    number.checked_mul(unit).filter(|seconds| *seconds <= MAX_TIME).map(Duration::from_secs)
}

fn time(key: &str, raw: &Time) -> Result<Duration> {
    let read = match raw {
        Time::Seconds(seconds) if *seconds <= MAX_TIME => Some(Duration::from_secs(*seconds)),
        Time::Seconds(_) => None,
        Time::Text(text) => parse_time(text),
    };
    read.with_context(|| {
        format!("{key}: expected a number of seconds, or a number with the unit s, m, h or d")
    })
}

fn recheck(raw: Option<&Time>) -> Result<Option<Duration>> {
    match raw {
        None => Ok(None),
        Some(Time::Text(word)) if word == "off" => Ok(None),
        Some(raw) => {
            let interval = time("auth.recheck", raw)?;
            ensure!(!interval.is_zero(), "auth.recheck: expected \"off\", or at least one second");
            Ok(Some(interval))
        }
    }
}

/// Days for which the change log tells of what is gone, unless the settings say otherwise.
const CHANGES_ARE_KEPT: u32 = 30;

fn retention(key: &str, raw: &Retention) -> Result<Option<u32>> {
    match raw {
        Retention::Days(days) if *days > 0 => Ok(Some(*days)),
        Retention::Word(word) if word == "forever" => Ok(None),
        _ => bail!("{key}: expected \"forever\" or a number of days"),
    }
}

/// The settings file to read: the named one, or the default one if it exists.
pub(crate) fn file_to_read(named: Option<&Path>) -> Option<PathBuf> {
    let default = Path::new("callvault.toml");
    named.map(Path::to_owned).or_else(|| default.exists().then(|| default.to_owned()))
}

#[cfg(test)]
mod tests;
