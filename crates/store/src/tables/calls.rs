//! Calls: their events come in, and their records are made of them.

use model::call::{CallEventRow, CallRow, Ending};
use model::{TenantId, key};

use super::head::Head;
use super::keys::RecordId;
use super::session::Session;
use super::versions;
use crate::engine::{Connection, Row, most};
use crate::rows::call::{self, CallEventOutcome, CallScope, ChainRecord, DueChain};
use crate::{Cause, Error};

/// Columns of a call, read by [`call()`].
macro_rules! columns {
    () => {
        "c.call_key, c.id, h.id, c.start_date_time, c.ending \
         FROM call c JOIN call_chain h ON h.chain_key = c.chain_key"
    };
}

/// Keeps events, with their calls and chains; says of each what became of it.
pub(crate) fn keep(
    session: &mut Session,
    tenant: &TenantId,
    events: &[CallEventRow],
) -> Result<Vec<CallEventOutcome>, Error> {
    let tenant_key = session.tenant_key(tenant)?;
    let now = session.now();
    let connection = &session.connection;
    events.iter().map(|event| keep_event(connection, tenant_key, event, now)).collect()
}

fn keep_event(
    connection: &Connection,
    tenant_key: i64,
    event: &CallEventRow,
    now: i64,
) -> Result<CallEventOutcome, Error> {
    let known: Option<String> = connection.value(
        "SELECT body FROM call_event WHERE tenant_key = ?1 AND id_key = ?2",
        (tenant_key, &event.id_key),
    )?;
    match known {
        Some(body) if body == event.body => return Ok(CallEventOutcome::Known),
        Some(_) => return Ok(CallEventOutcome::Conflict),
        None => {}
    }
    let call_key = match find_call(connection, tenant_key, event)? {
        Some(StoredCall { chain, .. }) if key(&chain) != key(&event.chain_id) => {
            return Ok(CallEventOutcome::OtherChain(chain));
        }
        Some(call) => {
            update_call(connection, &call, event)?;
            call.call_key
        }
        None => add_call(connection, tenant_key, event, now)?,
    };
    let event_key: i64 = connection.inserted(
        "INSERT INTO call_event (tenant_key, id_key, call_key, time, is_media, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING event_key",
        (tenant_key, &event.id_key, call_key, event.time, event.is_media, &event.body),
    )?;
    connection.execute(
        "UPDATE call_chain SET received = ?2, last_event = ?3 \
         WHERE chain_key = (SELECT chain_key FROM call WHERE call_key = ?1)",
        (call_key, now, event_key),
    )?;
    Ok(CallEventOutcome::New)
}

struct StoredCall {
    call_key: i64,
    chain_key: i64,
    chain: String,
    ending: Ending,
}

fn find_call(
    connection: &Connection,
    tenant_key: i64,
    event: &CallEventRow,
) -> Result<Option<StoredCall>, Error> {
    let text = "SELECT c.call_key, c.chain_key, h.id, c.ending FROM call c \
                JOIN call_chain h ON h.chain_key = c.chain_key \
                WHERE c.tenant_key = ?1 AND c.id_key = ?2";
    connection.first(text, (tenant_key, key(&event.call_id)), |row| {
        Ok(StoredCall {
            call_key: row.get(0)?,
            chain_key: row.get(1)?,
            chain: row.get(2)?,
            ending: call::ending(row.get(3)?),
        })
    })
}

/// Updates a stored call by what an event says of it.
fn update_call(
    connection: &Connection,
    call: &StoredCall,
    event: &CallEventRow,
) -> Result<(), Error> {
    let StoredCall { call_key, chain_key, ending, .. } = *call;
    connection.execute(
        "UPDATE call SET start_date_time = ?2 WHERE call_key = ?1 AND start_date_time > ?2",
        (call_key, event.time),
    )?;
    if !event.is_end || ending == Ending::Ended {
        return Ok(());
    }
    connection.execute(
        "UPDATE call SET ending = ?2 WHERE call_key = ?1",
        (call_key, call::number(Ending::Ended)),
    )?;
    if ending == Ending::Open {
        connection.execute(
            "UPDATE call_chain SET open_calls = open_calls - 1 WHERE chain_key = ?1",
            [chain_key],
        )?;
    }
    Ok(())
}

/// Adds the call of an event, and its chain if that is new too.
fn add_call(
    connection: &Connection,
    tenant_key: i64,
    event: &CallEventRow,
    now: i64,
) -> Result<i64, Error> {
    let chain_key: i64 = connection.inserted(
        "INSERT INTO call_chain (tenant_key, id, id_key, open_calls, received, last_event) \
             VALUES (?1, ?2, ?3, ?4, ?5, 0) \
             ON CONFLICT (tenant_key, id_key) DO UPDATE \
             SET open_calls = call_chain.open_calls + excluded.open_calls \
             RETURNING chain_key",
        (tenant_key, &event.chain_id, key(&event.chain_id), !event.is_end, now),
    )?;
    let ending = if event.is_end { Ending::Ended } else { Ending::Open };
    connection.inserted(
        "INSERT INTO call (tenant_key, id, id_key, chain_key, start_date_time, ending) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING call_key",
        (
            tenant_key,
            &event.call_id,
            key(&event.call_id),
            chain_key,
            event.time,
            call::number(ending),
        ),
    )
}

/// Writes the record of a chain as its next version, unless the chain or the record has changed
/// since it was read; whether it was written. From then on none of its calls counts as open.
pub(crate) fn record(session: &mut Session, made: &ChainRecord) -> Result<bool, Error> {
    let ChainRecord { chain, record } = made;
    let tenant_key = session.tenant_key(&chain.tenant)?;
    let newest =
        Head::current(&session.connection, RecordId { tenant_key, id_key: &record.id_key })?;
    if newest.map_or(0, |newest| newest.version) != chain.version {
        return Ok(false);
    }
    let changed = session.connection.execute(
        "UPDATE call_chain SET recorded_event = ?2, open_calls = 0 \
             WHERE chain_key = ?1 AND last_event = ?2 AND recorded_event < ?2",
        (chain.key, chain.last_event),
    )?;
    if changed == 0 {
        return Ok(false);
    }
    session.connection.execute(
        "UPDATE call SET ending = ?2 WHERE chain_key = ?1 AND ending = ?3",
        (chain.key, call::number(Ending::Abandoned), call::number(Ending::Open)),
    )?;
    versions::write(session, &chain.tenant, std::slice::from_ref(record))?;
    Ok(true)
}

/// Takes out a chain whose record is erased, with its calls and events.
pub(crate) fn erase(connection: &Connection, id: RecordId<'_>) -> Result<(), Error> {
    let chain_key: Option<i64> = connection.value(
        "SELECT chain_key FROM call_chain WHERE tenant_key = ?1 AND id_key = ?2",
        (id.tenant_key, id.id_key),
    )?;
    let Some(chain_key) = chain_key else { return Ok(()) };
    for text in [
        "DELETE FROM call_event \
         WHERE call_key IN (SELECT call_key FROM call WHERE chain_key = ?1)",
        "DELETE FROM call WHERE chain_key = ?1",
        "DELETE FROM call_chain WHERE chain_key = ?1",
    ] {
        connection.execute(text, [chain_key])?;
    }
    Ok(())
}

/// Chains whose record lacks something and is due: those whose calls have all ended and that got no
/// event since one instant (ticks), and all that got none since another.
pub(crate) fn due(
    connection: &Connection,
    (ended_before, any_before): (i64, i64),
    limit: usize,
) -> Result<Vec<DueChain>, Error> {
    let text = "SELECT h.chain_key, t.id, h.id, h.last_event, \
                coalesce((SELECT max(r.version) FROM call_record r \
                WHERE r.tenant_key = h.tenant_key AND r.id_key = h.id_key), 0) \
                FROM call_chain h JOIN tenant t ON t.tenant_key = h.tenant_key \
                WHERE h.recorded_event < h.last_event AND h.received <= ?1 \
                AND (h.open_calls = 0 OR h.received <= ?2) ORDER BY h.received LIMIT ?3";
    connection.all(text, (ended_before.max(any_before), any_before, most(limit)), |row| {
        let damaged = || Error::Corrupt(Cause::new("call chain: a tenant is no GUID"));
        Ok(DueChain {
            key: row.get(0)?,
            tenant: TenantId::parse(&row.get::<String>(1)?).ok_or_else(damaged)?,
            id: row.get(2)?,
            last_event: row.get(3)?,
            version: row.get(4)?,
        })
    })
}

/// The calls of a chain, by their starts.
pub(crate) fn of_chain(connection: &Connection, chain_key: i64) -> Result<Vec<CallRow>, Error> {
    let text = concat!(
        "SELECT ",
        columns!(),
        " WHERE c.chain_key = ?1 ORDER BY c.start_date_time, c.call_key"
    );
    connection.all(text, [chain_key], call)
}

/// A call by the key of its id.
pub(crate) fn by_id(
    connection: &Connection,
    tenant_key: i64,
    id_key: &[u8],
) -> Result<Option<CallRow>, Error> {
    let text = concat!("SELECT ", columns!(), " WHERE c.tenant_key = ?1 AND c.id_key = ?2");
    connection.first(text, (tenant_key, id_key), call)
}

/// Calls of a tenant behind a position, the latest start first.
pub(crate) fn list(
    connection: &Connection,
    tenant_key: i64,
    scope: &CallScope,
    after: Option<(i64, i64)>,
    limit: usize,
) -> Result<Vec<CallRow>, Error> {
    let narrowed = match scope {
        CallScope { chain: Some(_), .. } => {
            " AND c.chain_key = (SELECT chain_key FROM call_chain \
             WHERE tenant_key = ?1 AND id_key = ?5)"
        }
        // Says nothing of ?5, which has to stand somewhere, and has a type.
        CallScope { open_only: true, .. } => " AND c.ending = 0 AND CAST(?5 AS TEXT) IS NULL",
        CallScope { .. } => " AND CAST(?5 AS TEXT) IS NULL",
    };
    let text = format!(
        concat!(
            "SELECT ",
            columns!(),
            " WHERE c.tenant_key = ?1 AND (c.start_date_time, c.call_key) < (?2, ?3){} \
             ORDER BY c.start_date_time DESC, c.call_key DESC LIMIT ?4"
        ),
        narrowed
    );
    let (start, call_key) = after.unwrap_or((i64::MAX, i64::MAX));
    connection.all(&text, (tenant_key, start, call_key, most(limit), &scope.chain), call)
}

/// The events of a call as JSON, with those of media or without; in no order.
pub(crate) fn events(
    connection: &Connection,
    call_key: i64,
    with_media: bool,
) -> Result<Vec<String>, Error> {
    let text = "SELECT body FROM call_event WHERE call_key = ?1 AND is_media <= ?2 \
                ORDER BY event_key";
    connection.all(text, (call_key, with_media), |row| row.get(0))
}

fn call(row: &Row<'_>) -> Result<CallRow, Error> {
    Ok(CallRow {
        key: row.get(0)?,
        id: row.get(1)?,
        chain_id: row.get(2)?,
        start: row.get(3)?,
        ending: call::ending(row.get(4)?),
    })
}
