//! Puts a chunk into the target: versions, entries of the log, and the note of how far that is.

use std::collections::{HashMap, HashSet};

use model::ShreddedRecord;

use super::NOTES;
use super::chunk::{Chunk, Entry, State};
use crate::Error;
use crate::engine::Connection;
use crate::session::Session;
use crate::sqlite::forgetting;
use crate::tables::keys::{self, Known, Locked};
use crate::tables::stored::Head;
use crate::tables::{calls, rows};

pub(super) fn put(session: &mut Session, chunk: &Chunk) -> Result<(), Error> {
    let mut locked = lock(session, &chunk.entries)?;
    // Keys in the target of what was put in, by those of the source.
    let mut put = HashMap::new();
    let mut erased = HashSet::new();
    for entry in &chunk.entries {
        match &entry.state {
            State::Nothing => {}
            State::Erased(id_key) => {
                erase(session, entry.tenant_key, id_key)?;
                erased.insert((entry.tenant_key, id_key));
            }
            State::Stored(record, is_current) => {
                if erased.remove(&(entry.tenant_key, &record.id_key)) {
                    // Its lock went with what was erased.
                    let again = lock_of(session, entry.tenant_key, [&**record])?;
                    locked.entry(entry.tenant_key).or_default().extend(again);
                }
                let known = locked.get_mut(&entry.tenant_key);
                let known = known.and_then(|locked| locked.remove(&record.id_key));
                let key = put_version(session, entry.tenant_key, known, record, *is_current)?;
                put.insert(entry.record_key, key);
            }
        }
        // Nothing has the key 0.
        let record_key = put.get(&entry.record_key).copied().unwrap_or(0);
        session.log_entry(
            (entry.tenant_key, record_key),
            (entry.id.as_deref(), entry.version, entry.change),
            entry.committed_at,
        )?;
    }
    let last = session.connection.value("SELECT max(sequence) FROM change_log", ())?;
    let committed_at = chunk.entries.last().map_or(0, |entry| entry.committed_at);
    note(session, [chunk.up_to, committed_at, last.flatten().unwrap_or(0)])
}

fn lock(session: &mut Session, entries: &[Entry]) -> Result<HashMap<i64, Locked>, Error> {
    let mut by_tenant: HashMap<i64, Vec<&ShreddedRecord>> = HashMap::new();
    for entry in entries {
        if let State::Stored(record, _) = &entry.state {
            by_tenant.entry(entry.tenant_key).or_default().push(record);
        }
    }
    let mut locked = HashMap::new();
    for (tenant_key, records) in by_tenant {
        locked.insert(tenant_key, lock_of(session, tenant_key, records)?);
    }
    Ok(locked)
}

fn lock_of<'r>(
    session: &mut Session,
    tenant_key: i64,
    records: impl IntoIterator<Item = &'r ShreddedRecord>,
) -> Result<Locked, Error> {
    keys::lock(&session.connection, &mut session.numbers, tenant_key, records)
}

/// Puts a version in, in place of what is there of it; gives its key.
fn put_version(
    session: &mut Session,
    tenant_key: i64,
    known: Option<Known>,
    record: &ShreddedRecord,
    is_current: bool,
) -> Result<i64, Error> {
    if let Some(Known::New(key)) = known {
        let (connection, waiting) = (&session.connection, &mut session.waiting);
        return rows::insert(connection, waiting, tenant_key, Some(key), is_current, record);
    }
    let there = Head::find(&session.connection, tenant_key, &record.id_key, Some(record.version))?;
    if let Some(there) = &there {
        let is_same = there.flags == record.flags
            && there.is_current == is_current
            && record.content_hash.starts_with(&there.content_hash);
        if is_same {
            return Ok(there.record_key);
        }
        let (connection, codec) = (&session.connection, &mut session.stored_codec);
        rows::delete(connection, codec, &mut session.waiting, tenant_key, there)?;
    }
    if is_current {
        retire_current(session, tenant_key, record)?;
    }
    let key = match there {
        Some(there) => Some(there.record_key),
        None => keys::new(&session.connection, &mut session.numbers, record.start)?,
    };
    let (connection, waiting) = (&session.connection, &mut session.waiting);
    let key = rows::insert(connection, waiting, tenant_key, key, is_current, record)?;
    if is_current {
        keys::lead(connection, (tenant_key, &record.id_key), record.version, key)?;
    }
    Ok(key)
}

/// Sends the version that was the current one to history.
fn retire_current(
    session: &mut Session,
    tenant_key: i64,
    by: &ShreddedRecord,
) -> Result<(), Error> {
    match Head::current(&session.connection, tenant_key, &by.id_key)? {
        Some(current) if current.is_current && current.version != by.version => {
            let (connection, codec) = (&session.connection, &mut session.stored_codec);
            rows::retire(connection, codec, &mut session.waiting, tenant_key, &current)
        }
        _ => Ok(()),
    }
}

/// Takes out a record with all its versions.
fn erase(session: &mut Session, tenant_key: i64, id_key: &[u8]) -> Result<(), Error> {
    let mut is_there = false;
    while let Some(version) = Head::find(&session.connection, tenant_key, id_key, None)? {
        let (connection, codec) = (&session.connection, &mut session.stored_codec);
        rows::delete(connection, codec, &mut session.waiting, tenant_key, &version)?;
        is_there = true;
    }
    if is_there && matches!(session.connection, Connection::Sqlite(_)) {
        forgetting::note_erasure(session, session.now())?;
    }
    keys::forget(&session.connection, tenant_key, id_key)?;
    calls::erase(session, tenant_key, id_key)
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
