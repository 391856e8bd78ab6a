//! Stores of an earlier version: what their records lack is made from their fragments.

use std::path::Path;

use rusqlite::Connection;
use store::{Role, Store};

use crate::calls::call;
use crate::engine::{Folder, open, other_tenant, tenant};

const FIRST_STEP: &str = include_str!("../../migrations/sqlite/0001_records.sql");

/// What the later steps made.
const OF_LATER_STEPS: [&str; 34] = [
    "segment",
    "media",
    "stream",
    "record_search",
    "refill",
    "subscription",
    "subscription_record",
    "subscription_endpoint",
    "delivery",
    "notification_cursor",
    "call_chain",
    "call",
    "call_event",
    "log_row",
    "log_state",
    "lease",
    "place_map",
    "quality_profile",
    "sign_in_link",
    "page_session",
    "access_entry",
    "block",
    "block_chunk",
    "block_gone",
    "block_cursor",
    "mirror",
    "mirror_delay",
    "mirror_evidence",
    "mirror_gap",
    "mirror_hour",
    "mirror_reception",
    "mirror_record",
    "mirror_subscription",
    "app_credential",
];

/// Brings a store back to what the first step made, with none of the rows below its records.
fn make_old(path: &Path) {
    let connection = Connection::open(path).unwrap();
    for table in OF_LATER_STEPS {
        connection.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    for index in [
        "call_record_by_end",
        "call_record_with_odd_values",
        "call_record_without_columns",
        "change_log_merged",
        "change_log_erased",
        "change_log_by_tenant",
    ] {
        connection.execute_batch(&format!("DROP INDEX {index}")).unwrap();
    }
    for table in ["call_record", "session"] {
        for column in model::columns::CALL_QUALITY {
            let text = format!("ALTER TABLE {table} DROP COLUMN {}", column.name);
            connection.execute_batch(&text).unwrap();
        }
    }
    for table in ["segment", "stream"] {
        let at = FIRST_STEP.find(&format!("CREATE TABLE {table} ")).unwrap();
        let (statement, _) = FIRST_STEP[at..].split_once(';').unwrap();
        connection.execute_batch(statement).unwrap();
    }
    connection.execute("DELETE FROM migration WHERE number > 1", ()).unwrap();
}

/// All rows of the tables below records, and where words stand.
fn contents(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE VIRTUAL TABLE temp.term USING fts5vocab('main', 'record_search', 'instance')",
        )
        .unwrap();
    let mut lines = Vec::new();
    for table in ["session", "segment", "media", "stream", "refill", "temp.term"] {
        let text = format!("SELECT * FROM {table}");
        let mut statement = connection.prepare(&text).unwrap();
        let count = statement.column_count();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..count).map(|at| row.get_ref(at).unwrap()).collect();
            lines.push(format!("{table} {values:?}"));
        }
    }
    lines.sort_unstable();
    lines
}

fn sound(store: &Store) {
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

#[test]
fn the_records_of_an_older_store_get_their_rows_and_words() {
    let folder = Folder::new();
    let path = folder.store();
    let store = open(&path, Role::Tool);
    let shredded = (0..1_100).map(|number| {
        call(number).sessions(u32::from(number % 7 == 0)).participants(&["a"]).shred(&store)
    });
    store.write(&tenant(), shredded.collect()).wait().unwrap();
    let more = [
        call(3).version(2).sessions(2).shred(&store),
        call(5_000).start(-1_000_000).sessions(61).shred(&store),
    ];
    store.write(&tenant(), more.into()).wait().unwrap();
    store.write(&other_tenant(), vec![call(1).shred(&store)]).wait().unwrap();
    sound(&store);
    drop(store);
    let expected = contents(&path);
    assert!(expected.iter().any(|line| line.starts_with("temp.term")), "{}", expected.len());
    make_old(&path);
    let store = open(&path, Role::Tool);
    sound(&store);
    drop(store);
    assert_eq!(contents(&path), expected);
}

#[test]
fn a_filling_that_was_broken_off_goes_on_where_it_was() {
    let folder = Folder::new();
    let path = folder.store();
    let store = open(&path, Role::Tool);
    let shredded = (0..30).map(|number| call(number).sessions(1).shred(&store)).collect();
    store.write(&tenant(), shredded).wait().unwrap();
    drop(store);
    let expected = contents(&path);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "INSERT INTO refill (next, last) VALUES (11, 30); DELETE FROM session WHERE record_key > 20;
             DELETE FROM media WHERE record_key > 10;
             DELETE FROM record_search WHERE rowid & 34359738367 > 15",
        )
        .unwrap();
    drop(connection);
    sound(&open(&path, Role::Tool));
    assert_eq!(contents(&path), expected);
}

#[test]
fn a_damaged_record_does_not_keep_the_others_from_being_filled_in() {
    let folder = Folder::new();
    let path = folder.store();
    let store = open(&path, Role::Tool);
    let shredded = (0..3).map(|number| call(number).sessions(1).shred(&store)).collect();
    store.write(&tenant(), shredded).wait().unwrap();
    drop(store);
    make_old(&path);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute("UPDATE session_pack SET fragment = x'28b52ffd' WHERE pack_key >> 16 = 2", ())
        .unwrap();
    drop(connection);
    let problems = open(&path, Role::Tool).doctor().unwrap().problems;
    assert!(problems.iter().any(|problem| problem.contains("cannot be read")), "{problems:?}");
    let connection = Connection::open(&path).unwrap();
    let filled: i64 =
        connection.query_row("SELECT count(*) FROM stream", (), |row| row.get(0)).unwrap();
    assert_eq!(filled, 2);
}

#[test]
fn words_of_an_older_store_get_their_plain_forms() {
    let folder = Folder::new();
    let path = folder.store();
    let store = open(&path, Role::Tool);
    let organizer = r#""organizer":{"user":{"id":"o","displayName":"Zo\u00eb Gro\u00df"}}"#;
    let named = call(1).more(organizer);
    store.write(&tenant(), vec![named.shred(&store), call(2).shred(&store)]).wait().unwrap();
    drop(store);
    let expected = contents(&path);
    let connection = Connection::open(&path).unwrap();
    let text = "SELECT id FROM record_search_docsize WHERE id & 34359738367 = 1";
    let rowid: i64 = connection.query_row(text, (), |row| row.get(0)).unwrap();
    connection.execute("DELETE FROM record_search WHERE rowid = ?1", [rowid]).unwrap();
    let words = "1\u{b7}zo\u{eb} 1\u{b7}gro\u{df}";
    let text = "INSERT INTO record_search (rowid, words) VALUES (?1, ?2)";
    connection.execute(text, (rowid, words)).unwrap();
    let text = "INSERT INTO refill (next, last, words_only) VALUES (1, 2, 1)";
    connection.execute(text, ()).unwrap();
    drop(connection);
    assert_ne!(contents(&path), expected);
    sound(&open(&path, Role::Tool));
    assert_eq!(contents(&path), expected);
}
