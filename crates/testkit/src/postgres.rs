//! A private PostgreSQL for each test that asks for one.
//!
//! A cluster, not only a database: transactions under way anywhere in a cluster hold up those who
//! follow the change log.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::lasting_port;
use crate::patience::until;

/// The variable that says on which engine tests run: `postgres`, or SQLite without it.
const ENGINE: &str = "CALLVAULT_TEST_ENGINE";
/// A master key: where nodes share a store, all need the same.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Settings of a cluster of which nothing is to survive a power cut.
const UNSYNCED: &str = "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB";
/// What only a user without rights over the machine may run; Debian's package makes that user.
const USER: &str = "postgres";

/// A cluster with an empty database, in a process and a folder of its own. Dropped, or when this
/// process ends in whatever way, it ends.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    shell: Child,
}

impl Postgres {
    /// Starts it.
    ///
    /// # Panics
    /// When there is no PostgreSQL (Debian's package `postgresql`), or it does not come up.
    pub fn start() -> Self {
        Self::with(UNSYNCED, None)
    }

    /// The same for a server that is spoken to by TLS as `localhost`, and the certificate that has to
    /// be trusted for that, as PEM.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn with_tls() -> (Self, String) {
        let names = vec!["localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
        let certificate = made.cert.pem();
        let settings = format!(
            "{UNSYNCED} -c ssl=on -c ssl_cert_file=certificate.pem -c ssl_key_file=key.pem"
        );
        let postgres =
            Self::with(&settings, Some((&certificate, &made.signing_key.serialize_pem())));
        (postgres, certificate)
    }

    /// The same for measuring: what is committed is on disk, and there is memory.
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
        let postgres = Self { port, shell };
        postgres.wait(&programs);
        postgres
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// The same by TLS.
    pub fn url_by_tls(&self) -> String {
        format!("postgres://{USER}@localhost:{}/postgres?sslmode=require", self.port)
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
        let mut stdin = self.shell.stdin.as_ref().expect("it is piped");
        let signal = if is_crash { "QUIT\n" } else { "INT\n" };
        stdin.write_all(signal.as_bytes()).expect("the shell reads");
        until("PostgreSQL comes up again", || {
            self.try_ask(started).is_some_and(|now| now != before)
        });
    }

    fn try_ask(&self, sql: &str) -> Option<String> {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-qXAt", "-d", &self.url(), "-c", sql]).stderr(Stdio::null());
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

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Nothing depends on how it ends.
        let _ = self.shell.wait();
    }
}

/// A cluster, if the variable `CALLVAULT_TEST_ENGINE` asks for PostgreSQL.
pub fn if_asked_for() -> Option<Postgres> {
    let is_asked_for = std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres");
    is_asked_for.then(Postgres::start)
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
