//! Table `record_key` of PostgreSQL: which version of a record is the current one.
//!
//! A file has no such table: its index by id is one, and leads to the current version at once.

use super::keys::{RecordId, first_of_month, month};
use crate::Error;
use crate::engine::Connection;

/// Numbers that are taken ahead at a time.
const AHEAD: i64 = 200;

/// Numbers for records to come, taken ahead from PostgreSQL's sequence.
///
/// A sequence is only as durable as the commit of a transaction that took from it (PostgreSQL,
/// "Sequence Manipulation Functions"): after a crash of the database it gives numbers again that were
/// taken by a transaction that did not commit. So none may outlive a roll-back or its connection.
#[derive(Debug, Default)]
pub(crate) struct RecordNumbers(Vec<i64>);

impl RecordNumbers {
    /// The key of a version to come that starts then (ticks); none for a file, which numbers its rows
    /// itself.
    pub(super) fn next_key(
        &mut self,
        connection: &Connection,
        start: i64,
    ) -> Result<Option<i64>, Error> {
        let Connection::Postgres(_) = connection else { return Ok(None) };
        if self.0.is_empty() {
            let text = "SELECT nextval('record_number') FROM generate_series(1, ?1)";
            self.0 = connection.all(text, [AHEAD], |row| row.get(0))?;
            // The least is taken first.
            self.0.reverse();
        }
        Ok(self.0.pop().map(|number| first_of_month(month(start)) | number))
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Notes which version of a record is the current one.
pub(crate) fn set(
    connection: &Connection,
    id: RecordId<'_>,
    version: i64,
    record_key: i64,
) -> Result<(), Error> {
    let Connection::Postgres(_) = connection else { return Ok(()) };
    let text = "UPDATE record_key SET version = ?4, record_key = ?5 \
                WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3";
    let values = (id.tenant_key, id.id_key, id.shard_key(), version, record_key);
    connection.defer(text, values)
}

/// The key of a record's current version.
pub(crate) fn find(connection: &Connection, id: RecordId<'_>) -> Result<Option<i64>, Error> {
    let text = "SELECT record_key FROM record_key \
                WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3";
    connection.value(text, (id.tenant_key, id.id_key, id.shard_key()))
}

/// Deletes the row of a record that is erased.
pub(crate) fn delete(connection: &Connection, id: RecordId<'_>) -> Result<(), Error> {
    let Connection::Postgres(_) = connection else { return Ok(()) };
    let text = "DELETE FROM record_key WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3";
    connection.execute(text, (id.tenant_key, id.id_key, id.shard_key())).map(drop)
}
