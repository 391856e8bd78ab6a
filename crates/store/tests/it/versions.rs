//! What becomes of a record that is there already in this, a lower or a higher version.

use std::slice::from_ref;

use model::fragment::Pack;
use store::{Change, Outcome, Reader, Store};

use crate::calls::{Call, call, guid};
use crate::engine::{Folder, other_tenant, serve, tenant};

fn write(store: &Store, calls: &[Call]) -> Vec<Outcome> {
    let records = calls.iter().map(|call| call.shred(store)).collect();
    let written = store.write(&tenant(), records).wait().unwrap();
    written.into_iter().map(|written| written.outcome).collect()
}

fn versions(reader: &mut Reader, call: &Call) -> Vec<(i64, bool)> {
    let versions = reader.versions(&tenant(), &call.key()).unwrap();
    versions.iter().map(|stored| (stored.version, stored.is_current)).collect()
}

fn changes(reader: &mut Reader) -> Vec<(i64, Change)> {
    let changes = reader.changes(0, 100).unwrap();
    changes.iter().map(|change| (change.version, change.change)).collect()
}

fn problems(store: &Store) -> Vec<String> {
    store.doctor().unwrap().problems
}

#[test]
fn a_higher_version_replaces_and_a_lower_one_is_archived() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).participants(&["a", "b"]).sessions(2);
    assert_eq!(write(&store, &[record.clone().version(2)]), [Outcome::Created]);
    assert_eq!(write(&store, &[record.clone().version(5).sessions(3)]), [Outcome::Replaced]);
    assert_eq!(write(&store, &[record.clone().version(1)]), [Outcome::Archived]);
    assert_eq!(write(&store, &[record.clone().version(3)]), [Outcome::Archived]);
    let mut reader = store.reader().unwrap();
    assert_eq!(versions(&mut reader, &record), [(1, false), (2, false), (3, false), (5, true)]);
    let current = reader.record(&tenant(), &record.key(), None).unwrap().unwrap();
    assert_eq!((current.version, current.session_count), (5, 3));
    let old = reader.record(&tenant(), &record.key(), Some(2)).unwrap().unwrap();
    assert_eq!((old.version, old.is_current, old.session_count), (2, false, 2));
    assert!(reader.record(&tenant(), &record.key(), Some(4)).unwrap().is_none());
    let log =
        [(2, Change::Created), (5, Change::Replaced), (1, Change::Archived), (3, Change::Archived)];
    assert_eq!(changes(&mut reader), log);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn the_same_again_is_unchanged_and_not_logged() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).participants(&["a"]).sessions(1);
    assert_eq!(write(&store, from_ref(&record)), [Outcome::Created]);
    assert_eq!(write(&store, from_ref(&record)), [Outcome::Unchanged]);
    assert_eq!(changes(&mut store.reader().unwrap()).len(), 1);
}

#[test]
fn what_a_record_learns_is_merged_into_its_version() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1);
    assert_eq!(write(&store, from_ref(&record)), [Outcome::Created]);
    let mut reader = store.reader().unwrap();
    let before = reader.record(&tenant(), &record.key(), None).unwrap().unwrap();
    let fuller = record.clone().participants(&["a", "b"]).sessions(2);
    assert_eq!(write(&store, from_ref(&fuller)), [Outcome::Merged]);
    let after = reader.record(&tenant(), &record.key(), None).unwrap().unwrap();
    assert_eq!(after.record_key, before.record_key);
    assert_eq!((after.session_count, after.participant_count), (2, 2));
    let mut pack = Vec::new();
    assert!(reader.session_pack(after.record_key, 0, &mut pack).unwrap());
    assert_eq!(Pack::read(&pack).unwrap().len(), 2);
    assert!(!reader.session_pack(after.record_key, 1, &mut pack).unwrap());
    assert_eq!(write(&store, &[record, fuller]), [Outcome::Unchanged, Outcome::Unchanged]);
    assert_eq!(changes(&mut reader), [(1, Change::Created), (1, Change::Merged)]);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn an_archived_version_can_learn_too_and_stays_archived() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1);
    write(&store, &[record.clone().version(2), record.clone()]);
    assert_eq!(write(&store, &[record.clone().sessions(1)]), [Outcome::Merged]);
    let mut reader = store.reader().unwrap();
    assert_eq!(versions(&mut reader, &record), [(1, false), (2, true)]);
    let old = reader.record(&tenant(), &record.key(), Some(1)).unwrap().unwrap();
    assert_eq!(old.session_count, 1);
    let found = reader.session_ordinal(old.record_key, &model::key(&guid(0x5e00_0000)));
    assert_eq!(found.unwrap(), Some(0));
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn a_value_that_differs_is_a_conflict_and_changes_nothing() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).more(r#""joinWebUrl":"https://contoso.com/a""#);
    let other = call(1).more(r#""joinWebUrl":"https://contoso.com/b""#);
    write(&store, from_ref(&record));
    let conflict = Outcome::Conflict { pointer: "/joinWebUrl".to_owned() };
    assert_eq!(write(&store, &[other]), [conflict]);
    let mut reader = store.reader().unwrap();
    assert_eq!(changes(&mut reader).len(), 1);
    let stored = reader.record(&tenant(), &record.key(), None).unwrap().unwrap();
    let text = String::from_utf8_lossy(&stored.fragment).into_owned();
    assert!(text.contains("https://contoso.com/a"), "{text}");
}

#[test]
fn one_batch_may_hold_several_versions_of_a_record() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).participants(&["a"]);
    let batch = [
        record.clone(),
        record.clone(),
        record.clone().version(3),
        record.clone().version(2),
        record.clone().sessions(1),
    ];
    let outcomes = [
        Outcome::Created,
        Outcome::Unchanged,
        Outcome::Replaced,
        Outcome::Archived,
        Outcome::Merged,
    ];
    assert_eq!(write(&store, &batch), outcomes);
    assert_eq!(
        versions(&mut store.reader().unwrap(), &record),
        [(1, false), (2, false), (3, true)]
    );
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn ids_that_are_guids_are_found_in_either_case_and_kept_as_they_came() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut record = call(0xabc);
    record.id = record.id.to_uppercase();
    write(&store, from_ref(&record));
    let mut reader = store.reader().unwrap();
    let key = model::key(&record.id.to_lowercase());
    let stored = reader.record(&tenant(), &key, None).unwrap().unwrap();
    assert_eq!(stored.id, record.id);
}

#[test]
fn tenants_do_not_see_each_other() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1);
    write(&store, from_ref(&record));
    let mut reader = store.reader().unwrap();
    assert!(reader.record(&other_tenant(), &record.key(), None).unwrap().is_none());
    assert!(reader.versions(&other_tenant(), &record.key()).unwrap().is_empty());
    let records = vec![record.shred(&store)];
    let written = store.write(&other_tenant(), records).wait().unwrap();
    assert_eq!(written[0].outcome, Outcome::Created);
}

#[test]
fn sessions_are_found_by_id_in_current_and_in_old_versions() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).sessions(130);
    write(&store, &[record.clone(), record.clone().version(2)]);
    let mut reader = store.reader().unwrap();
    for version in [1, 2] {
        let stored = reader.record(&tenant(), &record.key(), Some(version)).unwrap().unwrap();
        let mut ordinal =
            |id: &str| reader.session_ordinal(stored.record_key, &model::key(id)).unwrap();
        assert_eq!(ordinal(&record.sessions[0]), Some(0));
        assert_eq!(ordinal(&record.sessions[125]), Some(125));
        assert_eq!(ordinal("none of them"), None);
    }
}
