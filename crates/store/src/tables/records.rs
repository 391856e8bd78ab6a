//! Stored records, as readers take them: columns and fragment of a row of `call_record`.

use model::fragment::FragmentKind;

use super::keys::RecordId;
use crate::Error;
use crate::codec::Codec;
use crate::engine::{Connection, Row};
use crate::rows::record::StoredRecord;

/// Columns of a record as [`read`] takes them, of the table named `r`.
macro_rules! record_columns {
    () => {
        "r.record_key, r.id, r.version, r.is_current, r.start_date_time, r.end_date_time, \
         r.flags, r.content_hash, r.participant_count, r.session_count, r.fragment"
    };
}
pub(crate) use record_columns;

/// How many columns `record_columns!` has.
pub(crate) const COLUMNS: usize = 11;

const HIGHEST: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM call_record r WHERE r.tenant_key = ?1 AND r.id_key = ?2 ORDER BY r.version DESC LIMIT 1"
);
const VERSION: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM call_record r WHERE r.tenant_key = ?1 AND r.id_key = ?2 AND r.version = ?3"
);
const VERSIONS: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM call_record r WHERE r.tenant_key = ?1 AND r.id_key = ?2 ORDER BY r.version"
);
const BY_KEY: &str =
    concat!("SELECT ", record_columns!(), " FROM call_record r WHERE r.record_key = ?1");

/// The highest version of a record, read by `read`.
pub(crate) fn highest(
    connection: &Connection,
    id: RecordId<'_>,
    read: impl FnOnce(&Row<'_>) -> Result<StoredRecord, Error>,
) -> Result<Option<StoredRecord>, Error> {
    connection.first(HIGHEST, (id.tenant_key, id.id_key), read)
}

/// A version of a record.
pub(crate) fn version(
    connection: &Connection,
    codec: &mut Codec,
    id: RecordId<'_>,
    version: i64,
) -> Result<Option<StoredRecord>, Error> {
    connection.first(VERSION, (id.tenant_key, id.id_key, version), |row| read(row, codec))
}

/// All versions of a record, ascending.
pub(crate) fn versions(
    connection: &Connection,
    codec: &mut Codec,
    id: RecordId<'_>,
) -> Result<Vec<StoredRecord>, Error> {
    connection.all(VERSIONS, (id.tenant_key, id.id_key), |row| read(row, codec))
}

/// The version of this key.
pub(crate) fn by_key(
    connection: &Connection,
    codec: &mut Codec,
    record_key: i64,
) -> Result<Option<StoredRecord>, Error> {
    connection.first(BY_KEY, [record_key], |row| read(row, codec))
}

/// Reads a row of `record_columns!`. A record that can't be unpacked gets an empty fragment: whatever
/// shows it finds it damaged, and the records beside it stay readable.
pub(crate) fn read(row: &Row<'_>, codec: &mut Codec) -> Result<StoredRecord, Error> {
    let mut record = without_fragment(row)?;
    read_fragment(row, codec, &mut record)?;
    Ok(record)
}

/// Reads the fragment of a row into its record.
pub(crate) fn read_fragment(
    row: &Row<'_>,
    codec: &mut Codec,
    record: &mut StoredRecord,
) -> Result<(), Error> {
    let bytes = row.field(10)?.bytes();
    let unpacked =
        bytes.and_then(|bytes| codec.unpack(FragmentKind::Record, &bytes, &mut record.fragment));
    match unpacked {
        // A reader that refuses large fragments has another way to them.
        Err(Error::Large) => return Err(Error::Large),
        Err(cause) => {
            tracing::error!(%cause, record_key = record.record_key, "a record can't be unpacked");
            record.fragment.clear();
        }
        Ok(()) => {}
    }
    Ok(())
}

/// Reads a row of `record_columns!`, but for its fragment.
pub(crate) fn without_fragment(row: &Row<'_>) -> Result<StoredRecord, Error> {
    Ok(StoredRecord {
        record_key: row.get(0)?,
        id: row.get(1)?,
        version: row.get(2)?,
        is_current: row.get(3)?,
        start: row.get(4)?,
        end: row.get(5)?,
        flags: row.get(6)?,
        content_hash: row.get(7)?,
        participant_count: row.get(8)?,
        session_count: row.get(9)?,
        fragment: Vec::new(),
    })
}
