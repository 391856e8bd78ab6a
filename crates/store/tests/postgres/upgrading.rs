//! Nodes of two versions on one database, and a database that has moved to another cluster.

use model::rows::RowSet::Records;
use store::{Change, Error, Reader, Role, Store};

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};
use crate::oracle::query;
use crate::queries::all;
use crate::sample::budget;

#[test]
fn a_node_works_with_a_newer_store_unless_it_has_to_know_more() {
    let folder = Folder::new();
    drop(serve(&folder));
    let steps: i64 = folder.ask("SELECT count(*) FROM migration").parse().unwrap();
    // What the next version brings: a column that this one does without.
    folder.ask("ALTER TABLE call_record ADD COLUMN mood text");
    let next = steps + 1;
    folder.ask(&format!("INSERT INTO migration VALUES ({next}, 'of the next version', {steps})"));
    let store = serve(&folder);
    store.write(&tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    assert!(store.reader().unwrap().record(&tenant(), &call(1).key(), None).unwrap().is_some());
    // And what the one after that takes away.
    let more = next + 1;
    folder.ask(&format!("INSERT INTO migration VALUES ({more}, 'one more', {next})"));
    let refused = Store::open(&folder.options(Role::Tool)).map(drop);
    assert!(matches!(refused, Err(Error::Newer { .. })), "{refused:?}");
}

#[test]
fn the_log_goes_on_where_a_dump_was_restored_in_a_younger_cluster() {
    let folder = Folder::new();
    let store = serve(&folder);
    store.write(&tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    drop(store);
    // As if the cluster that it came from had given a million numbers more.
    folder.ask("UPDATE change_log SET sequence = sequence + (1000000::bigint << 20)");
    folder.ask("UPDATE notification_cursor SET sequence = (SELECT max(sequence) FROM change_log)");
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let last = reader.last_change().unwrap();
    assert!(last > 1_000_000 << 20);
    store.write(&tenant(), vec![call(2).shred(&store)]).wait().unwrap();
    let entries = reader.changes(last, 10).unwrap();
    let entries: Vec<_> = entries.iter().map(|entry| (entry.change, entry.id.clone())).collect();
    assert_eq!(entries, [(Change::Created, Some(call(2).id))]);
    // Opened again nothing moves any more.
    let base = "SELECT value FROM setting WHERE name = 'transaction_base'";
    let before = folder.ask(base);
    drop(serve(&folder));
    assert_eq!(folder.ask(base), before);
}

#[test]
fn a_store_of_the_first_schema_is_opened_read_and_written() {
    let folder = Folder::new();
    folder.load(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres/store-1.sql"));
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let first = reader.current(&tenant(), &call(1).key(), true).unwrap().unwrap();
    let mut pack = Vec::new();
    assert!(reader.session_pack(first.record_key, 0, &mut pack).unwrap());
    assert_eq!((first.session_count, first.participant_count), (2, 2));
    let versions = reader.versions(&tenant(), &call(2).key()).unwrap();
    let versions: Vec<_> = versions.iter().map(|row| (row.version, row.is_current)).collect();
    assert_eq!(versions, [(1, false), (2, true)]);
    let of_one = query(Records, &[("$filter", "participants_v2/any(p:p/id eq 'a')")]);
    assert_eq!(reader.count_rows(&tenant(), &of_one, &budget()).unwrap(), 2);
    let listed = all(&mut reader, &query(Records, &[]), 10, &budget());
    assert_eq!(listed, [call(2).id, call(1).id, call(3).id]);
    assert_eq!(reader.changes(0, 10).unwrap().len(), 4);
    store.write(&tenant(), vec![call(1).version(2).shred(&store)]).wait().unwrap();
    assert_eq!(reader.versions(&tenant(), &call(1).key()).unwrap().len(), 2);
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

#[test]
fn words_get_their_plain_forms_while_searches_find_them_already() {
    let folder = Folder::new();
    let store = serve(&folder);
    let organizer = r#""organizer":{"user":{"id":"o","displayName":"Zo\u00eb Gro\u00df"}}"#;
    let named = call(1).more(organizer);
    store.write(&tenant(), vec![named.shred(&store), call(2).shred(&store)]).wait().unwrap();
    drop(store);
    let indexed = "SELECT count(*) FROM record_search WHERE words @@ '''1\u{b7}zoe'''::tsquery";
    assert_eq!(folder.ask(indexed), "1");
    // As the version before has left it.
    folder.ask("UPDATE record_search SET words = ts_delete(words, '1\u{b7}zoe')");
    folder.ask("INSERT INTO refill SELECT min(record_key), max(record_key) FROM call_record");
    assert_eq!(folder.ask(indexed), "0");
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let wanted = query(Records, &[("$search", "zoe")]);
    assert_eq!(all(&mut reader, &wanted, 10, &budget()), [call(1).id]);
    while store.fill(1).wait().unwrap() {}
    assert_eq!(folder.ask(indexed), "1");
    assert_eq!(folder.ask("SELECT count(*) FROM refill"), "0");
    assert_eq!(all(&mut reader, &wanted, 10, &budget()), [call(1).id]);
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

#[test]
fn what_a_node_of_the_version_before_writes_is_judged_by_each_question_until_it_is_brought_up() {
    let folder = Folder::new();
    let store = serve(&folder);
    let judged = query(Records, &[("$filter", "callvault.quality/verdict ne null")]);
    let by_rating =
        "sessions/any(s:s/segments/any(g:g/caller/userAgent/applicationVersion ne 'x'))";
    let by_rating = query(Records, &[("$filter", by_rating)]);
    store.write(&tenant(), vec![call(1).sessions(1).shred(&store)]).wait().unwrap();
    let mut reader = store.reader().unwrap();
    let counts = |reader: &mut Reader| {
        [&judged, &by_rating].map(|query| reader.count_rows(&tenant(), query, &budget()).unwrap())
    };
    assert_eq!(counts(&mut reader), [1, 1]);
    assert!(store.judge(10, &|| true).unwrap());
    // As a node writes that knows no verdicts, at any time and of any month.
    store
        .write(&tenant(), vec![call(2).start(-1_000_000).sessions(1).shred(&store)])
        .wait()
        .unwrap();
    folder.ask(
        "UPDATE call_record SET quality_verdict = NULL, flags = flags & ~384 WHERE start_date_time < 0",
    );
    let unjudged = "SELECT count(*) FROM call_record WHERE quality_verdict IS NULL";
    assert_eq!(folder.ask(unjudged), "1");
    assert_eq!(counts(&mut reader), [2, 2]);
    assert!(reader.explain(&tenant(), &judged).unwrap().residual.is_some());
    assert!(store.judge(10, &|| true).unwrap());
    assert_eq!(folder.ask(unjudged), "0");
    assert_eq!(counts(&mut reader), [2, 2]);
    assert!(reader.explain(&tenant(), &judged).unwrap().residual.is_none());
}

#[test]
fn a_record_that_can_not_be_judged_has_no_verdict_by_any_question() {
    let folder = Folder::new();
    let store = serve(&folder);
    let records = (1..=3).map(|number| call(number).sessions(1).shred(&store)).collect();
    store.write(&tenant(), records).wait().unwrap();
    // Stored by the version before, and damaged since.
    folder.ask("UPDATE session_pack SET fragment = '\\x00'::bytea");
    let key = folder.ask("SELECT max(record_key) FROM call_record");
    folder.ask(&format!(
        "UPDATE call_record SET quality_verdict = NULL, flags = flags & ~384 WHERE record_key = {key}"
    ));
    assert!(store.judge(7, &|| true).unwrap());
    let verdicts = "SELECT count(*) FROM call_record WHERE quality_verdict = ''";
    assert_eq!(folder.ask(verdicts), "1", "it is damaged");
    let mut reader = store.reader().unwrap();
    let count = |reader: &mut Reader, filter: &str| {
        let query = query(Records, &[("$filter", filter)]);
        assert!(reader.explain(&tenant(), &query).unwrap().residual.is_none(), "{filter}");
        reader.count_rows(&tenant(), &query, &budget()).unwrap()
    };
    assert_eq!(count(&mut reader, "callvault.quality/verdict ne null"), 2);
    assert_eq!(count(&mut reader, "callvault.quality/verdict eq null"), 1);
    assert_eq!(count(&mut reader, "callvault.quality/profile eq 'cqd-2021/1'"), 3);
    let group =
        "groupby((callvault.quality/verdict,callvault.quality/profile),aggregate($count as n))";
    let groups = reader.apply(&tenant(), &query(Records, &[("$apply", group)]), &budget()).unwrap();
    let groups: Vec<String> =
        groups.into_iter().map(|text| String::from_utf8(text).unwrap()).collect();
    assert_eq!(groups.len(), 2, "{groups:?}");
    assert!(groups.iter().any(|group| group.contains(r#""verdict":null"#)), "{groups:?}");
    assert!(groups.iter().all(|group| group.contains("cqd-2021/1")), "{groups:?}");
}
