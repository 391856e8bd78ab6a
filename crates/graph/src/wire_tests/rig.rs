//! A server on a free port, with an empty store and an issuer of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use identity::{Grant, Issuer, MasterKey, SigningKey};
use store::{Role, Store};
use web::{Limits, Listeners, Running};

use super::client::{Answer, Connection};
use crate::options::{GraphSettings, Notifications, QuerySettings, ServerOptions};
use crate::query_limits::QueryLimits;
use crate::start::start;
use crate::start_error::StartError;

pub(super) const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub(super) const APP: &str = "99999999-8888-4777-8666-555555555555";

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How long is waited for what must come.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// One key pair for all tests, since making one takes a while.
static KEYS: LazyLock<(MasterKey, SigningKey)> = LazyLock::new(|| {
    let master = MasterKey::from_text(&"5a".repeat(32)).unwrap();
    let key = SigningKey::generate(&master, 0).unwrap();
    (master, key)
});

/// An empty store in a folder of its own, which goes away with it.
#[derive(Debug)]
pub(super) struct Bare {
    pub(super) store: Store,
    pub(super) folder: PathBuf,
}

impl Bare {
    pub(super) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("callvault-{}", identity::random_guid()));
        std::fs::create_dir(&folder).unwrap();
        let mut options = store::Options::new(folder.join("callvault.db"), Role::Serve);
        options.statement_limit = PATIENCE;
        Self { store: Store::open(&options).unwrap(), folder }
    }

    /// What a server on it is told, at ports that are free, and with patience for slow clients.
    pub(super) fn options(&self) -> ServerOptions {
        ServerOptions {
            listen: ANY_PORT,
            tls: None,
            public_url: None,
            cors: web::Cors::default(),
            threads: Some(2),
            // Of these times no client of a test runs out, however slow the machine is.
            limits: Limits {
                head: PATIENCE,
                body_idle: PATIENCE,
                body: PATIENCE,
                idle: PATIENCE,
                drain: PATIENCE,
                ..Limits::default()
            },
            graph: GraphSettings::default(),
            query: QuerySettings {
                cost: QueryLimits { time: PATIENCE, ..QueryLimits::default() },
                ..QuerySettings::default()
            },
            notifications: Notifications {
                transports: std::sync::Arc::new(
                    notify::Transports::new(notify::Guard::default(), false).unwrap(),
                ),
                vault: notify::Vault {
                    seal: Arc::new(|_, plain| plain.to_vec()),
                    open: Arc::new(|_, sealed| Some(sealed.to_vec())),
                },
                rules: notify::Rules { quota: 100, limits: odata::Limits::default() },
                counters: Arc::default(),
            },
            store: self.store.clone(),
            page_token_keys: vec![(1, [7; 32])],
            trusted_issuers: None,
            recheck: None,
            mirrors: Arc::default(),
            emulator: None,
            issuer: Arc::new(|url| {
                let (master, key) = &*KEYS;
                Issuer::new(Some(url), master, std::slice::from_ref(key))
            }),
            log_lines_dropped: Arc::default(),
            version: "0.0.0",
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug)]
pub(super) struct Rig {
    /// `None` once it was shut down.
    pub(super) running: Option<Running>,
    pub(super) address: SocketAddr,
    pub(super) store: Store,
    /// Below the server, which goes first.
    _bare: Bare,
}

impl Rig {
    pub(super) fn start() -> Self {
        Self::with(|_| ())
    }

    /// A server with some options changed.
    pub(super) fn with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        Self::try_with(change).unwrap()
    }

    /// The same, where it may fail to start.
    pub(super) fn try_with(change: impl FnOnce(&mut ServerOptions)) -> Result<Self, StartError> {
        let bare = Bare::new();
        let mut options = bare.options();
        change(&mut options);
        let listeners = Listeners::bind(options.listen, Some(ANY_PORT), true)?;
        let running = start(options, listeners, None)?;
        let address = running.address;
        Ok(Self { running: Some(running), address, store: bare.store.clone(), _bare: bare })
    }

    pub(super) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// One request on a connection of its own.
    pub(super) fn ask(&self, method: &str, target: &str, headers: &[&str]) -> Answer {
        self.connect().ask(method, target, headers)
    }

    /// The header line of a token with the roles.
    pub(super) fn bearer(&self, roles: &[&str]) -> String {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let grant = Grant { tenant: TENANT, app_id: APP, roles: &roles, ttl: 3_600 };
        let issuer = &self.running.as_ref().unwrap().issuer;
        format!("Authorization: Bearer {}", issuer.issue(&grant, web::unix_seconds()).unwrap())
    }

    pub(super) fn metrics(&self) -> String {
        let admin = self.running.as_ref().unwrap().admin_address.unwrap();
        Connection::open(admin).ask("GET", "/metrics", &[]).text().to_owned()
    }

    /// Waits until the metrics have this line.
    pub(super) fn wait_for_metric(&self, line: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.metrics().lines().any(|known| known == line) {
            assert!(Instant::now() < deadline, "no {line}:\n{}", self.metrics());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
