//! The member with the verdict on a row, where a query looks at it or shows it.
//!
//! That on a record comes from its columns, since making it anew would need all sessions; the others are
//! made of the row's own JSON.

use model::fragment::Item;
use model::shred::stored_rows;
use odata::json::Node;
use quality::profile::standard;
use quality::{Summary, member};

use super::evaluation::node;
use crate::codec::Codec;
use crate::engine::Connection;
use crate::rows::record::StoredRecord;
use crate::tables::fragments::StoredVersion;
use crate::tables::version_rows;
use crate::{Cause, Error};

/// The verdict on a record. A version that is not the current one, or was stored before there were
/// verdicts, is judged now.
pub(crate) fn of_record(
    connection: &Connection,
    codec: &mut Codec,
    record: &StoredRecord,
) -> Result<Node<'static>, Error> {
    let columns = version_rows::verdict(connection, record.record_key)?;
    let summary = if let Some(summary) = Summary::of_columns(&columns) {
        summary
    } else {
        let StoredRecord { record_key, flags, .. } = *record;
        let rows = stored_rows(&mut StoredVersion { connection, codec, record_key, flags })?;
        let verdicts = quality::judge(standard(), &rows);
        let judged = Summary::of_columns(&verdicts.record);
        judged.ok_or_else(|| Error::Internal(Cause::new("a verdict is no verdict")))?
    };
    Ok(summary.to_node(standard()))
}

/// Appends the verdict on a session to its members.
pub(super) fn push_session(out: &mut Vec<u8>, session: &Item<'_>) -> Result<(), Error> {
    let text = [b"{", session.members, b",\"segments\":[", session.inner, b"]}"].concat();
    member::push(out, &member::of_session(&node(&text)?, standard()));
    Ok(())
}

/// The row of a stream with the verdict on it.
pub(super) fn with_stream_s(mut row: Vec<u8>) -> Result<Vec<u8>, Error> {
    let verdict = member::of_stream(&node(&row)?, standard());
    row.pop();
    member::push(&mut row, &verdict);
    row.push(b'}');
    Ok(row)
}
