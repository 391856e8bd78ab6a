//! The current version of a record where many nodes write: the key noted for its id leads to the one
//! part of the tables that has it.

use model::fragment::FragmentKind;

use super::months::Months;
use crate::engine::Connection;
use crate::reader;
use crate::sql::record_columns;
use crate::tables::{keys, stored};
use crate::{Codec, Error, StoredRecord};

/// The current version of a record.
pub(crate) fn record(
    connection: &Connection,
    months: &Months,
    codec: &mut Codec,
    (tenant_key, id_key): (i64, &[u8]),
) -> Result<Option<StoredRecord>, Error> {
    let Some(record_key) = keys::find(connection, tenant_key, id_key)? else { return Ok(None) };
    let table = months.table(connection, "call_record", record_key)?;
    let text =
        format!(concat!("SELECT ", record_columns!(), " FROM {} r WHERE r.record_key = ?1"), table);
    connection
        .first(&text, [record_key], |row| reader::record(row, codec))
        .inspect_err(|error| months.forget_if_gone(error, record_key))
}

/// Puts a pack of a version's sessions or participants, decompressed, in place of `out`; false if
/// there is none.
pub(crate) fn pack(
    connection: &Connection,
    months: &Months,
    codec: &mut Codec,
    kind: FragmentKind,
    (record_key, number): (i64, usize),
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    let whole = match kind {
        FragmentKind::Participants => "participant_pack",
        FragmentKind::Sessions | FragmentKind::Record => "session_pack",
    };
    let Some(key) = stored::pack_key(record_key, number) else { return Ok(false) };
    let table = months.table(connection, whole, record_key)?;
    let text = format!("SELECT fragment FROM {table} WHERE pack_key = ?1");
    stored::fragment(connection, codec, &text, key, kind, out)
        .inspect_err(|error| months.forget_if_gone(error, record_key))
}
