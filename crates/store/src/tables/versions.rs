//! What becomes of a record that is written: a first version, a new one, one for history, or more of a
//! version that is stored already.
//!
//! The highest version of a record is its current one. A higher one replaces it, and sends it to
//! history; a lower one goes to history at once. A version that is stored already is compared with what
//! comes in: if that says nothing new, nothing is written; if it says more, both are merged under the key
//! that the version has; and if it says something else, the write is refused. So whatever order records
//! come in, and however often, the store ends up the same.

use std::cmp::Ordering;

use model::merge::{Merge, merge};
use model::{ShreddedRecord, TenantId};

use super::change_log::Entry;
use super::fragments::StoredVersion;
use super::head::Head;
use super::keys::RecordId;
use super::record_keys;
use super::record_locks::{RecordLock, RecordLocks};
use super::session::Session;
use crate::Error;
use crate::rows::record::{Change, Outcome, WriteResult};

/// Writes records one by one; see [`crate::Store::write`].
pub(crate) fn write(
    session: &mut Session,
    tenant: &TenantId,
    records: &[ShreddedRecord],
) -> Result<Vec<WriteResult>, Error> {
    let tenant_key = session.tenant_key(tenant)?;
    let mut locks = session.lock_records(tenant_key, records)?;
    records.iter().map(|record| write_record(session, tenant_key, &mut locks, record)).collect()
}

fn write_record(
    session: &mut Session,
    tenant_key: i64,
    locks: &mut RecordLocks,
    record: &ShreddedRecord,
) -> Result<WriteResult, Error> {
    let id = RecordId { tenant_key, id_key: &record.id_key };
    let current = match locks.remove(&record.id_key) {
        Some(RecordLock::New(key)) => return add_first(session, tenant_key, key, record),
        Some(RecordLock::Current(head)) => Some(head),
        None => Head::current(&session.connection, id)?,
    };
    let Some(current) = current else {
        return add(session, tenant_key, record, Change::Created);
    };
    match record.version.cmp(&current.version) {
        Ordering::Greater => {
            session.rows(tenant_key).retire(&current)?;
            add(session, tenant_key, record, Change::Replaced)
        }
        Ordering::Equal => write_again(session, tenant_key, &current, record),
        Ordering::Less => match Head::find(&session.connection, id, Some(record.version))? {
            None => add(session, tenant_key, record, Change::Archived),
            Some(stored) => write_again(session, tenant_key, &stored, record),
        },
    }
}

/// Adds the first version of a record under the key that its lock has noted for it.
fn add_first(
    session: &mut Session,
    tenant_key: i64,
    record_key: i64,
    record: &ShreddedRecord,
) -> Result<WriteResult, Error> {
    session.rows(tenant_key).insert(Some(record_key), true, record)?;
    log(session, tenant_key, record_key, record, Change::Created)?;
    Ok(written(record, Outcome::Created, record.id.clone(), record.flags))
}

fn add(
    session: &mut Session,
    tenant_key: i64,
    record: &ShreddedRecord,
    change: Change,
) -> Result<WriteResult, Error> {
    let is_current = change != Change::Archived;
    let key = session.next_key(record.start)?;
    let record_key = session.rows(tenant_key).insert(key, is_current, record)?;
    if is_current {
        let id = RecordId { tenant_key, id_key: &record.id_key };
        record_keys::set(&session.connection, id, record.version, record_key)?;
    }
    log(session, tenant_key, record_key, record, change)?;
    let outcome = match change {
        Change::Replaced => Outcome::Replaced,
        Change::Archived => Outcome::Archived,
        _ => Outcome::Created,
    };
    Ok(written(record, outcome, record.id.clone(), record.flags))
}

/// Writes a version that is stored already.
fn write_again(
    session: &mut Session,
    tenant_key: i64,
    stored: &Head,
    record: &ShreddedRecord,
) -> Result<WriteResult, Error> {
    let unwritten = |outcome| written(record, outcome, stored.id.clone(), stored.flags);
    if record.content_hash.starts_with(&stored.content_hash) {
        return Ok(unwritten(Outcome::Unchanged));
    }
    let mut version = StoredVersion {
        connection: &session.connection,
        codec: &mut session.stored_codec,
        record_key: stored.record_key,
        flags: stored.flags,
    };
    let merged = match merge(&mut version, record, &mut session.codec)? {
        Merge::Unchanged => return Ok(unwritten(Outcome::Unchanged)),
        Merge::Conflict { pointer } => return Ok(unwritten(Outcome::Conflict { pointer })),
        Merge::Merged(merged) => merged,
    };
    let mut rows = session.rows(tenant_key);
    rows.delete(stored)?;
    rows.insert(Some(stored.record_key), stored.is_current, &merged)?;
    log(session, tenant_key, stored.record_key, record, Change::Merged)?;
    Ok(written(record, Outcome::Merged, merged.id, merged.flags))
}

fn log(
    session: &mut Session,
    tenant_key: i64,
    record_key: i64,
    record: &ShreddedRecord,
    change: Change,
) -> Result<(), Error> {
    let (version, committed_at) = (record.version, session.now());
    session.log(&Entry { tenant_key, record_key, id: None, version, change, committed_at })
}

fn written(record: &ShreddedRecord, outcome: Outcome, id: String, flags: u32) -> WriteResult {
    WriteResult { outcome, id, id_key: record.id_key.clone(), version: record.version, flags }
}
