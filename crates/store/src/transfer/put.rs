//! Puts a chunk into the target: versions, entries of the log, and a note of how far the move is.

use std::collections::{HashMap, HashSet};

use model::ShreddedRecord;

use super::NOTES;
use super::chunk::{Chunk, Content, Entry};
use crate::Error;
use crate::maintenance::{erasure, word_removal};
use crate::tables::head::Head;
use crate::tables::keys::RecordId;
use crate::tables::record_locks::{RecordLock, RecordLocks};
use crate::tables::session::Session;
use crate::tables::{calls, change_log, record_keys};

/// Puts a chunk in.
pub(super) fn put(session: &mut Session, chunk: &Chunk) -> Result<(), Error> {
    let mut locks = lock(session, &chunk.entries)?;
    // Keys in the target of what was put in, by those of the source.
    let mut put = HashMap::new();
    let mut erased = HashSet::new();
    for entry in &chunk.entries {
        let tenant_key = entry.tenant_key;
        match &entry.content {
            Content::Nothing => {}
            Content::Erased(id_key) => {
                erase(session, RecordId { tenant_key, id_key })?;
                erased.insert((tenant_key, id_key));
            }
            Content::Stored(record, is_current) => {
                if erased.remove(&(tenant_key, &record.id_key)) {
                    // Its lock went with what was erased.
                    let again = session.lock_records(tenant_key, [&**record])?;
                    locks.entry(tenant_key).or_default().extend(again);
                }
                let lock = locks.get_mut(&tenant_key);
                let lock = lock.and_then(|locks| locks.remove(&record.id_key));
                let key = put_version(session, tenant_key, lock, record, *is_current)?;
                put.insert(entry.record_key, key);
            }
        }
        // Nothing has the key 0.
        let record_key = put.get(&entry.record_key).copied().unwrap_or(0);
        session.log(&change_log::Entry {
            tenant_key,
            record_key,
            id: entry.id.as_deref(),
            version: entry.version,
            change: entry.change,
            committed_at: entry.committed_at,
        })?;
    }
    let last = session.connection.value("SELECT max(sequence) FROM change_log", ())?;
    let committed_at = chunk.entries.last().map_or(0, |entry| entry.committed_at);
    note(session, [chunk.up_to, committed_at, last.flatten().unwrap_or(0)])
}

fn lock(session: &mut Session, entries: &[Entry]) -> Result<HashMap<i64, RecordLocks>, Error> {
    let mut by_tenant: HashMap<i64, Vec<&ShreddedRecord>> = HashMap::new();
    for entry in entries {
        if let Content::Stored(record, _) = &entry.content {
            by_tenant.entry(entry.tenant_key).or_default().push(record);
        }
    }
    let mut locks = HashMap::new();
    for (tenant_key, records) in by_tenant {
        locks.insert(tenant_key, session.lock_records(tenant_key, records)?);
    }
    Ok(locks)
}

/// Puts a version in, in place of what is there of it; gives its key.
fn put_version(
    session: &mut Session,
    tenant_key: i64,
    lock: Option<RecordLock>,
    record: &ShreddedRecord,
    is_current: bool,
) -> Result<i64, Error> {
    if let Some(RecordLock::New(key)) = lock {
        return session.rows(tenant_key).insert(Some(key), is_current, record);
    }
    let id = RecordId { tenant_key, id_key: &record.id_key };
    let there = Head::find(&session.connection, id, Some(record.version))?;
    if let Some(there) = &there {
        let is_same = there.flags == record.flags
            && there.is_current == is_current
            && record.content_hash.starts_with(&there.content_hash);
        if is_same {
            return Ok(there.record_key);
        }
        session.rows(tenant_key).delete(there)?;
    }
    if is_current {
        retire_current(session, id, record.version)?;
    }
    let key = match there {
        Some(there) => Some(there.record_key),
        None => session.next_key(record.start)?,
    };
    let key = session.rows(tenant_key).insert(key, is_current, record)?;
    if is_current {
        record_keys::set(&session.connection, id, record.version, key)?;
    }
    Ok(key)
}

/// Sends the current version of a record to history, unless it is this one.
fn retire_current(session: &mut Session, id: RecordId<'_>, by: i64) -> Result<(), Error> {
    match Head::current(&session.connection, id)? {
        Some(current) if current.is_current && current.version != by => {
            session.rows(id.tenant_key).retire(&current)
        }
        _ => Ok(()),
    }
}

/// Deletes a record with all its versions.
fn erase(session: &mut Session, id: RecordId<'_>) -> Result<(), Error> {
    if erasure::delete_highest(session, id)?.is_some() {
        while erasure::delete_highest(session, id)?.is_some() {}
        word_removal::note_erasure(session)?;
    }
    record_keys::delete(&session.connection, id)?;
    calls::erase(&session.connection, id)
}

/// Notes how far the move is.
pub(super) fn note(session: &Session, values: [i64; 3]) -> Result<(), Error> {
    for (name, value) in NOTES.into_iter().zip(values) {
        session.connection.execute(
            "INSERT INTO setting (name, value) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET value = ?2",
            (name, value),
        )?;
    }
    Ok(())
}
