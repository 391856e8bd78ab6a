//! Stores for tests: each in a database of its own, in a cluster that no other test has at the time.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::TenantId;
use store::{Options, Place, Role, Store};
use testkit::Postgres;
use testkit::postgres::programs;

/// Clusters that no test has now. A cluster is for one test at a time, since transactions under way
/// anywhere in it hold up those who follow the change log; to start one for each takes longer than
/// most tests. They end with this process.
static FREE: Mutex<Vec<Postgres>> = Mutex::new(Vec::new());

/// Where the store of one test is.
pub(crate) struct Folder {
    /// There until this is dropped.
    cluster: Option<Postgres>,
    url: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let cluster = free.unwrap_or_else(start);
        // What the test before has left to the server ends by itself.
        let writing = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL";
        wait_until(|| cluster.ask(writing) == "0");
        let name = format!("of_test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        cluster.ask(&format!("CREATE DATABASE {name} STRATEGY file_copy"));
        let url = cluster.url();
        let (server, _) = url.rsplit_once('/').unwrap();
        Self { url: format!("{server}/{name}"), cluster: Some(cluster) }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Runs SQL beside the store, and gives what comes of it.
    pub(crate) fn ask(&self, sql: &str) -> String {
        self.psql(["-c", sql])
    }

    /// Runs the SQL of a file.
    pub(crate) fn load(&self, path: &str) {
        self.psql(["-f", path]);
    }

    fn psql(&self, what: [&str; 2]) -> String {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-qXAt", "-v", "ON_ERROR_STOP=1", "-d", &self.url]).args(what);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{what:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn options(&self, role: Role) -> Options {
        let mut options = Options::at(Place::parse(&self.url).unwrap(), role);
        // For a machine that does other things.
        options.statement_limit = PATIENCE;
        options
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // After a failure nobody knows what is still under way there.
        if !std::thread::panicking() {
            FREE.lock().unwrap_or_else(PoisonError::into_inner).extend(self.cluster.take());
        }
    }
}

/// A cluster in which nobody writes but the test: the log of changes waits for the housekeeper's
/// transactions as for any other.
fn start() -> Postgres {
    let cluster = Postgres::start();
    cluster.ask("ALTER SYSTEM SET autovacuum = off");
    cluster.ask("SELECT pg_reload_conf()");
    cluster
}

/// Opens the store of a database as `serve` would.
pub(crate) fn serve(folder: &Folder) -> Store {
    Store::open(&folder.options(Role::Serve)).unwrap()
}

/// How long is waited for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until something is so.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it did not come to pass");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The table with a row for each record whose words can be found.
pub(crate) const WORDS: &str = "record_search";

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").unwrap()
}

pub(crate) fn other_tenant() -> TenantId {
    TenantId::parse("11111111-474c-4d40-900c-6265431fd81f").unwrap()
}
