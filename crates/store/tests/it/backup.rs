//! Backups of a store that is being written.

use std::sync::atomic::{AtomicU32, Ordering};

use store::{Error, Role};

use crate::calls::call;
use crate::engine::{Folder, open, serve, tenant};
use crate::sample::count;

#[test]
fn a_backup_of_a_live_store_is_sound_and_has_what_was_acknowledged_before() {
    let folder = Folder::new();
    let store = serve(&folder);
    let written = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..400 {
                let record = call(number).sessions(2).participants(&["a"]);
                store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
                written.store(number + 1, Ordering::Release);
            }
        });
        while written.load(Ordering::Acquire) < 50 {
            std::thread::yield_now();
        }
        let acknowledged = written.load(Ordering::Acquire);
        store.backup(&folder.join("copy.db")).unwrap();
        writing.join().unwrap();
        let copy = open(&folder.join("copy.db"), Role::Serve);
        assert_eq!(copy.doctor().unwrap().problems, [""; 0]);
        let count = count(&copy, &tenant());
        assert!(count >= u64::from(acknowledged), "{count} of {acknowledged}");
        let again = copy.write(&tenant(), vec![call(9_999).shred(&copy)]).wait();
        assert!(again.is_ok(), "{again:?}");
    });
}

#[test]
fn a_backup_never_overwrites() {
    let folder = Folder::new();
    let store = serve(&folder);
    let to = folder.join("precious");
    std::fs::write(&to, "precious").unwrap();
    let refused = store.backup(&to).unwrap_err();
    assert!(matches!(refused, Error::Exists(_)), "{refused:?}");
    assert_eq!(std::fs::read(&to).unwrap(), b"precious");
}
