//! Keys of records where many nodes write: who may write a record, and where its rows are.

use std::collections::{BTreeMap, HashMap};

use model::ShreddedRecord;
use odata::primitive::{TICKS_PER_DAY, civil_from_days, days_from_civil};

use super::stored::Head;
use crate::engine::Connection;
use crate::{Cause, Error};

/// Bits of a record's key below the month of its start.
const NUMBER_BITS: u32 = 34;
/// Numbers that are taken ahead at a time.
const NUMBERS: i64 = 200;
/// The last month that a key can tell; whatever starts later counts as of that month.
const LAST_MONTH: i64 = (1 << 12) - 1;

/// The month of an instant, counted from January 1970 on; what was before counts as of that one.
pub(crate) fn month(start: i64) -> i64 {
    let (year, month, _) = civil_from_days(start.div_euclid(TICKS_PER_DAY));
    ((year - 1_970) * 12 + month - 1).clamp(0, LAST_MONTH)
}

/// The first instant of a month, in ticks.
pub(crate) fn start_of_month(month: i64) -> i64 {
    days_from_civil(1_970 + month.div_euclid(12), month.rem_euclid(12) + 1, 1) * TICKS_PER_DAY
}

/// The first key of a month.
pub(crate) fn first_of_month(month: i64) -> i64 {
    month << NUMBER_BITS
}

/// The month of a key.
pub(crate) fn month_of(record_key: i64) -> i64 {
    record_key >> NUMBER_BITS
}

/// The key of a version to come where many nodes give keys; a file gives its own. `numbers` are such
/// that were taken ahead.
pub(crate) fn new(
    connection: &Connection,
    numbers: &mut Vec<i64>,
    start: i64,
) -> Result<Option<i64>, Error> {
    let Connection::Postgres(_) = connection else { return Ok(None) };
    if numbers.is_empty() {
        let text = "SELECT nextval('record_number') FROM generate_series(1, ?1)";
        *numbers = connection.all(text, [NUMBERS], |row| row.get(0))?;
        // The least is taken first.
        numbers.reverse();
    }
    Ok(numbers.pop().map(|number| first_of_month(month(start)) | number))
}

/// A hash of tenant and id, by which the rows of a record are kept together on an engine that
/// spreads rows over machines (32-bit FNV-1a).
pub(crate) fn shard_key(tenant_key: i64, id_key: &[u8]) -> i64 {
    let bytes = tenant_key.to_le_bytes();
    let hash = bytes
        .iter()
        .chain(id_key)
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    i64::from(hash.cast_signed())
}

/// What is known of records that no other node can write before the transaction's end, by the keys of
/// their ids.
pub(crate) type Locked = HashMap<Vec<u8>, Known>;

/// What is known of a record.
pub(crate) enum Known {
    /// It is not there; its first version is to have this key.
    New(i64),
    /// Its current version.
    Current(Head),
}

/// Lets no other node write these records before the transaction's end. Of a file there is one
/// writer, and nothing is known.
pub(crate) fn lock<'r>(
    connection: &Connection,
    numbers: &mut Vec<i64>,
    tenant_key: i64,
    records: impl IntoIterator<Item = &'r ShreddedRecord>,
) -> Result<Locked, Error> {
    let Connection::Postgres(_) = connection else { return Ok(Locked::new()) };
    // Ids in one order, so that two nodes never wait for each other.
    let mut first = BTreeMap::new();
    for record in records {
        first.entry(record.id_key.as_slice()).or_insert(record);
    }
    let mut rows = Vec::with_capacity(first.len());
    for (id, record) in first {
        let record_key = new(connection, numbers, record.start)?.unwrap_or_default();
        rows.push((tenant_key, id, shard_key(tenant_key, id), record.version, record_key));
    }
    let text = "INSERT INTO record_key (tenant_key, id_key, shard_key, version, record_key) \
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let inserted = connection.execute_each(text, rows.iter().copied())?;
    let mut locked = Locked::with_capacity(rows.len());
    for ((_, id, .., record_key), inserted) in rows.into_iter().zip(inserted) {
        let known = match inserted {
            0 => Known::Current(lock_one(connection, tenant_key, id)?),
            _ => Known::New(record_key),
        };
        locked.insert(id.to_owned(), known);
    }
    Ok(locked)
}

/// The same for a record that is there; [`Error::Again`] if its current version was written by a
/// transaction that has begun later than this one.
pub(crate) fn lock_one(connection: &Connection, tenant_key: i64, id: &[u8]) -> Result<Head, Error> {
    let text = "SELECT record_key, age(xmin) < 0 FROM record_key \
                WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3 FOR UPDATE";
    let values = (tenant_key, id, shard_key(tenant_key, id));
    let found = connection.first(text, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    // Another node may have just erased it.
    let (record_key, is_of_later): (i64, bool) = found.ok_or(Error::Again)?;
    if is_of_later {
        // The change log is in the order of transactions: a version written here would be told
        // before the one that it replaces, which then would not be told at all.
        return Err(Error::Again);
    }
    let head = Head::by_key(connection, record_key)?;
    let lacking = || Error::Corrupt(Cause::new("a record has a key and no current version"));
    head.ok_or_else(lacking)
}

/// Notes which version of a record is the current one.
pub(crate) fn lead(
    connection: &Connection,
    (tenant_key, id): (i64, &[u8]),
    version: i64,
    record_key: i64,
) -> Result<(), Error> {
    let Connection::Postgres(_) = connection else { return Ok(()) };
    let text = "UPDATE record_key SET version = ?4, record_key = ?5 \
                WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3";
    let shard_key = shard_key(tenant_key, id);
    connection.defer(text, (tenant_key, id, shard_key, version, record_key))
}

/// The key of a record's current version, where many nodes write.
pub(crate) fn find(
    connection: &Connection,
    tenant_key: i64,
    id: &[u8],
) -> Result<Option<i64>, Error> {
    let text = "SELECT record_key FROM record_key \
                WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3";
    connection.value(text, (tenant_key, id, shard_key(tenant_key, id)))
}

/// Forgets a record that is erased.
pub(crate) fn forget(connection: &Connection, tenant_key: i64, id: &[u8]) -> Result<(), Error> {
    let Connection::Postgres(_) = connection else { return Ok(()) };
    let text = "DELETE FROM record_key WHERE tenant_key = ?1 AND id_key = ?2 AND shard_key = ?3";
    connection.execute(text, (tenant_key, id, shard_key(tenant_key, id))).map(drop)
}

#[cfg(test)]
mod tests {
    use odata::primitive::DateTimeOffset;

    use super::*;

    #[test]
    fn months_begin_at_their_first_instant_and_follow_each_other() {
        let at = |text: &str| month(DateTimeOffset::parse(text).unwrap().0);
        assert_eq!(at("1970-01-31T23:59:59.9999999Z"), 0);
        assert_eq!(at("1970-02-01T00:00:00Z"), 1);
        assert_eq!(at("1969-12-31T00:00:00Z"), 0);
        assert_eq!(at("2000-02-29T23:59:59Z"), 361);
        assert_eq!(at("2000-03-01T00:00:00Z"), 362);
        assert_eq!(at("2026-11-26T18:00:00Z"), 56 * 12 + 10);
        assert_eq!(at("2026-12-31T23:59:59.9999999Z") + 1, at("2027-01-01T00:00:00Z"));
        assert_eq!(at("9999-12-31T00:00:00Z"), LAST_MONTH);
        for number in 1..LAST_MONTH {
            let start = start_of_month(number);
            assert_eq!((month(start - 1), month(start)), (number - 1, number));
        }
    }
}
