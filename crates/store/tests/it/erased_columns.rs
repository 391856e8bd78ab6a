//! What is left in blocks of columns of a record that was erased: nothing.

use columnar::{Column, decode};
use model::columns::Affinity;
use rusqlite::Connection;

use crate::calls::{Call, call};
use crate::engine::{Folder, serve, tenant};

/// The ids of records that stand in blocks, and how many records are noted as gone from one.
fn in_blocks(folder: &Folder) -> (Vec<String>, i64) {
    let file = Connection::open(folder.store()).unwrap();
    let gone = file.query_row("SELECT count(*) FROM block_gone", (), |row| row.get(0)).unwrap();
    let text = "SELECT c.body, b.row_count FROM block_chunk c JOIN block b USING (block_key) \
                WHERE c.name = 'call_record.id'";
    let mut statement = file.prepare(text).unwrap();
    let chunks = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut ids = Vec::new();
    for chunk in chunks {
        let (body, rows): (Vec<u8>, i64) = chunk.unwrap();
        let rows = usize::try_from(rows).unwrap();
        let column = decode(body.into(), ("call_record.id", Affinity::Text), rows).unwrap();
        let Column::Text(texts) = column else { panic!("ids are texts") };
        ids.extend((0..rows).filter_map(|row| texts.get(row)).map(str::to_owned));
    }
    (ids, gone)
}

#[test]
fn an_erased_record_leaves_no_value_in_blocks() {
    let folder = Folder::new();
    let store = serve(&folder);
    let calls: Vec<Call> = (0..10).map(|it| call(it).sessions(2)).collect();
    let records = calls.iter().map(|call| call.shred(&store)).collect();
    store.write(&tenant(), records).wait().unwrap();
    store.compact(true, &|| true).unwrap();
    let (before, _) = in_blocks(&folder);
    assert_eq!(before.len(), 20);
    store.erase(&tenant(), vec![calls[4].key()]).wait().unwrap();
    store.compact(false, &|| true).unwrap();
    let (after, gone) = in_blocks(&folder);
    assert_eq!((after.len(), gone), (18, 0));
    let is_erased = |id: &String| model::key(id) == calls[4].key();
    assert!(before.iter().any(is_erased) && !after.iter().any(is_erased));
}
