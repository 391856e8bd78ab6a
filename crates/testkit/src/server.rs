//! The binary under test: its commands, and a server that ends with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::http::Client;
use crate::patience::{PATIENCE, await_some};
use crate::postgres::Postgres;
use crate::prepared::{Files, Tokens};
use crate::{TENANT, postgres};

/// Where a store is, and the key of what it seals, for commands.
const STORE: &str = "CALLVAULT_STORE";
const KEY: &str = "CALLVAULT_MASTER_KEY";
/// A role.
const READ: &str = "CallRecords.Read.All";

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// The binary with a data folder of its own, removed in the end.
#[derive(Debug)]
pub struct Callvault {
    binary: PathBuf,
    folder: PathBuf,
    /// Where its store is, unless that is a file in the folder.
    postgres: Option<Postgres>,
    /// Those that hold for all copies of its store.
    tokens: Option<Arc<Tokens>>,
}

/// What a command left.
#[derive(Debug)]
pub struct Ended {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Callvault {
    /// `binary` is `env!("CARGO_BIN_EXE_callvault")`.
    pub fn new(binary: &str) -> Self {
        Self::with(binary, postgres::if_asked_for())
    }

    /// Like [`Self::new`], with a store that is there already and empty: a copy of one made before.
    pub fn prepared(binary: &str) -> Self {
        static MADE: OnceLock<(Files, Arc<Tokens>)> = OnceLock::new();
        if postgres::is_asked_for() {
            let (postgres, tokens) = Postgres::prepared(|url| {
                drop(Self::make_store(binary, &[(STORE, url), (KEY, postgres::MASTER_KEY)]));
            });
            let mut callvault = Self::on(binary, postgres);
            callvault.tokens = Some(tokens);
            return callvault;
        }
        let (files, tokens) = MADE.get_or_init(|| (Self::make_store(binary, &[]), Arc::default()));
        let mut callvault = Self::with(binary, None);
        callvault.tokens = Some(Arc::clone(tokens));
        files.write(&callvault.folder).expect("the temporary folder can be written");
        callvault
    }

    /// Makes a store with the keys that sign tokens, and gives what is in the data folder then.
    fn make_store(binary: &str, variables: &[(&str, &str)]) -> Files {
        let callvault = Self::with(binary, None);
        for words in [&["migrate"][..], &["token", "--tenant", TENANT, "--role", READ]] {
            let mut command = callvault.command(words);
            command.envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
            assert!(command.status().is_ok_and(|status| status.success()), "no store can be made");
        }
        Files::of(&callvault.folder).expect("the temporary folder can be read")
    }

    fn with(binary: &str, postgres: Option<Postgres>) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("callvault-test-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self { binary: binary.into(), folder, postgres, tokens: None }
    }

    /// Like [`Self::new`], on a database.
    pub fn on(binary: &str, postgres: Postgres) -> Self {
        Self::with(binary, Some(postgres))
    }

    /// The URL of its store.
    pub fn store(&self) -> String {
        match &self.postgres {
            Some(postgres) => postgres.url(),
            None => format!("sqlite:{}", self.folder.join("callvault.db").display()),
        }
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command on this data folder, free of the caller's own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CALLVAULT_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).env("CALLVAULT_DATA_DIR", &self.folder);
        // Whether an answer is right does not depend on how busy the machine is.
        command.env("CALLVAULT_LIMITS__QUERY_MILLISECONDS", PATIENCE.as_millis().to_string());
        if let Some(postgres) = &self.postgres {
            command.env(STORE, postgres.url()).env(KEY, postgres::MASTER_KEY);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with_input(arguments, b"")
    }

    /// Runs a command to its end with something on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let input = input.to_vec();
        let feeding = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("the binary ends");
        drop(feeding.join());
        Ended {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a command that must succeed and gives its output.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.status.success(), "{arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    /// A bearer token with these roles.
    pub fn token(&self, tenant: &str, roles: &[&str]) -> String {
        let issue = || self.issue(tenant, roles);
        self.tokens.as_ref().map_or_else(issue, |tokens| tokens.of(tenant, roles, issue))
    }

    fn issue(&self, tenant: &str, roles: &[&str]) -> String {
        // Only some commands make a store.
        self.succeed(&["migrate"]);
        let mut arguments = vec!["token", "--ttl", "24h", "--tenant", tenant];
        for role in roles {
            arguments.extend(["--role", role]);
        }
        self.succeed(&arguments).trim().to_owned()
    }

    /// Runs SQL on the store of a server that is not running.
    pub fn edit(&self, sql: &str) {
        if let Some(postgres) = &self.postgres {
            postgres.ask(sql);
            return;
        }
        let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n\
                      db.execute(sys.argv[2])\ndb.commit()";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(self.folder.join("callvault.db")).arg(sql);
        assert!(python.status().expect("python3 runs").success(), "{sql}");
    }

    /// Starts `serve` on a free port of the loopback.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_logging_to(Stdio::piped(), arguments)
    }

    /// Starts `serve` on a port of the loopback, for a server that is stopped and started again.
    pub fn serve_at(&self, port: u16, arguments: &[&str]) -> Server {
        self.start(&format!("127.0.0.1:{port}"), Stdio::piped(), arguments)
    }

    /// Like [`Self::serve`], with standard error going elsewhere, unread.
    pub fn serve_logging_to(&self, stderr: Stdio, arguments: &[&str]) -> Server {
        self.start("127.0.0.1:0", stderr, arguments)
    }

    fn start(&self, listen: &str, stderr: Stdio, arguments: &[&str]) -> Server {
        let mut all = vec!["serve", "--listen", listen, "--admin-listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut command = self.command(&all);
        command.stdout(Stdio::piped()).stderr(stderr);
        Server::start(command)
    }
}

impl Drop for Callvault {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// A running server, killed in the end.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its admin listener is.
    pub admin: SocketAddr,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let stderr = child.stderr.take();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            drop(stderr.map(|mut stderr| stderr.read_to_string(&mut text)));
            text
        });
        let mut address = |prefix: &str| -> Option<SocketAddr> {
            let line = lines.next()?.ok()?;
            let url = line.strip_prefix(prefix)?.to_owned();
            let host =
                url.split("://").nth(1)?.trim_end_matches('/').replace("localhost", "127.0.0.1");
            host.parse().ok()
        };
        let found = address("listening on ").zip(address("admin on "));
        let Some((address, admin)) = found else {
            drop(child.kill());
            panic!("serve did not start: {}", log.join().unwrap_or_default());
        };
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, admin, log: Some(log) }
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Its metrics, as text.
    pub fn metrics(&self) -> String {
        Client::new(self.admin).get("/metrics").text()
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Most memory that the process ever had, in KiB (Linux).
    pub fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    }

    /// Kills it as a power cut would, if only it kept what the system has.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to end and gives what it logged.
    pub fn stop(mut self) -> String {
        self.terminate();
        self.log.take().and_then(|log| log.join().ok()).unwrap_or_default()
    }

    /// Asks it to end, and gives how it did.
    pub fn terminate(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &id]).status());
        await_some("the server ends", || self.child.try_wait().ok().flatten())
    }

    fn end(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
