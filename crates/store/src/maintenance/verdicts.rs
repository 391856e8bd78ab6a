//! Gives the typed rows of records that earlier builds stored the columns that they lack, verdicts among
//! them, while the store is used, and notes which of these records have plain values. Until that is done, no
//! query relies on either.
//!
//! Records are read and judged on the caller's thread; the writer only replaces rows, and leaves a record
//! alone that was written meanwhile. Which records are left an index says, so a process that is killed leaves
//! nothing behind.

use model::shred::{TypedRows, stored_rows};
use quality::Verdicts;

use crate::Error;
use crate::codec::Codec;
use crate::engine::{Connection, most};
use crate::priority::give_way;
use crate::tables::fragments::StoredVersion;
use crate::tables::keys::{RecordId, Shard};
use crate::tables::leases;
use crate::tables::session::Session;
use crate::tables::version_rows;

/// As it stands in statements and in the condition of their index.
const _: () = assert!(model::flags::ALL_COLUMNS == 256);

/// The name of the lease on the work.
pub(crate) const LEASE: &str = "verdicts";

/// Some records, judged anew.
pub(crate) struct Batch {
    records: Vec<JudgedRecord>,
    /// Keys of records that can't be read.
    damaged: Vec<i64>,
    /// Where the next batch begins.
    next: i64,
}

struct JudgedRecord {
    due: DueRecord,
    rows: TypedRows,
    verdicts: Verdicts,
}

struct DueRecord {
    record_key: i64,
    tenant_key: i64,
    id_key: Vec<u8>,
    flags: u32,
    content_hash: Vec<u8>,
}

impl DueRecord {
    fn id(&self) -> (i64, &[u8]) {
        (self.tenant_key, &self.id_key)
    }
}

/// Whether all records have all columns.
pub(crate) fn are_there(connection: &Connection) -> Result<bool, Error> {
    Ok(!connection
        .exists("SELECT 1 FROM call_record WHERE is_current = 1 AND flags & 256 = 0 LIMIT 1", ())?)
}

/// Records that lack some yet.
pub(crate) fn left(connection: &Connection) -> Result<u64, Error> {
    let text = "SELECT count(*) FROM call_record WHERE is_current = 1 AND flags & 256 = 0";
    let count: Option<i64> = connection.value(text, ())?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Reads and judges at most `limit` records that lack columns, from a key on; none where there are none.
pub(crate) fn read(
    connection: &Connection,
    codec: &mut Codec,
    (next, limit): (i64, usize),
) -> Result<Option<Batch>, Error> {
    let text = "SELECT record_key, tenant_key, id_key, flags, content_hash FROM call_record \
                WHERE record_key >= ?1 AND is_current = 1 AND flags & 256 = 0 \
                ORDER BY record_key LIMIT ?2";
    let due = connection.all(text, (next, most(limit)), |row| {
        Ok(DueRecord {
            record_key: row.get(0)?,
            tenant_key: row.get(1)?,
            id_key: row.get(2)?,
            flags: row.get(3)?,
            content_hash: row.get(4)?,
        })
    })?;
    let Some(last) = due.last() else { return Ok(None) };
    let next = last.record_key + 1;
    let (mut records, mut damaged) = (Vec::with_capacity(due.len()), Vec::new());
    for due in due {
        give_way();
        let (record_key, flags) = (due.record_key, due.flags);
        match stored_rows(&mut StoredVersion { connection, codec, record_key, flags }) {
            Ok(rows) => {
                let verdicts = quality::judge(quality::profile::standard(), &rows);
                records.push(JudgedRecord { due, rows, verdicts });
            }
            // The doctor tells of damage.
            Err(Error::Corrupt(cause)) => {
                tracing::warn!(record_key, %cause, "a record can't be read");
                damaged.push(record_key);
            }
            Err(error) => return Err(error),
        }
    }
    // As writers lock records, so that none waits for another in a circle.
    records.sort_by(|a, b| a.due.id().cmp(&b.due.id()));
    Ok(Some(Batch { records, damaged, next }))
}

impl Batch {
    /// Its records.
    pub(crate) fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Where the next one begins.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// Replaces the typed rows of its records; whether this process still holds the work.
    pub(crate) fn apply(&self, session: &mut Session, holder: &str) -> Result<bool, Error> {
        if !leases::holds(&session.connection, LEASE, holder)? {
            return Ok(false);
        }
        for record in &self.records {
            give_way();
            record.apply(&session.connection)?;
        }
        // A verdict that is none, so that one record does not keep questions from the others' columns.
        let text = "UPDATE call_record SET quality_verdict = coalesce(quality_verdict, ''), \
                    flags = flags | 256 WHERE record_key = ?1 AND is_current = 1";
        for record_key in &self.damaged {
            session.connection.execute(text, [*record_key])?;
        }
        Ok(true)
    }
}

impl JudgedRecord {
    /// Unless the record was written, replaced or erased since it was read.
    fn apply(&self, connection: &Connection) -> Result<(), Error> {
        let DueRecord { record_key, tenant_key, id_key, content_hash, .. } = &self.due;
        let id = RecordId { tenant_key: *tenant_key, id_key };
        if let Connection::Postgres(_) = connection {
            let text = "SELECT 1 FROM record_key WHERE tenant_key = ?1 AND id_key = ?2 \
                        AND shard_key = ?3 AND record_key = ?4 FOR UPDATE";
            let values = (*tenant_key, id.id_key, id.shard_key(), *record_key);
            if !connection.exists(text, values)? {
                return Ok(());
            }
        }
        let text = "SELECT 1 FROM call_record \
                    WHERE record_key = ?1 AND is_current = 1 AND content_hash = ?2";
        if !connection.exists(text, (*record_key, content_hash))? {
            return Ok(());
        }
        let shard = Shard::of(connection, id);
        version_rows::delete_rows_below(connection, *record_key)?;
        let rows = (&self.rows, &self.verdicts);
        version_rows::insert_typed_rows(connection, shard, *record_key, rows)?;
        version_rows::note_rows(connection, *record_key, self.rows.is_plain)?;
        version_rows::update_verdict(connection, *record_key, &self.verdicts.record)
    }
}
