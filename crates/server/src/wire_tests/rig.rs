//! A server on a free port, with an empty store and an issuer of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use identity::{Grant, Issuer, MasterKey, SigningKey};
use store::{Role, Store};

use super::client::{Answer, Connection};
use crate::options::{
    GraphSettings, Limits, Notifications, QuerySettings, ServerOptions, StartError,
};
use crate::serve::{Running, start};

pub(super) const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub(super) const APP: &str = "99999999-8888-4777-8666-555555555555";

/// One key pair for all tests, since making one takes a while.
static KEYS: LazyLock<(MasterKey, SigningKey)> = LazyLock::new(|| {
    let master = MasterKey::from_text(&"5a".repeat(32)).unwrap();
    let key = SigningKey::generate(&master, 0).unwrap();
    (master, key)
});

#[derive(Debug)]
pub(super) struct Rig {
    /// `None` once it was shut down.
    pub(super) running: Option<Running>,
    pub(super) address: SocketAddr,
    pub(super) store: Store,
    folder: PathBuf,
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
        let folder = std::env::temp_dir().join(format!("callvault-{}", identity::random_guid()));
        std::fs::create_dir(&folder).unwrap();
        let options = store::Options::new(folder.join("callvault.db"), Role::Serve);
        let store = Store::open(&options).unwrap();
        let mut options = ServerOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            tls: None,
            public_url: None,
            allow_plain_http: false,
            threads: Some(2),
            limits: Limits::default(),
            graph: GraphSettings::default(),
            query: QuerySettings::default(),
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
            store: store.clone(),
            page_token_keys: vec![(1, [7; 32])],
            trusted_issuers: None,
            emulator: None,
            issuer: Arc::new(|url| {
                let (master, key) = &*KEYS;
                Issuer::new(Some(url), master, std::slice::from_ref(key))
            }),
            version: "0.0.0",
        };
        change(&mut options);
        let running = start(options)?;
        let address = running.address;
        Ok(Self { running: Some(running), address, store, folder })
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
        format!("Authorization: Bearer {}", issuer.issue(&grant, crate::worker::now()).unwrap())
    }

    pub(super) fn metrics(&self) -> String {
        let admin = self.running.as_ref().unwrap().admin_address.unwrap();
        Connection::open(admin).ask("GET", "/metrics", &[]).text().to_owned()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.running.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
