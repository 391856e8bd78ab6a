//! Retention: what is erased is gone whole, and the log says so.

use store::Change;

use crate::calls::call;
use crate::engine::{Folder, WORDS, other_tenant, serve, tenant};
use crate::sample::count;

#[test]
fn records_that_ended_before_an_instant_go_with_all_their_versions() {
    let folder = Folder::new();
    let store = serve(&folder);
    let old = call(1).participants(&["a"]).sessions(3);
    let grown = call(2).participants(&["a"]);
    let records = [
        old.clone(),
        old.clone().version(2),
        grown.clone(),
        grown.clone().version(2).start(1_800_000_000),
    ];
    store.write(&tenant(), records.iter().map(|call| call.shred(&store)).collect()).wait().unwrap();
    store.write(&other_tenant(), vec![call(3).shred(&store)]).wait().unwrap();
    let bound = call(0).start(1_750_000_000).ticks();
    assert_eq!(store.erase_ended_before(bound, 1).wait().unwrap(), 1);
    assert_eq!(store.erase_ended_before(bound, 10).wait().unwrap(), 1);
    assert_eq!(store.erase_ended_before(bound, 10).wait().unwrap(), 0);
    let mut reader = store.reader().unwrap();
    assert!(reader.versions(&tenant(), &old.key()).unwrap().is_empty());
    assert_eq!(reader.versions(&tenant(), &grown.key()).unwrap().len(), 2);
    assert_eq!(count(&store, &other_tenant()), 0);
    let erased: Vec<_> = reader
        .changes(0, 100)
        .unwrap()
        .into_iter()
        .filter(|change| change.change == Change::Erased)
        .map(|change| (change.id, change.version))
        .collect();
    assert_eq!(erased, [(Some(old.id.clone()), 2), (Some(old.id), 1), (Some(call(3).id), 1)]);
    let diagnosis = store.doctor().unwrap();
    assert_eq!(diagnosis.problems, [""; 0]);
    let rows = |name: &str| {
        let table = diagnosis.tables.iter().find(|table| table.name == name);
        table.map(|table| table.rows)
    };
    for (table, left) in [
        ("session", 0),
        ("session_pack", 0),
        ("participant", 1),
        ("stream", 0),
        ("media", 0),
        (WORDS, 1),
    ] {
        assert_eq!(rows(table), Some(left), "{table}");
    }
}

#[test]
fn a_record_that_comes_again_after_its_erasure_is_another_one() {
    let folder = Folder::new();
    let store = serve(&folder);
    let write = || store.write(&tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    write();
    let mut reader = store.reader().unwrap();
    let before = reader.record(&tenant(), &call(1).key(), None).unwrap().unwrap();
    store.erase_ended_before(i64::MAX, 10).wait().unwrap();
    write();
    let after = reader.record(&tenant(), &call(1).key(), None).unwrap().unwrap();
    assert!(after.record_key > before.record_key);
}
