//! Fills what a step of the schema added, for records that were stored before it.
//!
//! Fragments hold all that a record says, so its typed rows and its words are made from them again.
//! That is done record by record in transactions of their own; a process that is killed goes on
//! where it was, and one that opens the store meanwhile takes its share.

use std::path::Path;
use std::sync::Arc;

use model::Value;
use model::shred::stored_rows;

use crate::Error;
use crate::codec::Codec;
use crate::codec::dictionaries::Dictionaries;
use crate::codec::dictionary;
use crate::engine::{Connection, Opener};
use crate::tables::fragments::StoredVersion;
use crate::tables::keys::Shard;
use crate::tables::search::{Place, WordBuffer};
use crate::tables::version_rows;

/// Records of one transaction.
const CHUNK: i64 = 1_000;

/// Transactions between two checkpoints, and two lines of the log.
const CHECKPOINT_EVERY: u64 = 16;

/// A record to be filled in.
struct DueRecord {
    record_key: i64,
    tenant_key: i64,
    start: i64,
    flags: u32,
}

/// Fills what is missing, if anything is.
pub(super) fn refill(connection: &Connection, path: &Path) -> Result<(), Error> {
    let Some(Range { last, .. }) = due(connection)? else { return Ok(()) };
    tracing::info!(last, "filling typed columns and the full-text index of stored records");
    let dictionaries =
        Dictionaries::new(Opener::Sqlite(path.to_owned()), dictionary::rows(connection)?)?;
    let mut codec = Codec::new(Arc::new(dictionaries));
    let mut chunks = 0;
    while let Some(next) = connection.transact(|it| fill_chunk(it, &mut codec))? {
        chunks += 1;
        if chunks % CHECKPOINT_EVERY == 0 {
            tracing::info!(next, last, "filling");
            connection.first("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?;
        }
    }
    tracing::info!("filled");
    Ok(())
}

/// Records that may lack something.
struct Range {
    next: i64,
    last: i64,
    /// They lack nothing but words.
    words_only: bool,
}

fn due(connection: &Connection) -> Result<Option<Range>, Error> {
    connection.first("SELECT next, last, words_only FROM refill", (), |row| {
        Ok(Range { next: row.get(0)?, last: row.get(1)?, words_only: row.get(2)? })
    })
}

/// Fills some records in; the next one, or none when all are done.
fn fill_chunk(connection: &Connection, codec: &mut Codec) -> Result<Option<i64>, Error> {
    let Some(Range { next, last, words_only }) = due(connection)? else { return Ok(None) };
    let chunk = read_chunk(connection, next, last)?;
    let mut words = WordBuffer::default();
    for due in &chunk {
        match fill(connection, codec, &mut words, (due, words_only)) {
            Ok(()) => {}
            // Damage must not keep the store from being opened; the doctor tells of it.
            Err(Error::Corrupt(cause)) => {
                tracing::warn!(record_key = due.record_key, %cause, "a record cannot be read");
            }
            Err(error) => return Err(error),
        }
    }
    words.flush(connection)?;
    let next = match chunk.last() {
        Some(due) if chunk.len() as i64 == CHUNK => Some(due.record_key + 1),
        _ => None,
    };
    match next {
        Some(next) => connection.execute("UPDATE refill SET next = ?1", [next])?,
        None => connection.execute("DELETE FROM refill", ())?,
    };
    Ok(next)
}

fn read_chunk(connection: &Connection, next: i64, last: i64) -> Result<Vec<DueRecord>, Error> {
    let text = "SELECT record_key, tenant_key, start_date_time, flags FROM call_record \
                WHERE record_key >= ?1 AND record_key <= ?2 AND is_current = 1 \
                ORDER BY record_key LIMIT ?3";
    connection.all(text, (next, last, CHUNK), |row| {
        Ok(DueRecord {
            record_key: row.get(0)?,
            tenant_key: row.get(1)?,
            start: row.get(2)?,
            flags: row.get(3)?,
        })
    })
}

fn fill(
    connection: &Connection,
    codec: &mut Codec,
    words: &mut WordBuffer,
    (due, words_only): (&DueRecord, bool),
) -> Result<(), Error> {
    let DueRecord { record_key, tenant_key, start, flags } = *due;
    let typed = stored_rows(&mut StoredVersion { connection, codec, record_key, flags })?;
    if words_only {
        // Plain words have no other form, and stand in the index as they are.
        if !typed.words.is_ascii() {
            words.delete(connection, start, record_key)?;
            let place = Place { start, record_key, shard: Shard::default() };
            words.add(tenant_key, place, &typed.words)?;
        }
        return Ok(());
    }
    version_rows::delete_rows_below(connection, record_key)?;
    let verdicts = quality::judge(quality::profile::standard(), &typed);
    let rows = (&typed, &verdicts);
    version_rows::insert_typed_rows(connection, Shard::default(), record_key, rows)?;
    version_rows::note_rows(connection, record_key, typed.is_plain)?;
    words.delete(connection, start, record_key)?;
    words.add(tenant_key, Place { start, record_key, shard: Shard::default() }, &typed.words)?;
    // Infinite figures had no columns before, so they could not be the worst ones.
    if typed.record.iter().any(|value| matches!(value, Value::Real(figure) if figure.is_infinite()))
    {
        version_rows::update_columns(connection, record_key, &typed.record)?;
    }
    version_rows::update_verdict(connection, record_key, &verdicts.record)?;
    Ok(())
}
