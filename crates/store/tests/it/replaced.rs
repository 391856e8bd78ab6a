//! Files that are deleted, moved or replaced while their store is open: nothing is acknowledged that
//! nobody would find.

use std::fs;
use std::path::Path;

use store::{Error, Role, Store};
use testkit::until;

use crate::calls::call;
use crate::engine::{Folder, open, tenant};

type Change = fn(&Path);

fn store(folder: &Path) -> std::path::PathBuf {
    folder.join("data").join("callvault.db")
}

fn beside(folder: &Path, ending: &str) -> std::path::PathBuf {
    folder.join("data").join(format!("callvault.db{ending}"))
}

/// Everything that can happen to the names of a store.
const CHANGES: [(&str, Change); 9] = [
    ("the file deleted", |folder| fs::remove_file(store(folder)).unwrap()),
    ("the file moved away", |folder| fs::rename(store(folder), folder.join("old.db")).unwrap()),
    ("the file restored by moving", |folder| {
        fs::rename(folder.join("copy.db"), store(folder)).unwrap();
    }),
    ("the file restored by copying", |folder| {
        fs::remove_file(store(folder)).unwrap();
        fs::copy(folder.join("copy.db"), store(folder)).unwrap();
    }),
    ("the log deleted", |folder| fs::remove_file(beside(folder, "-wal")).unwrap()),
    ("the log replaced", |folder| {
        fs::remove_file(beside(folder, "-wal")).unwrap();
        fs::write(beside(folder, "-wal"), b"").unwrap();
    }),
    ("the log's index deleted", |folder| fs::remove_file(beside(folder, "-shm")).unwrap()),
    ("the folder moved away", |folder| {
        fs::rename(folder.join("data"), folder.join("old")).unwrap();
    }),
    ("the folder replaced", |folder| {
        fs::rename(folder.join("data"), folder.join("old")).unwrap();
        fs::create_dir(folder.join("data")).unwrap();
        fs::copy(folder.join("copy.db"), store(folder)).unwrap();
    }),
];

/// A store in a folder of its own, with a record, and a copy of it.
fn filled(folder: &Folder) -> Store {
    fs::create_dir(folder.join("data")).unwrap();
    let store = open(&folder.join("data").join("callvault.db"), Role::Serve);
    store.write(&tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    store.backup(&folder.join("copy.db")).unwrap();
    store
}

#[test]
fn a_write_into_a_file_that_nobody_finds_is_not_acknowledged() {
    for (what, change) in CHANGES {
        let folder = Folder::new();
        let store = filled(&folder);
        change(&folder.join(""));
        let refused = store.write(&tenant(), vec![call(2).shred(&store)]).wait();
        assert!(matches!(refused, Err(Error::Lost(_))), "{what}: {refused:?}");
        assert!(!store.is_available(), "{what}");
        let wrong = store.wrong_file().unwrap();
        assert!(wrong.contains("callvault.db"), "{what}: {wrong}");
        let read = store.reader().map(drop);
        assert!(read.is_err(), "{what}: a new reader would see another store");
    }
}

#[test]
fn reads_end_as_well_though_nothing_is_written() {
    for (what, change) in CHANGES {
        let folder = Folder::new();
        let store = filled(&folder);
        let mut reader = store.reader().unwrap();
        assert!(reader.record(&tenant(), &call(1).key(), None).unwrap().is_some());
        change(&folder.join(""));
        until(what, || {
            let read = reader.record(&tenant(), &call(1).key(), None);
            matches!(read, Err(Error::Lost(_)))
        });
        assert!(!store.is_available(), "{what}");
        // It stays so, even if the name comes back.
        let written = store.write(&tenant(), vec![call(2).shred(&store)]).wait();
        assert!(matches!(written, Err(Error::Lost(_))), "{what}: {written:?}");
    }
}

#[test]
fn whoever_let_go_of_a_moved_store_leaves_the_new_one_alone() {
    let folder = Folder::new();
    let left = filled(&folder);
    fs::rename(folder.join("data"), folder.join("old")).unwrap();
    fs::create_dir(folder.join("data")).unwrap();
    fs::copy(folder.join("copy.db"), folder.join("data").join("callvault.db")).unwrap();
    let new = open(&folder.join("data").join("callvault.db"), Role::Serve);
    new.write(&tenant(), vec![call(3).shred(&new)]).wait().unwrap();
    drop(left);
    new.write(&tenant(), vec![call(4).shred(&new)]).wait().unwrap();
    drop(new);
    for (name, numbers) in [("data", vec![1, 3, 4]), ("old", vec![1])] {
        let store = open(&folder.join(name).join("callvault.db"), Role::Serve);
        assert_eq!(store.doctor().unwrap().problems, [""; 0], "{name}");
        let mut reader = store.reader().unwrap();
        for number in numbers {
            let found = reader.record(&tenant(), &call(number).key(), None).unwrap();
            assert!(found.is_some(), "{number} in {name}");
        }
    }
}
