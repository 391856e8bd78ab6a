//! Who may open a store, and what else a file may turn out to be.

use store::{Error, Options, Role, Store};

use crate::calls::call;
use crate::engine::{Folder, open, serve, tenant};

#[test]
fn a_second_serve_is_refused_and_told_the_lock_file() {
    let folder = Folder::new();
    let first = serve(&folder);
    let refused = Store::open(&Options::new(folder.store(), Role::Serve)).unwrap_err();
    assert!(matches!(refused, Error::Owned(_)), "{refused:?}");
    assert!(refused.to_string().contains("callvault.db.owner"), "{refused}");
    drop(first);
    serve(&folder);
}

#[test]
fn tools_work_beside_a_serve() {
    let folder = Folder::new();
    let serving = serve(&folder);
    let tool = open(&folder.store(), Role::Tool);
    let record = call(1);
    tool.write(&tenant(), vec![record.shred(&tool)]).wait().unwrap();
    let mut reader = serving.reader().unwrap();
    assert!(reader.record(&tenant(), &record.key(), None).unwrap().is_some());
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let folder = Folder::new();
    let record = call(1).sessions(2).participants(&["a"]);
    let store = serve(&folder);
    store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
    drop(store);
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let stored = reader.record(&tenant(), &record.key(), None).unwrap().unwrap();
    assert_eq!((stored.session_count, stored.participant_count), (2, 1));
}

#[test]
fn a_store_that_is_not_there_is_made_only_when_asked_for() {
    let folder = Folder::new();
    let mut options = Options::new(folder.store(), Role::Tool);
    options.create = false;
    let missing = Store::open(&options).unwrap_err();
    assert!(matches!(missing, Error::Missing(_)), "{missing:?}");
    assert!(!folder.store().exists());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.store(), "Dear diary, ".repeat(1_000)).unwrap();
    let refused = Store::open(&Options::new(folder.store(), Role::Tool)).unwrap_err();
    assert!(matches!(refused, Error::Corrupt(_)), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let store = serve(&folder);
    store.write(&tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    for name in ["callvault.db", "callvault.db-wal"] {
        let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
}

#[test]
fn the_pending_writes_of_a_dropped_store_are_still_done() {
    let folder = Folder::new();
    let store = serve(&folder);
    let pending: Vec<_> =
        (0..50).map(|number| store.write(&tenant(), vec![call(number).shred(&store)])).collect();
    drop(store);
    for pending in pending {
        assert!(pending.wait().is_ok());
    }
}
