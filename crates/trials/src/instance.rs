//! A Callvault of our own to try things on: its data folder, its address, and its commands.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use odata::primitive::DateTimeOffset;
use testkit::Postgres;

use crate::http::Connection;
use crate::members;
use crate::server_process::ServerProcess;
use xtask::process;
use xtask::repository;

/// The tenant of everything that is tried.
pub(crate) const TENANT: &str = "5b6c1a52-7f0e-4c39-9d1c-2f3a8f1f7c01";

/// Where a store lives and how it is reached.
#[derive(Debug)]
pub(crate) struct Instance {
    binary: PathBuf,
    data: PathBuf,
    port: u16,
    tls: Option<Tls>,
    /// Where the store is, unless that is a file in the data folder.
    postgres: Option<Arc<Postgres>>,
    /// The address that it gives as its own, where it is one of several nodes.
    public: Option<String>,
}

/// Certificate and key, as PEM files.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// An application with its secret.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", testkit::lasting_port()))?.local_addr()?.port())
}

impl Instance {
    /// An instance on a data folder, at a port of loopback that is free now.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) fn new(profile: &str, data: PathBuf) -> Result<Self> {
        let (binary, postgres) =
            (repository::binary("callvault", profile), testkit::postgres::if_asked_for());
        Ok(Self {
            binary,
            data,
            port: free_port()?,
            tls: None,
            postgres: postgres.map(Arc::new),
            public: None,
        })
    }

    /// Like [`Self::new`], on a database.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) fn on(postgres: Arc<Postgres>, profile: &str, data: PathBuf) -> Result<Self> {
        let binary = repository::binary("callvault", profile);
        Ok(Self {
            binary,
            data,
            port: free_port()?,
            tls: None,
            postgres: Some(postgres),
            public: None,
        })
    }

    /// Another instance on the same store and data folder, at a port of its own.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) fn beside(&self) -> Result<Self> {
        let (binary, data) = (self.binary.clone(), self.data.clone());
        let postgres = self.postgres.clone();
        Ok(Self { binary, data, port: free_port()?, tls: None, postgres, public: None })
    }

    /// Another node of the same service, which gives the same address as its own.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) fn node(&self) -> Result<Self> {
        let public = self.public.clone().unwrap_or_else(|| self.url());
        Ok(Self { public: Some(public), ..self.beside()? })
    }

    /// This instance at the same address, run by another binary.
    pub(crate) fn another(&self, binary: PathBuf) -> Self {
        let (data, tls) = (self.data.clone(), self.tls.clone());
        let (postgres, public) = (self.postgres.clone(), self.public.clone());
        Self { binary, data, port: self.port, tls, postgres, public }
    }

    /// Reached by TLS as `localhost`.
    pub(crate) fn with_tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// A copy of this instance, reached by TLS.
    pub(crate) fn clone_with_tls(&self, tls: Tls) -> Self {
        let mut same = self.another(self.binary.clone());
        same.public = Some(self.url());
        same.with_tls(tls)
    }

    /// The address that clients use.
    pub(crate) fn url(&self) -> String {
        match self.tls {
            Some(_) => format!("https://localhost:{}", self.port),
            None => format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A command of the binary on this store, free of the caller's own settings.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CALLVAULT_") {
                command.env_remove(name);
            }
        }
        let public = self.public.clone().unwrap_or_else(|| self.url());
        command.env("CALLVAULT_SERVER__PUBLIC_URL", public);
        // Receivers of notifications are on the loopback too.
        command.env("CALLVAULT_NOTIFICATIONS__ALLOW_INSECURE_URLS", "true");
        command.env("CALLVAULT_NOTIFICATIONS__ALLOW_NETWORKS", "127.0.0.0/8");
        // Nobody waits a minute for the record of a call.
        command.env("CALLVAULT_CALLS__GRACE", "1s");
        if let Some(postgres) = &self.postgres {
            command.env("CALLVAULT_STORE", postgres.url());
            command.env("CALLVAULT_MASTER_KEY", testkit::postgres::MASTER_KEY);
        }
        command.args(words).arg("--data-dir").arg(&self.data).stdin(Stdio::null());
        command
    }

    /// The command that serves, at the port of this instance.
    pub(crate) fn serve_command(&self) -> Command {
        let mut serve = self.command(&["serve", "--admin-listen", "127.0.0.1:0"]);
        serve.arg("--listen").arg(format!("127.0.0.1:{}", self.port));
        if let Some(tls) = &self.tls {
            serve.arg("--tls-cert").arg(&tls.certificate).arg("--tls-key").arg(&tls.key);
        }
        serve
    }

    /// Starts the server; what it logs goes to `serve.log` beside the data folder.
    pub(crate) fn serve(&self) -> Result<ServerProcess> {
        let log =
            File::options().create(true).append(true).open(self.data.with_extension("log"))?;
        ServerProcess::start(self.serve_command().stderr(log))
            .with_context(|| format!("see {}", self.data.with_extension("log").display()))
    }

    /// Makes the store if there is none yet.
    fn make_store(&self) -> Result<()> {
        process::output(&mut self.command(&["migrate"])).map(drop)
    }

    /// A bearer token of the built-in issuer.
    pub(crate) fn token(&self, role: &str) -> Result<String> {
        self.token_of(&[role])
    }

    /// A bearer token with several roles.
    pub(crate) fn token_of(&self, roles: &[&str]) -> Result<String> {
        self.token_in(TENANT, roles)
    }

    /// A bearer token of any tenant.
    pub(crate) fn token_in(&self, tenant: &str, roles: &[&str]) -> Result<String> {
        self.make_store()?;
        let mut token = self.command(&["token", "--tenant", tenant, "--ttl", "6h"]);
        for role in roles {
            token.args(["--role", role]);
        }
        Ok(process::output(&mut token)?.trim().to_owned())
    }

    /// Makes an application with one role.
    pub(crate) fn create_app(&self, name: &str, role: &str) -> Result<App> {
        self.make_store()?;
        let words = ["app", "create", "--json", "--tenant", TENANT, "--name", name, "--role", role];
        let printed = process::output(&mut self.command(&words))?;
        let member = |name: &str| {
            let found = members::text(&printed, name).map(str::to_owned);
            found.with_context(|| format!("app create prints no {name}"))
        };
        Ok(App { id: member("clientId")?, secret: member("clientSecret")? })
    }

    /// Subscribes to changes of a resource for two hours; gives the subscription's id.
    pub(crate) fn subscribe(
        &self,
        token: &str,
        change_type: &str,
        resource: &str,
        url: &str,
    ) -> Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let until = DateTimeOffset::from_unix_seconds(now.cast_signed() + 7_200);
        let body = format!(
            "{{\"changeType\":\"{change_type}\",\"notificationUrl\":\"{url}\",\
             \"clientState\":\"state\",\"resource\":\"{resource}\",\
             \"expirationDateTime\":\"{until}\"}}"
        );
        let mut connection = Connection::open(&self.url())?;
        let (status, answer) = connection.post("/v1.0/subscriptions", token, &body)?;
        ensure!(status == 201, "{url}: {answer}");
        Ok(members::text(&answer, "id").context("a subscription has an id")?.to_owned())
    }

    /// Messages that wait to be told.
    pub(crate) fn queued(&self) -> Result<u64> {
        if let Some(postgres) = &self.postgres {
            return Ok(postgres.ask("SELECT count(*) FROM delivery WHERE died IS NULL").parse()?);
        }
        let script = "import sqlite3, sys\n\
                      print(sqlite3.connect(sys.argv[1]).execute(\
                      'SELECT count(*) FROM delivery WHERE died IS NULL').fetchone()[0])";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(self.data.join("callvault.db"));
        Ok(process::output(&mut python)?.trim().parse()?)
    }

    /// Imports a file of records.
    pub(crate) fn import(&self, file: &Path) -> Result<()> {
        let mut import = self.command(&["import", "--tenant", TENANT]);
        process::output(import.arg(file)).map(drop)
    }

    /// Writes the rows that simulated calls leave in a telephone log to a file, one a line, and imports
    /// them.
    pub(crate) fn fill_log(&self, kind: &str, calls: u32, file: &Path) -> Result<()> {
        let calls = calls.to_string();
        let words = ["simulate", "--calls", &calls, "--seed", "7", "--kind", kind];
        process::run(self.command(&words).stdout(File::create(file)?))?;
        let mut import = self.command(&["import", "--tenant", TENANT, "--kind", kind]);
        process::output(import.arg(file)).map(drop)
    }

    /// Writes simulated records to a file, one a line.
    pub(crate) fn simulate(&self, calls: u32, seed: u32, mix: &str, file: &Path) -> Result<()> {
        let (calls, seed) = (calls.to_string(), seed.to_string());
        let words = ["simulate", "--calls", &calls, "--seed", &seed, "--mix", mix];
        process::run(self.command(&words).stdout(File::create(file)?))
    }
}
