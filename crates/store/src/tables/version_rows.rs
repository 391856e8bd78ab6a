//! The rows of a version: puts them in and takes them out.

use std::sync::LazyLock;

use model::columns::{Column, Table};
use model::flags::of_rows;
use model::fragment::{Codec as _, FragmentKind, Pack};
use model::shred::TypedRows;
use model::{ShreddedRecord, Value, key};
use quality::Verdicts;
use quality::profile::standard;

use super::head::Head;
use super::keys::{RecordId, Shard, pack_key, pack_keys};
use super::search::{Place, WordBuffer};
use crate::codec::{Codec, dictionary_key};
use crate::engine::{Connection, Field, Insertion, Value as _, Values};
use crate::{Cause, Error, engine};

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
            let columns = table.columns().iter().chain(table.verdicts()).map(|column| column.name);
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

/// What writes the rows of a tenant's versions, within the writer's transaction.
pub(crate) struct VersionRows<'s> {
    pub(crate) connection: &'s Connection,
    /// For what is stored.
    pub(crate) codec: &'s mut Codec,
    pub(crate) words: &'s mut WordBuffer,
    pub(crate) tenant_key: i64,
}

impl VersionRows<'_> {
    /// Inserts a version, under a new key unless one is given; typed rows and participants only of the
    /// current one.
    pub(crate) fn insert(
        &mut self,
        record_key: Option<i64>,
        is_current: bool,
        record: &ShreddedRecord,
    ) -> Result<i64, Error> {
        let (connection, tenant_key) = (self.connection, self.tenant_key);
        let shard = Shard::of(connection, RecordId { tenant_key, id_key: &record.id_key });
        let content_hash = &record.content_hash[..HASH_BYTES];
        let (dictionary, fragment) = (dictionary_key(&record.record), &record.record);
        let verdicts = if is_current { quality::judge(standard(), &record.rows) } else { none() };
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
            verdicts: &verdicts.record,
            shard,
        };
        let insertion = insertions(Table::CallRecord).of(connection);
        let record_key = match record_key {
            Some(key) => connection.put(insertion, values).map(|()| key)?,
            None => connection.inserted(&KEYED, values)?,
        };
        insert_packs(connection, &SESSION_PACKS, shard, record_key, &record.session_packs)?;
        insert_packs(connection, &PARTICIPANT_PACKS, shard, record_key, &record.participant_packs)?;
        if is_current {
            self.insert_participants(shard, record_key, record)?;
            insert_typed_rows(connection, shard, record_key, (&record.rows, &verdicts))?;
            let place = Place { start: record.start, record_key, shard };
            self.words.add(tenant_key, place, &record.rows.words)?;
        }
        Ok(record_key)
    }

    fn insert_participants(
        &self,
        shard: Shard,
        record_key: i64,
        record: &ShreddedRecord,
    ) -> Result<(), Error> {
        let (start, insertion) = (record.start, PARTICIPANTS.of(self.connection));
        for id_key in &record.participant_keys {
            let keys =
                &[self.tenant_key.field(), id_key.field(), start.field(), record_key.field()];
            self.connection.put(insertion, Row { keys, shard, ..Row::default() })?;
        }
        Ok(())
    }

    /// Sends the current version to history: it keeps its fragments and loses its typed rows.
    pub(crate) fn retire(&mut self, version: &Head) -> Result<(), Error> {
        self.delete_typed_rows(version)?;
        let text = "UPDATE call_record SET is_current = 0 WHERE record_key = ?1";
        self.connection.execute(text, [version.record_key]).map(drop)
    }

    /// Deletes a version.
    pub(crate) fn delete(&mut self, version: &Head) -> Result<(), Error> {
        if version.is_current {
            self.delete_typed_rows(version)?;
        }
        for text in [
            "DELETE FROM session_pack WHERE pack_key >= ?1 AND pack_key < ?2",
            "DELETE FROM participant_pack WHERE pack_key >= ?1 AND pack_key < ?2",
        ] {
            self.connection.execute(text, pack_keys(version.record_key))?;
        }
        let text = "DELETE FROM call_record WHERE record_key = ?1";
        self.connection.execute(text, [version.record_key]).map(drop)
    }

    fn delete_typed_rows(&mut self, version: &Head) -> Result<(), Error> {
        self.delete_participants(version)?;
        delete_rows_below(self.connection, version.record_key)?;
        self.words.delete(self.connection, version.start, version.record_key)
    }

    /// The index of table `participant` begins with a participant's id, so the packs have to say which
    /// rows there are. (One that stayed would do no harm: lists take current versions only.)
    fn delete_participants(&mut self, version: &Head) -> Result<(), Error> {
        let packs = "SELECT fragment FROM participant_pack WHERE pack_key >= ?1 AND pack_key < ?2";
        let delete = "DELETE FROM participant WHERE tenant_key = ?1 AND id_key = ?2 \
                      AND start_date_time = ?3 AND record_key = ?4";
        let keys = pack_keys(version.record_key);
        let packed = self.connection.all(packs, keys, |row| row.get::<Vec<u8>>(0))?;
        let mut pack = Vec::new();
        for packed in packed {
            self.codec.decompress(FragmentKind::Participants, &packed, &mut pack)?;
            for item in Pack::read(&pack)?.items() {
                let id_key = key(item?.id);
                let values = (self.tenant_key, id_key, version.start, version.record_key);
                self.connection.execute(delete, values)?;
            }
        }
        Ok(())
    }
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
        let pack_key = pack_key(record_key, number)
            .ok_or_else(|| Error::Internal(Cause::new("a record has too many packs")))?;
        let dictionary = dictionary_key(pack);
        let keys = &[pack_key.field(), dictionary.field(), pack.field()];
        connection.put(insertions.of(connection), Row { keys, shard, ..Row::default() })?;
    }
    Ok(())
}

/// Inserts the typed rows below a record.
pub(crate) fn insert_typed_rows(
    connection: &Connection,
    shard: Shard,
    record_key: i64,
    (rows, verdicts): (&TypedRows, &Verdicts),
) -> Result<(), Error> {
    let int = Field::Int;
    let put = |table: Table, row: Row<'_>| connection.put(insertions(table).of(connection), row);
    for (row, verdict) in rows.sessions.iter().zip(&verdicts.sessions) {
        let keys = &[int(record_key), int(row.ordinal), row.id_key.field()];
        put(Table::Session, Row { keys, columns: &row.columns, verdicts: verdict, shard })?;
    }
    for row in &rows.segments {
        let keys = &[record_key, row.session, row.ordinal].map(int);
        put(Table::Segment, Row { keys, columns: &row.columns, shard, ..Row::default() })?;
    }
    for row in &rows.media {
        let keys = &[record_key, row.session, row.segment, row.ordinal].map(int);
        put(Table::Media, Row { keys, columns: &row.columns, shard, ..Row::default() })?;
    }
    for (row, verdict) in rows.streams.iter().zip(&verdicts.streams) {
        let keys = &[record_key, row.session, row.segment, row.media, row.ordinal].map(int);
        put(Table::Stream, Row { keys, columns: &row.columns, verdicts: verdict, shard })?;
    }
    Ok(())
}

/// The values of a row: of its keys, of the columns that the model names, of the verdict, and of its
/// shard.
#[derive(Default)]
struct Row<'r> {
    keys: &'r [Field<'r>],
    columns: &'r [Value],
    verdicts: &'r [Value],
    shard: Shard,
}

impl Values for Row<'_> {
    fn each<'v>(
        &'v self,
        give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.keys.iter().try_for_each(|key| give(key.clone()))?;
        self.columns.iter().chain(self.verdicts).try_for_each(|value| give(value.field()))?;
        self.shard.0.into_iter().map(Field::Int).try_for_each(give)
    }
}

/// No verdicts: of a version that is not the current one.
fn none() -> Verdicts {
    let record = vec![Value::Null; Table::CallRecord.verdicts().len()];
    Verdicts { record, ..Verdicts::default() }
}

/// Replaces the typed columns of a record itself.
pub(crate) fn update_columns(
    connection: &Connection,
    record_key: i64,
    values: &[Value],
) -> Result<(), Error> {
    static TEXT: LazyLock<String> = LazyLock::new(|| update(Table::CallRecord.columns()));
    connection.execute(&TEXT, Update { values, record_key }).map(drop)
}

/// Replaces the verdict on a record.
pub(crate) fn update_verdict(
    connection: &Connection,
    record_key: i64,
    values: &[Value],
) -> Result<(), Error> {
    static TEXT: LazyLock<String> = LazyLock::new(|| update(Table::CallRecord.verdicts()));
    connection.execute(&TEXT, Update { values, record_key }).map(drop)
}

/// The verdict on a version: all null where there is none.
pub(crate) fn verdict(connection: &Connection, record_key: i64) -> Result<Vec<Value>, Error> {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let names = Table::CallRecord.verdicts().iter().map(|column| column.name);
        let names = names.collect::<Vec<_>>().join(", ");
        format!("SELECT {names} FROM call_record WHERE record_key = ?1")
    });
    let read = |row: &engine::Row<'_>| {
        let values = (0..Table::CallRecord.verdicts().len()).map(|at| {
            Ok(match row.field(at)? {
                Field::Int(number) => Value::Int(number),
                Field::Real(number) => Value::Real(number),
                Field::Text(text) => Value::Text(text.into_owned()),
                Field::Null | Field::Bytes(_) => Value::Null,
            })
        });
        values.collect()
    };
    Ok(connection.first(&TEXT, [record_key], read)?.unwrap_or_default())
}

fn update(columns: &[Column]) -> String {
    let sets = (1..).zip(columns).map(|(number, column)| format!("{} = ?{number}", column.name));
    let sets = sets.collect::<Vec<_>>().join(", ");
    format!("UPDATE call_record SET {sets} WHERE record_key = ?{}", columns.len() + 1)
}

struct Update<'u> {
    values: &'u [Value],
    record_key: i64,
}

impl Values for Update<'_> {
    fn each<'v>(
        &'v self,
        give: &mut dyn FnMut(Field<'v>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.values.iter().try_for_each(|value| give(value.field()))?;
        give(Field::Int(self.record_key))
    }
}

/// Notes what is true of a stored record since its typed rows were written anew ([`model::flags::of_rows`]).
pub(crate) fn note_rows(
    connection: &Connection,
    record_key: i64,
    are_plain: bool,
) -> Result<(), Error> {
    let text = "UPDATE call_record SET flags = flags | ?1 WHERE record_key = ?2";
    connection.execute(text, (i64::from(of_rows(are_plain)), record_key))?;
    Ok(())
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
