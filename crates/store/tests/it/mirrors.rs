//! Mirrors and their ledger: what is noted is noted together, and only by who holds the mirror.

use std::path::Path;

use rusqlite::Connection;
use store::{
    FencedResult, LedgerChange, LedgerState, ListedRecord, MirrorLease, MirrorRecord, MirrorSetup,
    ReadSlice, Role, Store,
};

use crate::calls::{call, guid};
use crate::engine::{Folder, open, other_tenant, serve, tenant};

const HOUR: i64 = 36_000_000_000;

fn setup(store: &Store) -> i64 {
    let setup = MirrorSetup {
        name: "contoso".to_owned(),
        tenant: tenant(),
        settings: "{}".to_owned(),
        is_of_file: false,
        begins: 10,
    };
    assert!(store.put_mirror(setup.clone()).wait().unwrap());
    let of_other = MirrorSetup { tenant: other_tenant(), ..setup };
    assert!(!store.put_mirror(of_other).wait().unwrap(), "the name is taken");
    store.reader().unwrap().mirrors().unwrap()[0].key
}

fn hold(store: &Store, key: i64) -> Option<MirrorLease> {
    store.hold_mirror(key).wait().unwrap()
}

fn slice(rows: &[(u32, i64)], is_last: bool) -> ReadSlice {
    let row = |(number, version): &(u32, i64)| ListedRecord {
        id: guid(*number),
        start: 12 * HOUR,
        version: *version,
    };
    let rows = rows.iter().map(row).collect();
    ReadSlice { hour: 12, began: 7, read_to: 13 * HOUR, is_last, due_at: 1, rows, outside: 0 }
}

fn change(number: u32, version: i64) -> LedgerChange {
    LedgerChange {
        id_key: model::key(&guid(number)),
        state: LedgerState::Settled,
        stored_version: Some(version),
        start: Some(12 * HOUR),
        began_at: 2,
        delay: None,
        due_at: None,
        again_at: 99,
        attempts: 0,
        tried_at: 2,
        status: None,
        error: None,
        request_id: None,
    }
}

fn write(store: &Store, lease: MirrorLease, number: u32, version: i64) -> bool {
    let record = call(number).version(version).shred(store);
    let mirrored = MirrorRecord { record, change: change(number, version) };
    let written = store.write_mirrored(lease, &tenant(), vec![mirrored]).wait().unwrap();
    matches!(written, FencedResult::Done(_))
}

fn expire(path: &Path) {
    Connection::open(path).unwrap().execute("UPDATE lease SET expires = 0", ()).unwrap();
}

#[test]
fn who_has_lost_a_mirror_writes_nothing_any_more() {
    let folder = Folder::new();
    let slow = serve(&folder);
    let key = setup(&slow);
    let first = hold(&slow, key).unwrap();
    let next = open(&folder.store(), Role::Tool);
    assert_eq!(hold(&next, key), None, "one at a time");
    assert_eq!(
        slow.note_mirror_slice(first, slice(&[(1, 1)], true)).wait().unwrap(),
        FencedResult::Done(1)
    );
    expire(&folder.store());
    let second = hold(&next, key).unwrap();
    assert!(second.fence > first.fence);
    assert_eq!(
        slow.note_mirror_slice(first, slice(&[(2, 1)], true)).wait().unwrap(),
        FencedResult::Lost
    );
    assert!(!write(&slow, first, 1, 1));
    let changes = slow.note_mirror_changes(first, vec![change(1, 1)], Vec::new());
    assert_eq!(changes.wait().unwrap(), FencedResult::Lost);
    assert!(!slow.note_mirror_contact(first, Some(0), None).wait().unwrap());
    assert!(
        slow.reader().unwrap().record(&tenant(), &model::key(&guid(1)), None).unwrap().is_none()
    );
    // Also if it gets the mirror back meanwhile.
    next.release_mirror(second).wait().unwrap();
    assert!(hold(&slow, key).is_some());
    assert!(!write(&slow, first, 1, 1));
}

#[test]
fn a_record_is_settled_only_in_the_highest_version_that_was_listed() {
    let folder = Folder::new();
    let store = serve(&folder);
    let key = setup(&store);
    let lease = hold(&store, key).unwrap();
    let note =
        |rows: &[(u32, i64)]| store.note_mirror_slice(lease, slice(rows, true)).wait().unwrap();
    assert_eq!(note(&[(1, 1), (2, 1)]), FencedResult::Done(2));
    assert_eq!(note(&[(1, 1), (2, 1)]), FencedResult::Done(0), "nothing is new");
    assert_eq!(note(&[(1, 3)]), FencedResult::Done(1));
    assert!(write(&store, lease, 1, 1));
    let due = |now| store.reader().unwrap().due_mirror_records(key, (now, 10), false).unwrap();
    let ids = |now| due(now).iter().map(|record| record.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(98), [guid(2)]);
    assert_eq!(ids(99), [guid(1), guid(2)], "a higher version was listed while it was read");
    assert!(write(&store, lease, 1, 3));
    assert!(write(&store, lease, 2, 1));
    assert_eq!(ids(99), Vec::<String>::new());
    let hours = store.reader().unwrap().mirror_hours(key, (0, 100)).unwrap();
    assert_eq!((hours[0].passed, hours[0].passes, hours[0].listed), (Some(7), 3, 1));
    assert_eq!(note(&[(1, 2)]), FencedResult::Done(0), "a lower version is no news");
}

#[test]
fn an_erased_record_is_not_written_again() {
    let folder = Folder::new();
    let store = serve(&folder);
    let key = setup(&store);
    let lease = hold(&store, key).unwrap();
    store.note_mirror_slice(lease, slice(&[(1, 1)], true)).wait().unwrap();
    assert!(write(&store, lease, 1, 1));
    let id_key = model::key(&guid(1));
    assert_eq!(store.erase(&tenant(), vec![id_key.clone()]).wait().unwrap(), [true]);
    assert!(write(&store, lease, 1, 1), "as a reading under way would");
    let note = store.note_mirror_slice(lease, slice(&[(1, 2)], true));
    assert_eq!(note.wait().unwrap(), FencedResult::Done(0));
    let mut reader = store.reader().unwrap();
    assert!(reader.record(&tenant(), &id_key, None).unwrap().is_none());
    let counts = reader.mirror_counts(key, (0, 100)).unwrap();
    assert_eq!((counts[0].state, counts[0].count), (LedgerState::Erased, 1));
}

#[test]
fn a_slice_that_was_begun_is_gone_on_with_and_one_of_another_pass_is_not() {
    let folder = Folder::new();
    let store = serve(&folder);
    let key = setup(&store);
    let lease = hold(&store, key).unwrap();
    let half = ReadSlice { read_to: 12 * HOUR + 5, ..slice(&[(1, 1)], false) };
    store.note_mirror_slice(lease, half.clone()).wait().unwrap();
    let hour = || store.reader().unwrap().mirror_hours(key, (12, 13)).unwrap()[0];
    assert_eq!((hour().passed, hour().unfinished), (None, Some((7, 12 * HOUR + 5))));
    store.note_mirror_slice(lease, slice(&[(2, 1)], true)).wait().unwrap();
    assert_eq!((hour().passed, hour().unfinished, hour().listed), (Some(7), None, 2));
    store.note_mirror_slice(lease, ReadSlice { began: 8, ..half.clone() }).wait().unwrap();
    store.note_mirror_slice(lease, ReadSlice { began: 9, ..half }).wait().unwrap();
    store.note_mirror_slice(lease, ReadSlice { began: 9, ..slice(&[], true) }).wait().unwrap();
    assert_eq!((hour().passed, hour().listed), (Some(9), 1), "the pass before counts for nothing");
}
