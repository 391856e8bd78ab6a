//! A private PostgreSQL for each test that asks for one.
//!
//! A cluster, not only a database: transactions under way anywhere in a cluster hold up those who
//! follow the change log. Where tests ask for nothing special, one that has ended leaves its cluster
//! to the next, which has a database of its own there.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::lasting_port;
use crate::patience::until;
use crate::prepared::Tokens;

/// The variable that says on which engine tests run: `postgres`, or SQLite without it.
const ENGINE: &str = "CALLVAULT_TEST_ENGINE";
/// A master key: where nodes share a store, all need the same.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Settings of a cluster of which nothing is to survive a power cut, and in which nobody writes but the
/// test: readers of the change log wait for the housekeeper's transactions as for any other.
const UNSYNCED: &str =
    "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c autovacuum=off";
/// What only a user without rights over the machine may run; Debian's package makes that user.
const USER: &str = "postgres";

/// The database that every cluster has.
const FIRST: &str = "postgres";

/// The one with a store that is copied for tests, where there is one.
const PREPARED: &str = "prepared";

/// Clusters that are left by tests that have ended.
static LEFT: Mutex<Vec<Cluster>> = Mutex::new(Vec::new());

/// An empty database, in a cluster that nobody else uses meanwhile.
#[derive(Debug)]
pub struct Postgres {
    /// Until it is dropped.
    cluster: Option<Cluster>,
    database: String,
}

/// A process and a folder of its own. Dropped, or when this process ends in whatever way, it ends.
#[derive(Debug)]
struct Cluster {
    port: u16,
    shell: Child,
    /// Of the store in [`PREPARED`], once that is made.
    tokens: Option<Arc<Tokens>>,
}

impl Postgres {
    /// Makes a database, in a cluster that is left or a new one.
    ///
    /// # Panics
    /// When there is no PostgreSQL (Debian's package `postgresql`), or it does not come up.
    pub fn start() -> Self {
        Self::in_any_cluster().create("template1")
    }

    /// A database with a store: a copy of the one that `make` makes once in each cluster.
    pub(crate) fn prepared(make: impl FnOnce(&str)) -> (Self, Arc<Tokens>) {
        let mut postgres = Self::in_any_cluster();
        let tokens = postgres.cluster().tokens.clone().unwrap_or_else(|| {
            postgres.ask(&format!("CREATE DATABASE {PREPARED}"));
            make(&postgres.cluster().url(PREPARED));
            Arc::default()
        });
        if let Some(cluster) = &mut postgres.cluster {
            cluster.tokens = Some(Arc::clone(&tokens));
        }
        (postgres.create(PREPARED), tokens)
    }

    fn in_any_cluster() -> Self {
        let left = LEFT.lock().unwrap_or_else(PoisonError::into_inner).pop();
        left.map_or_else(|| Self::with(UNSYNCED, None), Self::first_of)
    }

    /// A database that is a copy of another one.
    fn create(mut self, template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let database = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {database} TEMPLATE {template}");
        // Files that are copied, as before version 15, cost a tenth of noting each of their pages.
        let ways = [format!("{create} STRATEGY FILE_COPY"), create];
        // Connections to the other one may still be closing.
        until("a database can be made", || ways.iter().any(|way| self.try_ask(way).is_some()));
        self.database = database;
        self
    }

    fn first_of(cluster: Cluster) -> Self {
        Self { cluster: Some(cluster), database: FIRST.to_owned() }
    }

    /// One in a cluster of its own that is spoken to by TLS as `localhost`, and the certificate that has to
    /// be trusted for that, as PEM.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn with_tls() -> (Self, String) {
        let (certificate, key) = certificate();
        let settings = format!(
            "{UNSYNCED} -c ssl=on -c ssl_cert_file=certificate.pem -c ssl_key_file=key.pem"
        );
        (Self::with(&settings, Some((&certificate, &key))), certificate)
    }

    /// One in a cluster of its own, for measuring: what is committed is on disk, and there is memory.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn durable() -> Self {
        Self::with("-c shared_buffers=512MB -c max_wal_size=4GB", None)
    }

    fn with(settings: &str, tls: Option<(&str, &str)>) -> Self {
        static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(make_template);
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let template = TEMPLATE.display();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("{template}-{}-{number}", std::process::id());
        let (port, programs) = (lasting_port(), programs());
        // The shell reads until this process is gone or closes the pipe.
        let script = format!(
            "set -e\n\
             cp -r {template} {folder}\n\
             umask 077\n\
             printf %s \"$CERTIFICATE\" >{folder}/certificate.pem\n\
             printf %s \"$KEY\" >{folder}/key.pem\n\
             start() {{ {programs}/postgres -D {folder} -p {port} \
             -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
             -c log_min_messages=fatal {settings} >/dev/null 2>&1 & }}\n\
             start\n\
             while read signal; do kill -$signal $!; wait $! || true; start; done\n\
             kill -QUIT $!\n\
             wait $! || true\n\
             rm -rf {folder}\n",
            programs = programs.display(),
        );
        let (certificate, key) = tls.unwrap_or_default();
        let mut shell = as_user(&script);
        shell.env("CERTIFICATE", certificate).env("KEY", key).stdin(Stdio::piped());
        let shell = shell.spawn().expect("a shell");
        let cluster = Cluster { port, shell, tokens: None };
        cluster.wait(&programs);
        Self::first_of(cluster)
    }

    fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().expect("it is there until it is dropped")
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        self.cluster().url(&self.database)
    }

    /// The URL of the database by TLS.
    pub fn url_by_tls(&self) -> String {
        let (port, database) = (self.cluster().port, &self.database);
        format!("postgres://{USER}@localhost:{port}/{database}?sslmode=require")
    }

    /// Runs SQL on its database, and gives the text that comes of it.
    ///
    /// # Panics
    /// When the SQL fails.
    pub fn ask(&self, sql: &str) -> String {
        self.psql(["-c", sql])
    }

    /// Runs the SQL of a file.
    ///
    /// # Panics
    /// As [`Self::ask`].
    pub fn load(&self, path: &str) {
        self.psql(["-f", path]);
    }

    fn psql(&self, what: [&str; 2]) -> String {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-qXAt", "-v", "ON_ERROR_STOP=1", "-d", &self.url()]).args(what);
        let output = psql.output().expect("psql runs");
        assert!(output.status.success(), "{what:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Ends the server and starts it again: as an administrator would, or as if it had crashed; the
    /// connections to it break. Returns when it takes new ones.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn restart(&self, is_crash: bool) {
        let started = "SELECT pg_postmaster_start_time()";
        let before = self.ask(started);
        let mut stdin = self.cluster().shell.stdin.as_ref().expect("it is piped");
        let signal = if is_crash { "QUIT\n" } else { "INT\n" };
        stdin.write_all(signal.as_bytes()).expect("the shell reads");
        until("PostgreSQL comes up again", || {
            self.try_ask(started).is_some_and(|now| now != before)
        });
    }

    fn try_ask(&self, sql: &str) -> Option<String> {
        self.cluster().try_ask(&self.database, sql)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let Some(cluster) = self.cluster.take().filter(|_| self.database != FIRST) else { return };
        // Together with whatever is still connected to it.
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        if cluster.try_ask(FIRST, &drop).is_some() {
            LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(cluster);
        }
    }
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    fn try_ask(&self, database: &str, sql: &str) -> Option<String> {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-qXAt", "-d", &self.url(database), "-c", sql]).stderr(Stdio::null());
        let output = psql.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn wait(&self, programs: &Path) {
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        until("PostgreSQL comes up", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && ready.status().is_ok_and(|status| status.success())
        });
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Nothing depends on how it ends.
        let _ = self.shell.wait();
    }
}

/// A new certificate of `localhost` and its key, as PEM.
///
/// # Panics
/// When there is no randomness.
pub fn certificate() -> (String, String) {
    let names = vec!["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// A database, if `is_asked_for`.
pub fn if_asked_for() -> Option<Postgres> {
    is_asked_for().then(Postgres::start)
}

/// Whether the variable `CALLVAULT_TEST_ENGINE` asks for PostgreSQL.
pub(crate) fn is_asked_for() -> bool {
    std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres")
}

/// A cluster that was never started, of which the others are copies. It is made once on a machine.
fn make_template() -> PathBuf {
    let folder = std::env::temp_dir().join("callvault-postgres");
    let script = format!(
        "set -e\n\
         test -d {folder} && exit\n\
         LC_ALL=C.UTF-8 {}/initdb -D {folder}-$$ -U {USER} -A trust -E UTF8 --no-sync\n\
         mv -T {folder}-$$ {folder} || test -d {folder}",
        programs().display(),
        folder = folder.display()
    );
    let status = as_user(&script).stdin(Stdio::null()).status().expect("a shell");
    assert!(status.success(), "initdb: {status}");
    folder
}

fn as_user(script: &str) -> Command {
    let is_root = Command::new("id").arg("-u").output();
    let is_root = is_root.is_ok_and(|asked| asked.stdout.trim_ascii() == b"0");
    let mut shell = Command::new(if is_root { "runuser" } else { "sh" });
    if is_root {
        shell.args(["-u", USER, "--", "sh"]);
    }
    shell.args(["-c", script]).current_dir("/").stdout(Stdio::null());
    shell
}

/// Where the server's programs are, which Debian keeps out of the path.
///
/// # Panics
/// When there are none.
pub fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    let asked = Command::new("pg_config").arg("--bindir").output();
    all.extend(asked.ok().map(|asked| String::from_utf8_lossy(&asked.stdout).trim().into()));
    let has = |folder: &Path| folder.join("initdb").exists() && folder.join("postgres").exists();
    all.into_iter().find(|folder| has(folder)).expect("PostgreSQL is installed")
}
