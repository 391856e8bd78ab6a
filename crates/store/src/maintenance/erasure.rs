//! Erasing records: by their ids, or once they have reached their age.
//!
//! A record goes with all its versions and all that was made of them, in one transaction with the entries
//! of the change log that say so. What comes under its id afterwards is another record.

use std::collections::HashSet;

use model::TenantId;

use super::word_removal;
use crate::Error;
use crate::engine::{Connection, most};
use crate::priority::give_way;
use crate::rows::record::Change;
use crate::tables::change_log::Entry;
use crate::tables::head::Head;
use crate::tables::keys::RecordId;
use crate::tables::session::Session;
use crate::tables::{calls, deliveries, mirror_ledger, record_keys, record_locks, tenants};

/// Erases records of a tenant, by the keys of their ids, and says of each whether it was there.
pub(crate) fn erase(
    session: &mut Session,
    tenant: &TenantId,
    id_keys: &[Vec<u8>],
) -> Result<Vec<bool>, Error> {
    let Some(tenant_key) = tenants::find(&session.connection, tenant)? else {
        return Ok(vec![false; id_keys.len()]);
    };
    // In one order, so that two nodes never wait for each other.
    let mut in_order: Vec<&Vec<u8>> = id_keys.iter().collect();
    in_order.sort_unstable();
    in_order.dedup();
    let mut erased = HashSet::new();
    for id_key in in_order {
        if erase_record(session, RecordId { tenant_key, id_key })? {
            erased.insert(id_key.clone());
        }
    }
    clean_up(session, tenant_key, &erased)?;
    Ok(id_keys.iter().map(|id_key| erased.contains(id_key)).collect())
}

/// Erases at most `limit` records whose current version ended before `ticks`; answers how many.
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
        for id_key in &found {
            give_way();
            erase_record(session, RecordId { tenant_key, id_key })?;
        }
        clean_up(session, tenant_key, &found)?;
    }
    Ok(erased)
}

fn ended_before(
    session: &Session,
    tenant_key: i64,
    ticks: i64,
    limit: usize,
) -> Result<HashSet<Vec<u8>>, Error> {
    let text = "SELECT id_key FROM call_record WHERE tenant_key = ?1 AND is_current = 1 \
                AND end_date_time < ?2 ORDER BY end_date_time LIMIT ?3";
    let found = session.connection.all(text, (tenant_key, ticks, most(limit)), |row| row.get(0));
    Ok(found?.into_iter().collect())
}

/// Erases a record; whether it was there.
fn erase_record(session: &mut Session, id: RecordId<'_>) -> Result<bool, Error> {
    if let Connection::Postgres(_) = session.connection {
        if record_keys::find(&session.connection, id)?.is_none() {
            return Ok(false);
        }
        record_locks::lock_stored(&session.connection, id)?;
    }
    let tenant_key = id.tenant_key;
    let mut was_there = false;
    while let Some(Head { record_key, id, version, .. }) = delete_highest(session, id)? {
        was_there = true;
        let (id, change, committed_at) = (Some(id.as_str()), Change::Erased, session.now());
        session.log(&Entry { tenant_key, record_key, id, version, change, committed_at })?;
    }
    record_keys::delete(&session.connection, id)?;
    calls::erase(&session.connection, id)?;
    mirror_ledger::note_erasure(&session.connection, tenant_key, id.id_key)?;
    Ok(was_there)
}

/// Takes out what else knows of erased records.
fn clean_up(session: &Session, tenant_key: i64, erased: &HashSet<Vec<u8>>) -> Result<(), Error> {
    if erased.is_empty() {
        return Ok(());
    }
    deliveries::forget_records(&session.connection, tenant_key, erased)?;
    word_removal::note_erasure(session)
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
