//! The rows of a version: puts them in and takes them out.

use std::sync::LazyLock;

use model::columns::{Column, Table};
use model::fragment::{Codec as _, FragmentKind, Pack};
use model::shred::TypedRows;
use model::{Shredded, Value, key};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

use super::PACK_BITS;
use super::search::Waiting;
use super::stored::Head;
use crate::codec::dictionary_key;
use crate::sql::dialect::Dialect;
use crate::sql::sqlite::Sqlite;
use crate::sql::writer::Bind;
use crate::{Cause, Codec, Error};

/// Bytes of a content hash that are kept: enough that two contents never share one by accident.
const HASH_BYTES: usize = 16;

const INSERT_SESSION_PACK: &str =
    "INSERT INTO session_pack (pack_key, dictionary, fragment) VALUES (?1, ?2, ?3)";
const INSERT_PARTICIPANT_PACK: &str =
    "INSERT INTO participant_pack (pack_key, dictionary, fragment) VALUES (?1, ?2, ?3)";

/// Inserts into the tables whose columns the model names, by [`Table`].
static INSERTS: LazyLock<[String; 5]> = LazyLock::new(|| {
    Table::ALL.map(|table| insert_text(table.name(), keys(table), table.columns()))
});

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

fn insert_text(table: &str, keys: &[&'static str], columns: &[Column]) -> String {
    let names: Vec<&str> =
        keys.iter().copied().chain(columns.iter().map(|column| column.name)).collect();
    let mut text = format!("INSERT INTO {table} ({}) VALUES (", names.join(", "));
    for number in 1..=names.len() {
        if number > 1 {
            text.push_str(", ");
        }
        Sqlite.placeholder(number, &mut text);
    }
    text.push(')');
    text
}

/// Inserts a version, under a new key unless one is given; typed rows and participants only of the
/// current one.
pub(super) fn insert(
    connection: &Connection,
    waiting: &mut Waiting,
    tenant_key: i64,
    record_key: Option<i64>,
    is_current: bool,
    record: &Shredded,
) -> Result<i64, Error> {
    let mut row = Insert::into(connection, Table::CallRecord)?;
    row.push(record_key)?;
    row.push(tenant_key)?;
    row.push(&record.id)?;
    row.push(&record.id_key)?;
    row.push(record.version)?;
    row.push(is_current)?;
    row.push(record.start)?;
    row.push(record.end)?;
    row.push(record.flags)?;
    row.push(&record.content_hash[..HASH_BYTES])?;
    row.push(dictionary_key(&record.record))?;
    row.push(&record.record)?;
    row.push_columns(&record.rows.record)?;
    row.execute()?;
    let record_key = record_key.unwrap_or_else(|| connection.last_insert_rowid());
    insert_packs(connection, INSERT_SESSION_PACK, record_key, &record.session_packs)?;
    insert_packs(connection, INSERT_PARTICIPANT_PACK, record_key, &record.participant_packs)?;
    if is_current {
        insert_participants(connection, tenant_key, record_key, record)?;
        insert_typed_rows(connection, record_key, &record.rows)?;
        waiting.add(tenant_key, record.start, record_key, &record.rows.words)?;
    }
    Ok(record_key)
}

fn insert_packs(
    connection: &Connection,
    text: &'static str,
    record_key: i64,
    packs: &[Vec<u8>],
) -> Result<(), Error> {
    if packs.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(text)?;
    for (number, pack) in packs.iter().enumerate() {
        let pack_key = super::stored::pack_key(record_key, number)
            .ok_or_else(|| Error::Internal(Cause::new("a record has too many packs")))?;
        statement.execute((pack_key, dictionary_key(pack), pack))?;
    }
    Ok(())
}

fn insert_participants(
    connection: &Connection,
    tenant_key: i64,
    record_key: i64,
    record: &Shredded,
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO participant (tenant_key, id_key, start_date_time, record_key) \
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for id_key in &record.participant_keys {
        statement.execute((tenant_key, id_key, record.start, record_key))?;
    }
    Ok(())
}

/// Inserts the typed rows below a record.
pub(super) fn insert_typed_rows(
    connection: &Connection,
    record_key: i64,
    rows: &TypedRows,
) -> Result<(), Error> {
    for session in &rows.sessions {
        let mut row = Insert::into(connection, Table::Session)?;
        row.push(record_key)?;
        row.push(session.ordinal)?;
        row.push(&session.id_key)?;
        row.push_columns(&session.columns)?;
        row.execute()?;
    }
    for segment in &rows.segments {
        let mut row = Insert::into(connection, Table::Segment)?;
        row.push_keys([record_key, segment.session, segment.ordinal])?;
        row.push_columns(&segment.columns)?;
        row.execute()?;
    }
    for media in &rows.media {
        let mut row = Insert::into(connection, Table::Media)?;
        row.push_keys([record_key, media.session, media.segment, media.ordinal])?;
        row.push_columns(&media.columns)?;
        row.execute()?;
    }
    for stream in &rows.streams {
        let mut row = Insert::into(connection, Table::Stream)?;
        let keys = [record_key, stream.session, stream.segment, stream.media, stream.ordinal];
        row.push_keys(keys)?;
        row.push_columns(&stream.columns)?;
        row.execute()?;
    }
    Ok(())
}

/// Replaces the typed columns of a record itself.
pub(super) fn update_columns(
    connection: &Connection,
    record_key: i64,
    values: &[Value],
) -> Result<(), Error> {
    let names = Table::CallRecord.columns().iter().map(|column| column.name);
    for (name, value) in names.zip(values) {
        let text = format!("UPDATE call_record SET {name} = ?1 WHERE record_key = ?2");
        connection.prepare_cached(&text)?.execute((Typed(value), record_key))?;
    }
    Ok(())
}

/// Sends the current version to history: it keeps its fragments and loses its typed rows.
pub(super) fn retire(
    connection: &Connection,
    codec: &mut Codec,
    waiting: &mut Waiting,
    tenant_key: i64,
    version: &Head,
) -> Result<(), Error> {
    delete_typed_rows(connection, codec, waiting, tenant_key, version)?;
    connection
        .prepare_cached("UPDATE call_record SET is_current = 0 WHERE record_key = ?1")?
        .execute([version.record_key])?;
    Ok(())
}

/// Takes a version out of the store.
pub(super) fn delete(
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
        connection.prepare_cached(text)?.execute((first, behind))?;
    }
    connection
        .prepare_cached("DELETE FROM call_record WHERE record_key = ?1")?
        .execute([version.record_key])?;
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
pub(super) fn delete_rows_below(connection: &Connection, record_key: i64) -> Result<(), Error> {
    for text in [
        "DELETE FROM session WHERE record_key = ?1",
        "DELETE FROM segment WHERE record_key = ?1",
        "DELETE FROM media WHERE record_key = ?1",
        "DELETE FROM stream WHERE record_key = ?1",
    ] {
        connection.prepare_cached(text)?.execute([record_key])?;
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
    let mut packs = connection.prepare_cached(
        "SELECT fragment FROM participant_pack WHERE pack_key >= ?1 AND pack_key < ?2",
    )?;
    let mut delete = connection.prepare_cached(
        "DELETE FROM participant WHERE tenant_key = ?1 AND id_key = ?2 \
         AND start_date_time = ?3 AND record_key = ?4",
    )?;
    let keys = (version.record_key << PACK_BITS, (version.record_key + 1) << PACK_BITS);
    let mut rows = packs.query(keys)?;
    let mut pack = Vec::new();
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        codec.decompress(FragmentKind::Participants, packed, &mut pack)?;
        for item in Pack::read(&pack)?.items() {
            let id_key = key(item?.id);
            delete.execute((tenant_key, id_key, version.start, version.record_key))?;
        }
    }
    Ok(())
}

/// A statement that takes its values one after the other.
struct Insert<'c> {
    statement: CachedStatement<'c>,
    count: usize,
}

impl<'c> Insert<'c> {
    fn into(connection: &'c Connection, table: Table) -> Result<Self, Error> {
        let text = &INSERTS[table as usize];
        Ok(Self { statement: connection.prepare_cached(text)?, count: 0 })
    }

    fn push(&mut self, value: impl ToSql) -> Result<(), Error> {
        self.count += 1;
        self.statement.raw_bind_parameter(self.count, value)?;
        Ok(())
    }

    fn push_keys<const N: usize>(&mut self, keys: [i64; N]) -> Result<(), Error> {
        keys.into_iter().try_for_each(|key| self.push(key))
    }

    fn push_columns(&mut self, values: &[Value]) -> Result<(), Error> {
        values.iter().try_for_each(|value| self.push(Typed(value)))
    }

    fn execute(mut self) -> Result<(), Error> {
        self.statement.raw_execute()?;
        Ok(())
    }
}

/// A typed column's value as SQLite takes it.
struct Typed<'v>(&'v Value);

impl ToSql for Typed<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
