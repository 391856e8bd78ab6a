//! Gives the words of records that were stored before their plain forms, on PostgreSQL, while nodes work.
//! In a file that is done when it is opened.
//!
//! Until it is done the full-text index lacks words that searches ask for, and nobody relies on it.

use model::shred::stored_rows;

use crate::Error;
use crate::engine::{Connection, most};
use crate::priority::give_way;
use crate::tables::keys::{RecordId, Shard};
use crate::tables::search::Place;
use crate::tables::session::Session;

/// A record that may lack words.
struct DueRecord {
    record_key: i64,
    tenant_key: i64,
    id_key: Vec<u8>,
    start: i64,
    flags: u32,
}

/// Whether all records have their words.
pub(crate) fn are_there(connection: &Connection) -> Result<bool, Error> {
    match connection {
        Connection::Sqlite(_) => Ok(true),
        Connection::Postgres(_) => Ok(!connection.exists("SELECT 1 FROM refill", ())?),
    }
}

/// Goes through at most `limit` records; whether there are more.
pub(crate) fn fill(session: &mut Session, limit: usize) -> Result<bool, Error> {
    // One node at a time.
    let text = "SELECT next, last FROM refill FOR UPDATE";
    let range = session.connection.first(text, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((next, last)): Option<(i64, i64)> = range else { return Ok(false) };
    let due = read(&session.connection, (next, last), limit)?;
    for record in &due {
        give_way();
        match fill_record(session, record) {
            Ok(()) => {}
            // The doctor tells of damage.
            Err(Error::Corrupt(cause)) => {
                tracing::warn!(record_key = record.record_key, %cause, "a record cannot be read");
            }
            Err(error) => return Err(error),
        }
    }
    match due.last() {
        Some(record) if due.len() == limit => {
            let text = "UPDATE refill SET next = ?1";
            session.connection.execute(text, [record.record_key + 1])?;
            Ok(true)
        }
        _ => {
            session.connection.execute("DELETE FROM refill", ())?;
            Ok(false)
        }
    }
}

fn read(
    connection: &Connection,
    (next, last): (i64, i64),
    limit: usize,
) -> Result<Vec<DueRecord>, Error> {
    let text = "SELECT record_key, tenant_key, id_key, start_date_time, flags FROM call_record \
                WHERE record_key >= ?1 AND record_key <= ?2 AND is_current = 1 \
                ORDER BY record_key LIMIT ?3";
    connection.all(text, (next, last, most(limit)), |row| {
        Ok(DueRecord {
            record_key: row.get(0)?,
            tenant_key: row.get(1)?,
            id_key: row.get(2)?,
            start: row.get(3)?,
            flags: row.get(4)?,
        })
    })
}

fn fill_record(session: &mut Session, due: &DueRecord) -> Result<(), Error> {
    let DueRecord { record_key, tenant_key, start, flags, .. } = *due;
    let id = RecordId { tenant_key, id_key: &due.id_key };
    let typed = stored_rows(&mut session.stored(record_key, flags))?;
    // Plain words have no other form, and stand in the index as they are.
    if typed.words.is_ascii() {
        return Ok(());
    }
    // Whoever replaces or erases it meanwhile writes or deletes the words.
    let text = "SELECT 1 FROM record_key WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3 \
                AND record_key = ?4 FOR UPDATE";
    let values = (tenant_key, id.id_key, id.shard_key(), record_key);
    if !session.connection.exists(text, values)? {
        return Ok(());
    }
    let place = Place { start, record_key, shard: Shard(Some(id.shard_key())) };
    session.replace_words(tenant_key, place, &typed.words)
}
