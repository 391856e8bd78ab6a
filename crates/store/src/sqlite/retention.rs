//! Erasing records that have reached their age.

use rusqlite::Row;

use super::stored::Head;
use super::{Session, calls, forgetting, rows};
use crate::Error;
use crate::record::Change;

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
    if erased > 0 {
        forgetting::note_erasure(session, session.now())?;
    }
    Ok(erased)
}

fn tenants(session: &Session) -> Result<Vec<i64>, Error> {
    let mut statement = session.connection.prepare_cached("SELECT tenant_key FROM tenant")?;
    let rows = statement.query_map((), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn ended_before(
    session: &Session,
    tenant_key: i64,
    ticks: i64,
    limit: usize,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut statement = session.connection.prepare_cached(
        "SELECT id_key FROM call_record WHERE tenant_key = ?1 AND is_current = 1 \
         AND end_date_time < ?2 ORDER BY end_date_time LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((tenant_key, ticks, limit), |row: &Row<'_>| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn erase(session: &mut Session, tenant_key: i64, id_key: &[u8]) -> Result<(), Error> {
    while let Some(version) = Head::find(&session.connection, tenant_key, id_key, None)? {
        let (connection, codec) = (&session.connection, &mut session.stored_codec);
        rows::delete(connection, codec, &mut session.waiting, tenant_key, &version)?;
        let id = Some(version.id.as_str());
        session.log_change(tenant_key, version.record_key, id, version.version, Change::Erased)?;
    }
    calls::erase(session, tenant_key, id_key)
}
