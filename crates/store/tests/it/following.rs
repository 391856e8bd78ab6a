//! Following the change log from a position: what has become of each record, once.

use store::{ChangeRange, Error, LogPosition, Reader, RecordFate, Store};

use crate::calls::{Call, call};
use crate::engine::{Folder, other_tenant, serve, tenant};

const NEW: RecordFate = RecordFate::New;
const CHANGED: RecordFate = RecordFate::Changed;
const ERASED: RecordFate = RecordFate::Erased;

fn write(store: &Store, call: &Call) {
    store.write(&tenant(), vec![call.shred(store)]).wait().unwrap();
}

fn erase(store: &Store, calls: &[&Call]) -> Vec<bool> {
    store.erase(&tenant(), calls.iter().map(|call| call.key()).collect()).wait().unwrap()
}

/// All changes since a position, so many at a time, and the position behind them.
fn round(
    reader: &mut Reader,
    since: &LogPosition,
    room: usize,
) -> (Vec<(String, RecordFate)>, LogPosition) {
    reader.check_position(since).unwrap();
    let until = reader.log_position().unwrap();
    let mut range =
        ChangeRange { since: since.sequence, after: since.sequence, until: until.sequence };
    let mut told = Vec::new();
    loop {
        let found = reader.changed_records(&tenant(), range, room).unwrap();
        assert!(found.records.len() <= room);
        told.extend(found.records.into_iter().map(|it| (it.id, it.fate)));
        range.after = found.up_to;
        if found.is_end {
            return (told, until);
        }
    }
}

#[test]
fn each_record_is_told_by_its_last_change() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let begin = reader.log_position().unwrap();
    let [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(call);
    for call in [&first, &second, &third, &fourth] {
        write(&store, call);
    }
    let (told, before) = round(&mut reader, &begin, 3);
    let created = [&first, &second, &third, &fourth].map(|call| (call.id.clone(), NEW));
    assert_eq!(told, created);
    write(&store, &first.clone().version(2));
    write(&store, &second.clone().sessions(1));
    store.write(&other_tenant(), vec![second.shred(&store)]).wait().unwrap();
    write(&store, &first.clone().version(3));
    write(&store, &third.clone().version(0));
    assert_eq!(erase(&store, &[&fourth, &fifth, &fourth]), [true, false, true]);
    write(&store, &fifth);
    write(&store, &fifth.clone().version(2));
    erase(&store, &[&fifth]);
    erase(&store, &[&third]);
    write(&store, &third);
    let expected = [
        (&second, CHANGED),
        (&first, CHANGED),
        (&fourth, ERASED),
        (&fifth, ERASED),
        (&third, CHANGED),
    ];
    let expected = expected.map(|(call, fate)| (call.id.clone(), fate));
    for room in [1, 2, 60] {
        assert_eq!(round(&mut reader, &before, room).0, expected, "{room}");
    }
    let (_, last) = round(&mut reader, &before, 60);
    assert_eq!(round(&mut reader, &last, 60).0, []);
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

#[test]
fn many_changes_of_others_are_passed_over() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let begin = reader.log_position().unwrap();
    let theirs = (0..1_200).map(|number| call(number).shred(&store)).collect();
    store.write(&other_tenant(), theirs).wait().unwrap();
    write(&store, &call(7));
    assert_eq!(round(&mut reader, &begin, 1).0, [(call(7).id, NEW)]);
}

#[test]
fn a_cut_ends_older_positions_and_leaves_what_is_stored() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let begin = reader.log_position().unwrap();
    let [kept, gone, last] = [1, 2, 3].map(call);
    write(&store, &kept);
    write(&store, &kept.clone().sessions(1));
    write(&store, &gone);
    erase(&store, &[&gone]);
    let middle = reader.log_position().unwrap();
    write(&store, &last);
    assert!(!store.cut_log(0, 100).wait().unwrap());
    reader.check_position(&begin).unwrap();
    while store.cut_log(i64::MAX, 1).wait().unwrap() {}
    let refused = reader.check_position(&begin);
    assert!(matches!(refused, Err(Error::LogCut)), "{refused:?}");
    assert_eq!(round(&mut reader, &middle, 9).0, [(last.id.clone(), NEW)]);
    let left = reader.changes(0, 10).unwrap();
    let left: Vec<_> = left.into_iter().map(|entry| entry.id).collect();
    assert_eq!(left, [Some(kept.id), Some(last.id)]);
}

#[test]
fn a_position_of_another_log_is_refused() {
    let folder = Folder::new();
    let store = serve(&folder);
    write(&store, &call(1));
    let mut reader = store.reader().unwrap();
    let position = reader.log_position().unwrap();
    reader.check_position(&position).unwrap();
    for other in [
        LogPosition { incarnation: "0".repeat(32), ..position.clone() },
        LogPosition { committed_at: position.committed_at + 1, ..position.clone() },
        LogPosition { sequence: position.sequence + 1, ..position.clone() },
    ] {
        let refused = reader.check_position(&other);
        assert!(matches!(refused, Err(Error::LogCut)), "{refused:?}");
    }
    drop((reader, store));
    let store = serve(&folder);
    store.reader().unwrap().check_position(&position).unwrap();
}
