//! Erasing records that have reached their age.

use super::word_removal;
use crate::Error;
use crate::engine::{Connection, most};
use crate::rows::record::Change;
use crate::tables::change_log::Entry;
use crate::tables::head::Head;
use crate::tables::keys::RecordId;
use crate::tables::session::Session;
use crate::tables::{calls, record_keys, record_locks, tenants};

/// Erases at most `limit` records whose current version ended before `ticks`, with all their
/// versions, and logs each; answers how many records.
pub(crate) fn erase_ended_before(
    session: &mut Session,
    ticks: i64,
    limit: usize,
) -> Result<usize, Error> {
    let mut erased = 0;
    for tenant_key in tenants::keys(&session.connection)? {
        if erased == limit {
            break;
        }
        let found = ended_before(session, tenant_key, ticks, limit - erased)?;
        erased += found.len();
        for id_key in found {
            erase(session, RecordId { tenant_key, id_key: &id_key })?;
        }
    }
    if erased > 0 {
        word_removal::note_erasure(session)?;
    }
    Ok(erased)
}

fn ended_before(
    session: &Session,
    tenant_key: i64,
    ticks: i64,
    limit: usize,
) -> Result<Vec<Vec<u8>>, Error> {
    let text = "SELECT id_key FROM call_record WHERE tenant_key = ?1 AND is_current = 1 \
                AND end_date_time < ?2 ORDER BY end_date_time LIMIT ?3";
    session.connection.all(text, (tenant_key, ticks, most(limit)), |row| row.get(0))
}

fn erase(session: &mut Session, id: RecordId<'_>) -> Result<(), Error> {
    if matches!(session.connection, Connection::Postgres(_)) {
        record_locks::lock_stored(&session.connection, id)?;
    }
    let tenant_key = id.tenant_key;
    while let Some(Head { record_key, id, version, .. }) = delete_highest(session, id)? {
        let (id, change, committed_at) = (Some(id.as_str()), Change::Erased, session.now());
        session.log(&Entry { tenant_key, record_key, id, version, change, committed_at })?;
    }
    record_keys::delete(&session.connection, id)?;
    calls::erase(&session.connection, id)
}

/// Deletes the highest version of a record that is stored; none if there is none.
pub(crate) fn delete_highest(
    session: &mut Session,
    id: RecordId<'_>,
) -> Result<Option<Head>, Error> {
    let found = Head::find(&session.connection, id, None)?;
    if let Some(version) = &found {
        session.rows(id.tenant_key).delete(version)?;
    }
    Ok(found)
}
