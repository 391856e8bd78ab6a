//! What has become of a tenant's records between two entries of the change log: each record once, by its
//! last change.
//!
//! Of the entries about a record the last one counts: the one with the key of the current version behind
//! which no merge is told, or an erasure behind which the record has not come again. Both are seen from
//! the entry itself, so a round of any length needs no memory. What changes while a round is read is
//! told by this one or the next.

use std::ops::ControlFlow;

use super::head::Head;
use super::keys::RecordId;
use crate::Error;
use crate::engine::{Connection, Row, most};
use crate::rows::change::{ChangeRange, ChangedRecord, ChangedRecords, RecordFate};
use crate::rows::record::Change;

/// Entries that are read at a time, and at most for a page.
const CHUNK: usize = 500;
const MOST_ENTRIES: usize = 10_000;

/// At most `room` records that have changed within the range.
pub(crate) fn read(
    connection: &Connection,
    tenant_key: i64,
    range: ChangeRange,
    room: usize,
) -> Result<ChangedRecords, Error> {
    let mut found = ChangedRecords { records: Vec::new(), up_to: range.after, is_end: false };
    for _ in 0..MOST_ENTRIES / CHUNK {
        let rest = ChangeRange { after: found.up_to, ..range };
        let entries = entries(connection, tenant_key, rest)?;
        let is_last = entries.len() < CHUNK;
        for entry in entries {
            if found.records.len() == room {
                return Ok(found);
            }
            found.up_to = entry.sequence;
            if let Some(record) = changed(connection, tenant_key, entry)? {
                found.records.push(record);
            }
        }
        if is_last {
            return Ok(ChangedRecords { up_to: range.until, is_end: true, ..found });
        }
    }
    Ok(found)
}

/// An entry of the log, with what is known of its record by now.
struct Entry {
    sequence: i64,
    /// None of what is another tenant's.
    change: Option<Change>,
    /// Of an erased version.
    erased_id: Option<String>,
    /// Of the version of the entry, if it is the current one.
    current_id: Option<String>,
    /// Whether another entry of this kind comes behind it.
    is_followed: bool,
    /// Whether its record was erased within the range.
    was_erased: bool,
}

fn entries(
    connection: &Connection,
    tenant_key: i64,
    range: ChangeRange,
) -> Result<Vec<Entry>, Error> {
    let text = "SELECT c.sequence, c.tenant_key = ?1, c.change, c.id, r.id, \
                EXISTS (SELECT 1 FROM change_log l WHERE l.change = 'merged' \
                AND l.record_key = c.record_key AND l.sequence > c.sequence AND l.sequence <= ?4) \
                OR EXISTS (SELECT 1 FROM change_log l WHERE l.change = 'erased' \
                AND l.tenant_key = c.tenant_key AND l.id = c.id \
                AND l.sequence > c.sequence AND l.sequence <= ?4), \
                EXISTS (SELECT 1 FROM change_log l WHERE l.change = 'erased' \
                AND l.tenant_key = ?1 AND l.id = r.id \
                AND l.sequence > ?2 AND l.sequence <= ?4) \
                FROM change_log c LEFT JOIN call_record r ON r.record_key = c.record_key \
                AND r.is_current = 1 AND r.tenant_key = ?1 \
                WHERE c.sequence > ?3 AND c.sequence <= ?4 ORDER BY c.sequence LIMIT ?5";
    let ChangeRange { since, after, until } = range;
    let mut found = Vec::new();
    connection.each(text, (tenant_key, since, after, until, most(CHUNK)), |row| {
        found.push(entry(row)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn entry(row: &Row<'_>) -> Result<Entry, Error> {
    let is_ours: bool = row.get(1)?;
    let change = if is_ours { Change::parse(&row.get::<String>(2)?) } else { None };
    Ok(Entry {
        sequence: row.get(0)?,
        change,
        erased_id: row.get(3)?,
        current_id: row.get(4)?,
        is_followed: row.get(5)?,
        was_erased: row.get(6)?,
    })
}

/// What an entry tells of its record, if no other one tells more.
fn changed(
    connection: &Connection,
    tenant_key: i64,
    entry: Entry,
) -> Result<Option<ChangedRecord>, Error> {
    let Some(change) = entry.change.filter(|_| !entry.is_followed) else { return Ok(None) };
    let (id, fate) = match (change, entry.erased_id, entry.current_id) {
        (Change::Archived, ..) => return Ok(None),
        (Change::Erased, Some(id), _) => {
            let id_key = model::key(&id);
            if Head::current(connection, RecordId { tenant_key, id_key: &id_key })?.is_some() {
                return Ok(None);
            }
            (id, RecordFate::Erased)
        }
        (Change::Created, _, Some(id)) if !entry.was_erased => (id, RecordFate::New),
        (Change::Created | Change::Replaced | Change::Merged, _, Some(id)) => {
            (id, RecordFate::Changed)
        }
        _ => return Ok(None),
    };
    Ok(Some(ChangedRecord { id, fate }))
}
