//! The rows of a version: puts them in and takes them out.

use std::sync::LazyLock;

use model::columns::Table;
use model::fragment::{Codec as _, FragmentKind, Pack};
use model::shred::TypedRows;
use model::{ShreddedRecord, Value, key};

use super::keys::shard_key;
use super::search::Waiting;
use super::stored::{Head, PACK_BITS};
use crate::codec::dictionary_key;
use crate::engine::{Connection, Field, Insertion, Value as _, Values};
use crate::{Cause, Codec, Error};

/// Bytes of a content hash that are kept: enough that two contents never share one by accident.
const HASH_BYTES: usize = 16;

/// The inserts into one table: of a file, and of a store of many nodes, where a row ends with its
/// shard key.
struct Insertions {
    of_files: Insertion,
    of_nodes: Insertion,
}

impl Insertions {
    fn new(table: &str, columns: &[&str]) -> Self {
        let of_nodes = [columns, &["shard_key"]].concat();
        Self {
            of_files: Insertion::new(table, columns),
            of_nodes: Insertion::new(table, &of_nodes),
        }
    }

    fn of(&self, connection: &Connection) -> &Insertion {
        match connection {
            Connection::Sqlite(_) => &self.of_files,
            Connection::Postgres(_) => &self.of_nodes,
        }
    }
}

/// Those into a table whose columns the model names.
fn insertions(table: Table) -> &'static Insertions {
    /// By [`Table`].
    static ALL: LazyLock<[Insertions; 5]> = LazyLock::new(|| {
        Table::ALL.map(|table| {
            let columns = table.columns().iter().map(|column| column.name);
            let names: Vec<&str> = keys(table).iter().copied().chain(columns).collect();
            Insertions::new(table.name(), &names)
        })
    });
    &ALL[table as usize]
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
    record: &ShreddedRecord,
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
    let insertion = insertions(Table::CallRecord).of(connection);
    let record_key = match record_key {
        Some(key) => connection.put(insertion, values).map(|()| key)?,
        None => connection.inserted(&KEYED, values)?,
    };
    let (sessions, participants) = (&record.session_packs, &record.participant_packs);
    insert_packs(connection, &SESSION_PACKS, shard, record_key, sessions)?;
    insert_packs(connection, &PARTICIPANT_PACKS, shard, record_key, participants)?;
    if is_current {
        insert_participants(connection, tenant_key, shard, record_key, record)?;
        insert_typed_rows(connection, shard, record_key, &record.rows)?;
        waiting.add(tenant_key, record.start, (record_key, shard), &record.rows.words)?;
    }
    Ok(record_key)
}

static SESSION_PACKS: LazyLock<Insertions> =
    LazyLock::new(|| Insertions::new("session_pack", &["pack_key", "dictionary", "fragment"]));
static PARTICIPANT_PACKS: LazyLock<Insertions> =
    LazyLock::new(|| Insertions::new("participant_pack", &["pack_key", "dictionary", "fragment"]));
static PARTICIPANTS: LazyLock<Insertions> = LazyLock::new(|| {
    let columns = ["tenant_key", "id_key", "start_date_time", "record_key"];
    let Insertions { of_files, of_nodes } = Insertions::new("participant", &columns);
    // Files may be older than the rule that makes keys of ids.
    let of_files = Insertion::of(&format!("{} ON CONFLICT DO NOTHING", of_files.text));
    Insertions { of_files, of_nodes }
});
/// Gives the key that a file has given.
static KEYED: LazyLock<String> = LazyLock::new(|| {
    format!("{} RETURNING record_key", insertions(Table::CallRecord).of_files.text)
});

fn insert_packs(
    connection: &Connection,
    insertions: &'static Insertions,
    shard: Shard,
    record_key: i64,
    packs: &[Vec<u8>],
) -> Result<(), Error> {
    for (number, pack) in packs.iter().enumerate() {
        let pack_key = super::stored::pack_key(record_key, number)
            .ok_or_else(|| Error::Internal(Cause::new("a record has too many packs")))?;
        let dictionary = dictionary_key(pack);
        let keys = &[pack_key.field(), dictionary.field(), pack.field()];
        connection.put(insertions.of(connection), Row { keys, shard, ..Row::default() })?;
    }
    Ok(())
}

fn insert_participants(
    connection: &Connection,
    tenant_key: i64,
    shard: Shard,
    record_key: i64,
    record: &ShreddedRecord,
) -> Result<(), Error> {
    for id_key in &record.participant_keys {
        let keys = &[tenant_key.field(), id_key.field(), record.start.field(), record_key.field()];
        connection.put(PARTICIPANTS.of(connection), Row { keys, shard, ..Row::default() })?;
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
    connection.put(insertions(table).of(connection), Row { keys, columns, shard })
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
