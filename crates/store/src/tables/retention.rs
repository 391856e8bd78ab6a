//! Erasing records that have reached their age.

use super::stored::Head;
use super::{calls, keys, rows};
use crate::Error;
use crate::engine::{Connection, most};
use crate::record::Change;
use crate::session::Session;
use crate::sqlite::forgetting;

/// Erases at most `limit` records whose current version ended before `ticks`, with all their
/// versions, and logs each; answers how many records.
pub(crate) fn erase_ended_before(
    session: &mut Session,
    ticks: i64,
    limit: usize,
) -> Result<usize, Error> {
    let mut erased = 0;
    for tenant_key in tenants(session)? {
        if erased == limit {
            break;
        }
        let found = ended_before(session, tenant_key, ticks, limit - erased)?;
        erased += found.len();
        for id_key in found {
            erase(session, tenant_key, &id_key)?;
        }
    }
    // PostgreSQL's own clean-up takes out what was deleted.
    if erased > 0 && matches!(session.connection, Connection::Sqlite(_)) {
        forgetting::note_erasure(session, session.now())?;
    }
    Ok(erased)
}

fn tenants(session: &Session) -> Result<Vec<i64>, Error> {
    session.connection.all("SELECT tenant_key FROM tenant", (), |row| row.get(0))
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

fn erase(session: &mut Session, tenant_key: i64, id_key: &[u8]) -> Result<(), Error> {
    if matches!(session.connection, Connection::Postgres(_)) {
        keys::lock_one(&session.connection, tenant_key, id_key)?;
    }
    while let Some(version) = Head::find(&session.connection, tenant_key, id_key, None)? {
        let (connection, codec) = (&session.connection, &mut session.stored_codec);
        rows::delete(connection, codec, &mut session.waiting, tenant_key, &version)?;
        let id = Some(version.id.as_str());
        session.log_change(tenant_key, version.record_key, id, version.version, Change::Erased)?;
    }
    keys::forget(&session.connection, tenant_key, id_key)?;
    calls::erase(session, tenant_key, id_key)
}
