//! Locks on records, where many nodes write: no other node writes a record before the transaction's
//! end. A file has one writer, and needs none.

use std::collections::{BTreeMap, HashMap};

use model::ShreddedRecord;

use super::head::Head;
use super::keys::RecordId;
use super::record_keys::RecordNumbers;
use crate::engine::Connection;
use crate::{Cause, Error};

/// Records that this transaction has locked, by the keys of their ids.
pub(crate) type RecordLocks = HashMap<Vec<u8>, RecordLock>;

/// What a lock has found of its record, which stays true until the transaction ends.
pub(crate) enum RecordLock {
    /// It is not stored; its first version is to have this key.
    New(i64),
    /// Its current version.
    Current(Head),
}

/// Locks records of a tenant; no locks of a file.
///
/// All rows of `record_key` are inserted in one round trip. An insert that another node's stands in the
/// way of waits for that node and then inserts nothing, so it also says which records are new. Ids come
/// in one order, so that two nodes never wait for each other.
pub(super) fn lock<'r>(
    connection: &Connection,
    numbers: &mut RecordNumbers,
    tenant_key: i64,
    records: impl IntoIterator<Item = &'r ShreddedRecord>,
) -> Result<RecordLocks, Error> {
    let Connection::Postgres(_) = connection else { return Ok(RecordLocks::new()) };
    let mut first = BTreeMap::new();
    for record in records {
        first.entry(record.id_key.as_slice()).or_insert(record);
    }
    let mut rows = Vec::with_capacity(first.len());
    for (id_key, record) in first {
        let record_key = numbers.next_key(connection, record.start)?.unwrap_or_default();
        let shard_key = RecordId { tenant_key, id_key }.shard_key();
        rows.push((tenant_key, id_key, shard_key, record.version, record_key));
    }
    let text = "INSERT INTO record_key (tenant_key, id_key, shard_key, version, record_key) \
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let inserted = connection.execute_each(text, rows.iter().copied())?;
    let mut locks = RecordLocks::with_capacity(rows.len());
    for ((_, id_key, .., record_key), inserted) in rows.into_iter().zip(inserted) {
        let lock = match inserted {
            0 => RecordLock::Current(lock_stored(connection, RecordId { tenant_key, id_key })?),
            _ => RecordLock::New(record_key),
        };
        locks.insert(id_key.to_owned(), lock);
    }
    Ok(locks)
}

/// Locks a record that is stored, and gives its current version.
///
/// # Errors
/// [`Error::Again`] if that version was written by a transaction that began later than this one, or if
/// another node has just erased the record.
pub(crate) fn lock_stored(connection: &Connection, id: RecordId<'_>) -> Result<Head, Error> {
    let text = "SELECT record_key, age(xmin) < 0 FROM record_key \
                WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3 FOR UPDATE";
    let values = (id.tenant_key, id.id_key, id.shard_key());
    let found = connection.first(text, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (record_key, is_of_later): (i64, bool) = found.ok_or(Error::Again)?;
    if is_of_later {
        // The change log is in the order of transactions: a version written here would stand in it
        // before the one that it replaces, which followers then would not see at all.
        return Err(Error::Again);
    }
    let head = Head::by_key(connection, record_key)?;
    let lacking = || Error::Corrupt(Cause::new("a record has a key and no current version"));
    head.ok_or_else(lacking)
}
