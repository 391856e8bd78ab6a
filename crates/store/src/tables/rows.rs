//! The rows of a version: puts them in and takes them out.

use std::sync::LazyLock;

use model::columns::Table;
use model::fragment::{Codec as _, FragmentKind, Pack};
use model::shred::TypedRows;
use model::{Shredded, Value, key};

use super::keys::shard_key;
use super::search::Waiting;
use super::stored::{Head, PACK_BITS};
use crate::codec::dictionary_key;
use crate::engine::{Connection, Field, Value as _, Values};
use crate::{Cause, Codec, Error};

/// Bytes of a content hash that are kept: enough that two contents never share one by accident.
const HASH_BYTES: usize = 16;

/// The insert into a table whose columns the model names. Where many nodes write, a row ends with
/// its shard key.
fn insert_text(connection: &Connection, table: Table) -> &'static str {
    /// By [`Table`].
    static OF_FILES: LazyLock<[String; 5]> =
        LazyLock::new(|| Table::ALL.map(|table| insertion(table, false)));
    static OF_NODES: LazyLock<[String; 5]> =
        LazyLock::new(|| Table::ALL.map(|table| insertion(table, true)));
    match connection {
        Connection::Sqlite(_) => &OF_FILES[table as usize],
        Connection::Postgres(_) => &OF_NODES[table as usize],
    }
}

fn insertion(table: Table, is_of_nodes: bool) -> String {
    let columns = table.columns().iter().map(|column| column.name);
    let shard_key = is_of_nodes.then_some("shard_key");
    let names: Vec<&str> = keys(table).iter().copied().chain(columns).chain(shard_key).collect();
    let places: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
    let mut returning = "";
    if table == Table::CallRecord && !is_of_nodes {
        returning = " RETURNING record_key";
    }
    let (table, names, places) = (table.name(), names.join(", "), places.join(", "));
    format!("INSERT INTO {table} ({names}) VALUES ({places}){returning}")
}

/// The columns before those that the model names.
fn keys(table: Table) -> &'static [&'static str] {
    match table {
        Table::CallRecord => &[
            "record_key",
            "tenant_key",
            "id",
            "id_key",
            "version",
            "is_current",
            "start_date_time",
            "end_date_time",
            "flags",
            "content_hash",
            "dictionary",
            "fragment",
        ],
        Table::Session => &["record_key", "ordinal", "id_key"],
        Table::Segment => &["record_key", "session", "ordinal"],
        Table::Media => &["record_key", "session", "segment", "ordinal"],
        Table::Stream => &["record_key", "session", "segment", "media", "ordinal"],
    }
}

/// Inserts a version, under a new key unless one is given; typed rows and participants only of the
/// current one.
pub(crate) fn insert(
    connection: &Connection,
    waiting: &mut Waiting,
    tenant_key: i64,
    record_key: Option<i64>,
    is_current: bool,
    record: &Shredded,
) -> Result<i64, Error> {
    let shard = Shard::of(connection, tenant_key, &record.id_key);
    let content_hash = &record.content_hash[..HASH_BYTES];
    let (dictionary, fragment) = (dictionary_key(&record.record), &record.record);
    let values = Row {
        keys: &[
            record_key.field(),
            tenant_key.field(),
            record.id.field(),
            record.id_key.field(),
            record.version.field(),
            is_current.field(),
            record.start.field(),
            record.end.field(),
            record.flags.field(),
            content_hash.field(),
            dictionary.field(),
            fragment.field(),
        ],
        columns: &record.rows.record,
        shard,
    };
    let text = insert_text(connection, Table::CallRecord);
    let record_key = match record_key {
        Some(key) if shard.0.is_some() => connection.defer(text, values).map(|()| key)?,
        _ => connection.inserted(text, values)?,
    };
    insert_packs(connection, "session_pack", shard, record_key, &record.session_packs)?;
    insert_packs(connection, "participant_pack", shard, record_key, &record.participant_packs)?;
    if is_current {
        insert_participants(connection, tenant_key, shard, record_key, record)?;
        insert_typed_rows(connection, shard, record_key, &record.rows)?;
        waiting.add(tenant_key, record.start, (record_key, shard), &record.rows.words)?;
    }
    Ok(record_key)
}

fn insert_packs(
    connection: &Connection,
    table: &'static str,
    shard: Shard,
    record_key: i64,
    packs: &[Vec<u8>],
) -> Result<(), Error> {
    let (name, place) = shard.named("?4");
    let text = format!(
        "INSERT INTO {table} (pack_key, dictionary, fragment{name}) VALUES (?1, ?2, ?3{place})"
    );
    for (number, pack) in packs.iter().enumerate() {
        let pack_key = super::stored::pack_key(record_key, number)
            .ok_or_else(|| Error::Internal(Cause::new("a record has too many packs")))?;
        let dictionary = dictionary_key(pack);
        let keys = &[pack_key.field(), dictionary.field(), pack.field()];
        connection.defer(&text, Row { keys, shard, ..Row::default() })?;
    }
    Ok(())
}

fn insert_participants(
    connection: &Connection,
    tenant_key: i64,
    shard: Shard,
    record_key: i64,
    record: &Shredded,
) -> Result<(), Error> {
    let (name, place) = shard.named("?5");
    let text = format!(
        "INSERT INTO participant (tenant_key, id_key, start_date_time, record_key{name}) \
         VALUES (?1, ?2, ?3, ?4{place}) ON CONFLICT DO NOTHING"
    );
    for id_key in &record.participant_keys {
        let keys = &[tenant_key.field(), id_key.field(), record.start.field(), record_key.field()];
        connection.defer(&text, Row { keys, shard, ..Row::default() })?;
    }
    Ok(())
}

/// Inserts the typed rows below a record.
pub(crate) fn insert_typed_rows(
    connection: &Connection,
    shard: Shard,
    record_key: i64,
    rows: &TypedRows,
) -> Result<(), Error> {
    let int = Field::Int;
    for row in &rows.sessions {
        let keys = &[int(record_key), int(row.ordinal), row.id_key.field()];
        insert_row(connection, Table::Session, shard, keys, &row.columns)?;
    }
    for row in &rows.segments {
        let keys = [record_key, row.session, row.ordinal].map(int);
        insert_row(connection, Table::Segment, shard, &keys, &row.columns)?;
    }
    for row in &rows.media {
        let keys = [record_key, row.session, row.segment, row.ordinal].map(int);
        insert_row(connection, Table::Media, shard, &keys, &row.columns)?;
    }
    for row in &rows.streams {
        let keys = [record_key, row.session, row.segment, row.media, row.ordinal].map(int);
        insert_row(connection, Table::Stream, shard, &keys, &row.columns)?;
    }
    Ok(())
}

fn insert_row(
    connection: &Connection,
    table: Table,
    shard: Shard,
    keys: &[Field<'_>],
    columns: &[Value],
) -> Result<(), Error> {
    connection.defer(insert_text(connection, table), Row { keys, columns, shard })
}

/// Where an engine that spreads rows over machines keeps those of a record; a file has no such key.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shard(pub(crate) Option<i64>);

impl Shard {
    /// Of a record.
    pub(crate) fn of(connection: &Connection, tenant_key: i64, id_key: &[u8]) -> Self {
        match connection {
            Connection::Sqlite(_) => Self(None),
            Connection::Postgres(_) => Self(Some(shard_key(tenant_key, id_key))),
        }
    }

    /// The column and its placeholder, behind others.
    fn named(self, place: &'static str) -> (&'static str, String) {
        match self.0 {
            None => ("", String::new()),
            Some(_) => (", shard_key", format!(", {place}")),
        }
    }
}

/// The values of a row: of its keys, of the columns that the model names, and of its shard.
#[derive(Default)]
struct Row<'r> {
    keys: &'r [Field<'r>],
    columns: &'r [Value],
    shard: Shard,
}

impl Values for Row<'_> {
    fn each<'v>(
        &'v self,
        give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.keys.iter().try_for_each(|key| give(key.clone()))?;
        self.columns.iter().try_for_each(|value| give(value.field()))?;
        self.shard.0.into_iter().map(Field::Int).try_for_each(give)
    }
}

/// Replaces the typed columns of a record itself.
pub(crate) fn update_columns(
    connection: &Connection,
    record_key: i64,
    values: &[Value],
) -> Result<(), Error> {
    let names = Table::CallRecord.columns().iter().map(|column| column.name);
    for (name, value) in names.zip(values) {
        let text = format!("UPDATE call_record SET {name} = ?1 WHERE record_key = ?2");
        connection.execute(&text, (value, record_key))?;
    }
    Ok(())
}

/// Sends the current version to history: it keeps its fragments and loses its typed rows.
pub(crate) fn retire(
    connection: &Connection,
    codec: &mut Codec,
    waiting: &mut Waiting,
    tenant_key: i64,
    version: &Head,
) -> Result<(), Error> {
    delete_typed_rows(connection, codec, waiting, tenant_key, version)?;
    connection.execute(
        "UPDATE call_record SET is_current = 0 WHERE record_key = ?1",
        [version.record_key],
    )?;
    Ok(())
}

/// Takes a version out of the store.
pub(crate) fn delete(
    connection: &Connection,
    codec: &mut Codec,
    waiting: &mut Waiting,
    tenant_key: i64,
    version: &Head,
) -> Result<(), Error> {
    if version.is_current {
        delete_typed_rows(connection, codec, waiting, tenant_key, version)?;
    }
    let first = version.record_key << PACK_BITS;
    let behind = (version.record_key + 1) << PACK_BITS;
    for text in [
        "DELETE FROM session_pack WHERE pack_key >= ?1 AND pack_key < ?2",
        "DELETE FROM participant_pack WHERE pack_key >= ?1 AND pack_key < ?2",
    ] {
        connection.execute(text, (first, behind))?;
    }
    connection.execute("DELETE FROM call_record WHERE record_key = ?1", [version.record_key])?;
    Ok(())
}

fn delete_typed_rows(
    connection: &Connection,
    codec: &mut Codec,
    waiting: &mut Waiting,
    tenant_key: i64,
    version: &Head,
) -> Result<(), Error> {
    delete_participants(connection, codec, tenant_key, version)?;
    delete_rows_below(connection, version.record_key)?;
    waiting.delete(connection, version.start, version.record_key)
}

/// Takes out the typed rows below a record.
pub(crate) fn delete_rows_below(connection: &Connection, record_key: i64) -> Result<(), Error> {
    for text in [
        "DELETE FROM session WHERE record_key = ?1",
        "DELETE FROM segment WHERE record_key = ?1",
        "DELETE FROM media WHERE record_key = ?1",
        "DELETE FROM stream WHERE record_key = ?1",
    ] {
        connection.execute(text, [record_key])?;
    }
    Ok(())
}

/// The rows begin with what participants are looked up by, so the packs say which there are. (One
/// that stayed would do no harm: lists take current versions only.)
fn delete_participants(
    connection: &Connection,
    codec: &mut Codec,
    tenant_key: i64,
    version: &Head,
) -> Result<(), Error> {
    let packs = "SELECT fragment FROM participant_pack WHERE pack_key >= ?1 AND pack_key < ?2";
    let delete = "DELETE FROM participant WHERE tenant_key = ?1 AND id_key = ?2 \
                  AND start_date_time = ?3 AND record_key = ?4";
    let keys = (version.record_key << PACK_BITS, (version.record_key + 1) << PACK_BITS);
    let packed = connection.all(packs, keys, |row| row.get::<Vec<u8>>(0))?;
    let mut pack = Vec::new();
    for packed in packed {
        codec.decompress(FragmentKind::Participants, &packed, &mut pack)?;
        for item in Pack::read(&pack)?.items() {
            let id_key = key(item?.id);
            connection.execute(delete, (tenant_key, id_key, version.start, version.record_key))?;
        }
    }
    Ok(())
}
