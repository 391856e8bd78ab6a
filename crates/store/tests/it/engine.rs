//! Stores for tests: each in a folder of its own that goes away with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use model::TenantId;
use store::{Options, Role, Store};
use testkit::PATIENCE;

/// A folder for one test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("callvault-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.join("callvault.db")
    }

    pub(crate) fn options(&self, role: Role) -> Options {
        options(&self.store(), role)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Opens the store of a folder as `serve` would.
pub(crate) fn serve(folder: &Folder) -> Store {
    open(&folder.store(), Role::Serve)
}

pub(crate) fn open(path: &Path, role: Role) -> Store {
    Store::open(&options(path, role)).unwrap()
}

/// With patience for a machine that does other things.
fn options(path: &Path, role: Role) -> Options {
    let mut options = Options::new(path, role);
    options.statement_limit = PATIENCE;
    options
}

/// The table with a row for each record whose words can be found.
pub(crate) const WORDS: &str = "record_search_docsize";

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").unwrap()
}

pub(crate) fn other_tenant() -> TenantId {
    TenantId::parse("11111111-474c-4d40-900c-6265431fd81f").unwrap()
}
