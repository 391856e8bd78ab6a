//! Stores for tests: each in a database of its own.

use model::TenantId;
use store::{Options, Place, Role, Store};
use testkit::{PATIENCE, Postgres};

/// Where the store of one test is.
pub(crate) struct Folder(Postgres);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(Postgres::start())
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    /// Runs SQL beside the store, and gives what comes of it.
    pub(crate) fn ask(&self, sql: &str) -> String {
        self.0.ask(sql)
    }

    /// Runs the SQL of a file.
    pub(crate) fn load(&self, path: &str) {
        self.0.load(path);
    }

    pub(crate) fn options(&self, role: Role) -> Options {
        let mut options = Options::at(Place::parse(&self.0.url()).unwrap(), role);
        // For a machine that does other things.
        options.statement_limit = PATIENCE;
        options
    }
}

/// Opens the store of a database as `serve` would.
pub(crate) fn serve(folder: &Folder) -> Store {
    Store::open(&folder.options(Role::Serve)).unwrap()
}

/// The table with a row for each record whose words can be found.
pub(crate) const WORDS: &str = "record_search";

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").unwrap()
}

pub(crate) fn other_tenant() -> TenantId {
    TenantId::parse("11111111-474c-4d40-900c-6265431fd81f").unwrap()
}
