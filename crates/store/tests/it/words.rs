//! The full-text index: it has the words of what is current, and no others.

use rusqlite::Connection;

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};

/// The records that have a word, by their keys.
fn having(folder: &Folder, word: &str) -> Vec<i64> {
    let connection = Connection::open(folder.store()).unwrap();
    let text = "SELECT rowid & 34359738367 FROM record_search WHERE record_search MATCH ?1 \
                ORDER BY rowid";
    let mut statement = connection.prepare(text).unwrap();
    let keys = statement.query_map([format!("\"1\u{b7}{word}\"")], |row| row.get(0)).unwrap();
    keys.map(Result::unwrap).collect()
}

#[test]
fn words_follow_the_current_version() {
    let folder = Folder::new();
    let store = serve(&folder);
    let write = |call: &crate::calls::Call| {
        store.write(&tenant(), vec![call.shred(&store)]).wait().unwrap();
    };
    let key = |id_key: &[u8]| {
        let record = store.reader().unwrap().record(&tenant(), id_key, None).unwrap();
        record.unwrap().record_key
    };
    let record = call(1).participants(&["abbie"]);
    write(&record);
    let first = key(&record.key());
    assert_eq!(having(&folder, "abbie"), [first]);
    write(&record.clone().version(2).participants(&["robin"]));
    let second = key(&record.key());
    assert_eq!((having(&folder, "abbie"), having(&folder, "robin")), (vec![], vec![second]));
    write(&record.clone().version(1).participants(&["abbie"]).sessions(1));
    assert_eq!(having(&folder, "abbie"), [0; 0], "what is archived is not searched");
    let learnt = record
        .clone()
        .version(2)
        .participants(&["robin"])
        .more(r#""organizer":{"user":{"id":"o","displayName":"Kim Lee"}}"#);
    write(&learnt);
    assert_eq!((having(&folder, "kim"), having(&folder, "robin")), (vec![second], vec![second]));
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
    store.erase_ended_before(i64::MAX, 10).wait().unwrap();
    assert_eq!((having(&folder, "kim"), having(&folder, "robin")), (vec![], vec![]));
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

/// Whether a text stands anywhere in the index.
fn is_in_file(folder: &Folder, text: &str) -> bool {
    let connection = Connection::open(folder.store()).unwrap();
    let mut statement = connection.prepare("SELECT block FROM record_search_data").unwrap();
    let blocks = statement.query_map((), |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let contains = |block: &[u8]| block.windows(text.len()).any(|window| window == text.as_bytes());
    blocks.map(Result::unwrap).any(|block| contains(&block))
}

#[test]
fn words_of_erased_records_do_not_stay_in_the_file() {
    let folder = Folder::new();
    let store = serve(&folder);
    let old = call(1).participants(&["unforgettable"]);
    let kept = call(2).start(1_800_000_000).participants(&["remembered"]);
    for call in [&old, &kept] {
        store.write(&tenant(), vec![call.shred(&store)]).wait().unwrap();
    }
    // Filling pages, so that there is more than one step to take.
    let others = (10..2_000).map(|number| {
        let names = [0, 1, 2].map(|at| format!("name{number}of{at}"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        call(number).start(1_800_000_000).participants(&names).shred(&store)
    });
    store.write(&tenant(), others.collect()).wait().unwrap();
    assert_eq!(
        store.erase_ended_before(call(0).start(1_750_000_000).ticks(), 10).wait().unwrap(),
        1
    );
    assert_eq!(having(&folder, "unforgettable"), [0; 0]);
    store.forget_words(0).unwrap();
    assert!(is_in_file(&folder, "unforgettable"), "nothing was erased so long ago");
    store.forget_words(i64::MAX).unwrap();
    assert!(!is_in_file(&folder, "unforgettable"));
    assert!(is_in_file(&folder, "remembered"));
    assert_eq!((having(&folder, "remembered").len(), having(&folder, "name77of2").len()), (1, 1));
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
    // Nothing was erased since.
    store.forget_words(i64::MAX).unwrap();
}

#[test]
fn a_batch_that_writes_a_record_again_and_again_leaves_its_last_words() {
    let folder = Folder::new();
    let store = serve(&folder);
    let record = call(1).participants(&["abbie"]);
    let batch = [
        record.clone(),
        record.clone().sessions(1),
        record.clone().version(2).participants(&["robin"]),
        call(2).start(0).participants(&["abbie", "robin"]),
    ];
    store.write(&tenant(), batch.iter().map(|call| call.shred(&store)).collect()).wait().unwrap();
    assert_eq!((having(&folder, "abbie").len(), having(&folder, "robin").len()), (1, 2));
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}
