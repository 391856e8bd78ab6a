//! Readers hold a snapshot and see every acknowledged write all the same.

use store::Outcome;

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};

#[test]
fn a_held_snapshot_never_hides_an_acknowledged_write() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    for number in 0..300 {
        let record = call(number);
        // Read first, so that there is a snapshot from before the write.
        assert!(reader.record(&tenant(), &record.key(), None).unwrap().is_none());
        let written = store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
        assert_eq!(written[0].outcome, Outcome::Created);
        assert!(reader.record(&tenant(), &record.key(), None).unwrap().is_some(), "{number}");
    }
}

#[test]
fn a_record_and_its_packs_are_read_as_of_one_moment() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).sessions(70);
    store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
    let mut reader = store.reader().unwrap();
    let stored = reader.record(&tenant(), &record.key(), None).unwrap().unwrap();
    store.erase_ended_before(i64::MAX, 10).wait().unwrap();
    let mut pack = Vec::new();
    assert!(reader.session_pack(stored.record_key, 0, &mut pack).unwrap());
    assert!(reader.session_pack(stored.record_key, 1, &mut pack).unwrap());
    reader.release();
    assert!(!reader.session_pack(stored.record_key, 1, &mut pack).unwrap());
}

#[test]
fn writes_of_many_callers_share_transactions() {
    let folder = Folder::new();
    let store = serve(&folder);
    let before = store.commits();
    let pending: Vec<_> =
        (0..500).map(|number| store.write(&tenant(), vec![call(number).shred(&store)])).collect();
    for pending in pending {
        assert_eq!(pending.wait().unwrap()[0].outcome, Outcome::Created);
    }
    let commits = store.commits() - before;
    assert!(commits < 500, "{commits} commits");
}

#[test]
fn background_work_and_writes_that_somebody_waits_for_take_turns() {
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let mut erased = 0;
    for number in 0..200 {
        let record = call(number);
        let erasing = store.erase_ended_before(i64::MAX, 1);
        let written = store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
        assert_eq!(written[0].outcome, Outcome::Created);
        erased += erasing.wait().unwrap();
        // What the background has committed shows at once as well.
        let is_there = reader.record(&tenant(), &record.key(), None).unwrap().is_some();
        let count = store.erase_ended_before(i64::MAX, 1).wait().unwrap();
        assert_eq!(count, usize::from(is_there), "{number}");
        erased += count;
        assert!(reader.record(&tenant(), &record.key(), None).unwrap().is_none(), "{number}");
    }
    assert_eq!(erased, 200);
}

#[test]
fn sessions_that_were_read_with_a_record_are_not_those_of_a_later_question() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).sessions(1);
    store.write(&tenant(), vec![record.shred(&store)]).wait().unwrap();
    let mut reader = store.reader().unwrap();
    let first = reader.current(&tenant(), &record.key(), true).unwrap().unwrap();
    // More is told of the same version; nobody has asked for the sessions yet.
    let json =
        record.json().replace(r#""streamId":"1""#, r#""streamId":"1","wasMediaBypassed":true"#);
    let more = model::shred(&json, &mut store.codec()).unwrap();
    let told = store.write(&tenant(), vec![more]).wait().unwrap();
    assert_eq!(told[0].outcome, Outcome::Merged);
    let again = reader.record(&tenant(), &record.key(), None).unwrap().unwrap();
    assert_eq!(again.record_key, first.record_key);
    let mut pack = Vec::new();
    assert!(reader.session_pack(again.record_key, 0, &mut pack).unwrap());
    assert!(
        String::from_utf8_lossy(&pack).contains("wasMediaBypassed"),
        "the sessions are the later ones"
    );
}
