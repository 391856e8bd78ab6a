//! The ledger of mirrors: every record that a source listed, every hour of its list, and evidence.
//!
//! A slice of a list counts in the transaction that notes all of its rows, and a record is settled in the
//! transaction that stores it. So the ledger is true wherever a process is killed.

use model::{ShreddedRecord, TenantId};

use super::mirror_reception;
use super::mirrors;
use super::session::Session;
use super::versions;
use crate::engine::{Connection, Field, Row, most};
use crate::rows::mirror::{
    Evidence, EvidenceRow, FencedResult, HourCount, HourRow, LedgerChange, LedgerDifference,
    LedgerRecord, LedgerState, MirrorLease, MirrorRecord, MirrorResults, ReadSlice,
};
use crate::rows::record::{Outcome, WriteResult};
use crate::{Cause, Error};

const TICKS_PER_HOUR: i64 = 3_600 * odata::primitive::TICKS_PER_SECOND;

/// Notes a slice with all of its rows; how many of them brought something new.
pub(crate) fn note_slice(
    session: &Session,
    (lease, holder): (MirrorLease, &str),
    slice: &ReadSlice,
) -> Result<FencedResult<u64>, Error> {
    if !mirrors::still_holds(session, lease, holder)? {
        return Ok(FencedResult::Lost);
    }
    let connection = &session.connection;
    let key = lease.mirror_key;
    let mut news = 0;
    for row in &slice.rows {
        let id_key = model::key(&row.id);
        let values = [
            Field::Int(key),
            Field::Bytes(id_key.into()),
            Field::Text((&row.id).into()),
            Field::Int(row.start),
            Field::Int(row.start.div_euclid(TICKS_PER_HOUR)),
            Field::Int(row.version),
            Field::Int(slice.due_at),
        ];
        // What is erased stays so, and of what is known only a higher version is news.
        let text = "INSERT INTO mirror_record (mirror_key, id_key, id, start_date_time, hour, \
                    wanted_version, state, due_at, attempts, first_heard) \
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'due', ?7, 0, ?7) \
                    ON CONFLICT (mirror_key, id_key) DO UPDATE SET start_date_time = ?4, hour = ?5, \
                    wanted_version = ?6, state = 'due', due_at = ?7, attempts = 0, asks_version = 0 \
                    WHERE mirror_record.wanted_version < ?6 AND mirror_record.state <> 'erased'";
        news += connection.execute(text, values)? as u64;
    }
    note_hour(connection, key, slice)?;
    Ok(FencedResult::Done(news))
}

fn note_hour(connection: &Connection, key: i64, slice: &ReadSlice) -> Result<(), Error> {
    let text = "INSERT INTO mirror_hour (mirror_key, hour, passes, listed, rows_so_far, outside) \
                VALUES (?1, ?2, 0, 0, 0, 0) ON CONFLICT DO NOTHING";
    connection.execute(text, (key, slice.hour))?;
    // A pass that begins forgets what an unfinished one has counted.
    let text = "UPDATE mirror_hour SET began = ?3, read_to = ?4, outside = outside + ?5, \
                rows_so_far = ?6 + CASE WHEN began = ?3 THEN rows_so_far ELSE 0 END \
                WHERE mirror_key = ?1 AND hour = ?2";
    let (rows, outside) = (slice.rows.len() as i64, slice.outside as i64);
    let values = (key, slice.hour, slice.began, slice.read_to, outside, rows);
    connection.execute(text, values)?;
    if slice.is_last {
        let text = "UPDATE mirror_hour SET passed = began, passes = passes + 1, listed = rows_so_far, \
                    began = NULL, read_to = NULL, rows_so_far = 0 \
                    WHERE mirror_key = ?1 AND hour = ?2";
        connection.execute(text, (key, slice.hour))?;
    }
    Ok(())
}

/// Writes records and what the ledger says of them, in one transaction. A record that conflicts with the
/// stored one stays as it is in the ledger.
pub(crate) fn write(
    session: &mut Session,
    (lease, holder): (MirrorLease, &str),
    tenant: &TenantId,
    records: &[MirrorRecord],
) -> Result<MirrorResults, Error> {
    if !mirrors::still_holds(session, lease, holder)? {
        return Ok(FencedResult::Lost);
    }
    let mut results = Vec::with_capacity(records.len());
    for MirrorRecord { record, change } in records {
        if is_erased(&session.connection, lease.mirror_key, &record.id_key)? {
            results.push(unwritten(record));
            continue;
        }
        let written = versions::write(session, tenant, std::slice::from_ref(record))?;
        let is_conflict =
            written.iter().any(|result| matches!(result.outcome, Outcome::Conflict { .. }));
        if !is_conflict {
            note(&session.connection, lease.mirror_key, change)?;
        }
        results.extend(written);
    }
    Ok(FencedResult::Done(results))
}

/// Whether a record was erased here: then it is not to come back because the source still lists it.
fn is_erased(connection: &Connection, key: i64, id_key: &[u8]) -> Result<bool, Error> {
    let text = "SELECT 1 FROM mirror_record \
                WHERE mirror_key = ?1 AND id_key = ?2 AND state = 'erased'";
    connection.exists(text, (key, id_key))
}

fn unwritten(record: &ShreddedRecord) -> WriteResult {
    WriteResult {
        outcome: Outcome::Unchanged,
        id: record.id.clone(),
        id_key: record.id_key.clone(),
        version: record.version,
        flags: record.flags,
    }
}

/// Notes what has become of records, with evidence.
pub(crate) fn note_changes(
    session: &Session,
    (lease, holder): (MirrorLease, &str),
    changes: &[LedgerChange],
    evidence: &[Evidence],
) -> Result<FencedResult<()>, Error> {
    if !mirrors::still_holds(session, lease, holder)? {
        return Ok(FencedResult::Lost);
    }
    for change in changes {
        note(&session.connection, lease.mirror_key, change)?;
    }
    for Evidence { id_key, kind, hash, version, at, place, sealed } in evidence {
        let text = "INSERT INTO mirror_evidence (mirror_key, id_key, kind, hash, version, at, place, \
                    sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
        let values = [
            Field::Int(lease.mirror_key),
            Field::Bytes(id_key.into()),
            Field::Text(kind.into()),
            Field::Bytes(hash.into()),
            Field::Int(*version),
            Field::Int(*at),
            Field::Text(place.into()),
            Field::Bytes(sealed.into()),
        ];
        session.connection.execute(text, values)?;
    }
    Ok(FencedResult::Done(()))
}

fn note(connection: &Connection, key: i64, change: &LedgerChange) -> Result<(), Error> {
    let text = "SELECT wanted_version, stored_version, notified FROM mirror_record \
                WHERE mirror_key = ?1 AND id_key = ?2 AND state <> 'erased'";
    let known = connection.first(text, (key, &change.id_key), |row| {
        Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?, row.get::<Option<i64>>(2)?))
    })?;
    let Some((wanted, stored_before, notified)) = known else { return Ok(()) };
    let stored = change.stored_version.max(stored_before);
    let is_settled = change.state == LedgerState::Settled;
    // What was said while it was read may be of a version that came after it.
    let is_notified = is_settled && notified >= Some(change.began_at);
    let is_behind = is_settled && stored < Some(wanted) || is_notified;
    let (state, due_at) = if is_behind {
        (LedgerState::Due, Some(change.again_at))
    } else {
        (change.state, change.due_at)
    };
    let text = "UPDATE mirror_record SET state = ?3, due_at = ?4, stored_version = ?5, attempts = ?6, \
                last_tried = ?7, last_status = ?8, last_error = ?9, request_id = ?10, \
                asks_version = CASE WHEN ?3 = 'settled' THEN 0 WHEN ?11 = 1 THEN 1 \
                ELSE asks_version END, wanted_version = ?12 WHERE mirror_key = ?1 AND id_key = ?2";
    let number = |number: Option<i64>| number.map_or(Field::Null, Field::Int);
    let text_or_null =
        |text: &Option<String>| text.clone().map_or(Field::Null, |text| Field::Text(text.into()));
    let values = [
        Field::Int(key),
        Field::Bytes((&change.id_key).into()),
        Field::Text(state.name().into()),
        number(due_at),
        number(stored),
        Field::Int(i64::from(change.attempts)),
        Field::Int(change.tried_at),
        number(change.status.map(i64::from)),
        text_or_null(&change.error),
        text_or_null(&change.request_id),
        Field::Int(i64::from(is_notified && stored >= Some(wanted))),
        // What was notified may be stored before it is listed, which is no news then.
        Field::Int(wanted.max(stored.unwrap_or(0))),
    ];
    connection.execute(text, values)?;
    if let Some(start) = change.start.filter(|_| wanted == 0) {
        place(connection, key, &change.id_key, start)?;
    }
    match change.delay.filter(|_| stored_before.is_none()) {
        Some(delay) => mirror_reception::add_delay(connection, key, delay),
        None => Ok(()),
    }
}

/// Puts a record that was notified, and not listed yet, into the hour of its start.
fn place(connection: &Connection, key: i64, id_key: &[u8], start: i64) -> Result<(), Error> {
    let text = "UPDATE mirror_record SET start_date_time = ?3, hour = ?4 \
                WHERE mirror_key = ?1 AND id_key = ?2";
    let hour = start.div_euclid(TICKS_PER_HOUR);
    connection.execute(text, (key, id_key, start, hour)).map(drop)
}

/// Has records be read again, whatever is stored of them.
pub(crate) fn make_due(
    session: &Session,
    mirror_key: i64,
    id_keys: &[Vec<u8>],
    due_at: i64,
) -> Result<u64, Error> {
    let mut made = 0;
    for id_key in id_keys {
        let text = "UPDATE mirror_record SET state = 'due', due_at = ?3, attempts = 0, \
                    asks_version = 0 \
                    WHERE mirror_key = ?1 AND id_key = ?2 AND state <> 'erased'";
        made += session.connection.execute(text, (mirror_key, id_key, due_at))? as u64;
    }
    Ok(made)
}

/// Notes in the ledgers of a tenant that a record was erased, and erases the evidence about it.
pub(crate) fn note_erasure(
    connection: &Connection,
    tenant_key: i64,
    id_key: &[u8],
) -> Result<(), Error> {
    let text = "SELECT mirror_key FROM mirror \
                WHERE tenant = (SELECT id FROM tenant WHERE tenant_key = ?1)";
    let keys: Vec<i64> = connection.all(text, [tenant_key], |row| row.get(0))?;
    for key in keys {
        let text = "UPDATE mirror_record SET state = 'erased', due_at = NULL \
                    WHERE mirror_key = ?1 AND id_key = ?2";
        connection.execute(text, (key, id_key))?;
        let text = "DELETE FROM mirror_evidence WHERE mirror_key = ?1 AND id_key = ?2";
        connection.execute(text, (key, id_key))?;
    }
    Ok(())
}

macro_rules! records {
    () => {
        "SELECT id_key, id, start_date_time, wanted_version, stored_version, state, due_at, attempts, \
         first_heard, last_tried, last_status, last_error, request_id, asks_version FROM mirror_record \
         WHERE mirror_key = ?1 AND "
    };
}

/// At most `limit` records that are due by `now`, by their starts: the oldest first, or the newest.
pub(crate) fn due(
    connection: &Connection,
    mirror_key: i64,
    (now, limit): (i64, usize),
    is_newest_first: bool,
) -> Result<Vec<LedgerRecord>, Error> {
    let values = (mirror_key, now, most(limit));
    let text = if is_newest_first {
        concat!(records!(), "due_at <= ?2 ORDER BY start_date_time DESC LIMIT ?3")
    } else {
        concat!(records!(), "due_at <= ?2 ORDER BY start_date_time LIMIT ?3")
    };
    connection.all(text, values, read_record)
}

/// When the next record is due.
pub(crate) fn next_due(connection: &Connection, mirror_key: i64) -> Result<Option<i64>, Error> {
    let text = "SELECT min(due_at) FROM mirror_record WHERE mirror_key = ?1 AND due_at IS NOT NULL";
    Ok(connection.value::<Option<i64>>(text, [mirror_key])?.flatten())
}

/// How many records that are due started before an instant.
pub(crate) fn due_before(
    connection: &Connection,
    mirror_key: i64,
    start: i64,
) -> Result<u64, Error> {
    let text = "SELECT count(*) FROM mirror_record \
                WHERE mirror_key = ?1 AND due_at IS NOT NULL AND start_date_time < ?2";
    Ok(connection.value::<i64>(text, (mirror_key, start))?.unwrap_or(0) as u64)
}

/// At most `limit` records that are missing here, by their starts.
pub(crate) fn holes(
    connection: &Connection,
    mirror_key: i64,
    limit: usize,
) -> Result<Vec<LedgerRecord>, Error> {
    let text = concat!(
        records!(),
        "state IN ('gone', 'refused', 'unreadable') ORDER BY start_date_time, id_key LIMIT ?2"
    );
    connection.all(text, (mirror_key, most(limit)), read_record)
}

/// At most `limit` settled records, spread evenly over all.
pub(crate) fn sample(
    connection: &Connection,
    mirror_key: i64,
    limit: usize,
) -> Result<Vec<LedgerRecord>, Error> {
    let text = "SELECT count(*) FROM mirror_record WHERE mirror_key = ?1 AND state = 'settled'";
    let count = connection.value::<i64>(text, [mirror_key])?.unwrap_or(0);
    let step = (count / most(limit).max(1)).max(1);
    let text = concat!(
        records!(),
        "id_key IN (SELECT id_key FROM (SELECT id_key, row_number() OVER (ORDER BY id_key) AS place \
         FROM mirror_record WHERE mirror_key = ?1 AND state = 'settled') AS numbered \
         WHERE place % ?2 = 0) ORDER BY id_key LIMIT ?3"
    );
    connection.all(text, (mirror_key, step, most(limit)), read_record)
}

fn read_record(row: &Row<'_>) -> Result<LedgerRecord, Error> {
    Ok(LedgerRecord {
        id_key: row.get(0)?,
        id: row.get(1)?,
        start: row.get(2)?,
        wanted_version: row.get(3)?,
        stored_version: row.get(4)?,
        state: state(&row.get::<String>(5)?)?,
        due_at: row.get(6)?,
        attempts: row.get(7)?,
        first_heard: row.get(8)?,
        last_tried: row.get(9)?,
        last_status: row.get(10)?,
        last_error: row.get(11)?,
        request_id: row.get(12)?,
        asks_version: row.get(13)?,
    })
}

fn state(name: &str) -> Result<LedgerState, Error> {
    let unknown = || Error::Corrupt(Cause::new("the ledger of a mirror has an unknown state"));
    LedgerState::parse(name).ok_or_else(unknown)
}

/// What is known of the list of hours, from one to another.
pub(crate) fn hours(
    connection: &Connection,
    mirror_key: i64,
    (from, to): (i64, i64),
) -> Result<Vec<HourRow>, Error> {
    let text = "SELECT hour, passed, passes, listed, began, read_to, outside FROM mirror_hour \
                WHERE mirror_key = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY hour";
    connection.all(text, (mirror_key, from, to), |row| {
        let (passes, listed): (i64, i64) = (row.get(2)?, row.get(3)?);
        let (began, read_to): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
        Ok(HourRow {
            hour: row.get(0)?,
            passed: row.get(1)?,
            passes: passes as u64,
            listed: listed as u64,
            unfinished: began.zip(read_to),
            outside: row.get::<i64>(6)? as u64,
        })
    })
}

/// How many records of each hour are in which state.
pub(crate) fn counts(
    connection: &Connection,
    mirror_key: i64,
    (from, to): (i64, i64),
) -> Result<Vec<HourCount>, Error> {
    let text = "SELECT hour, state, count(*) FROM mirror_record \
                WHERE mirror_key = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY hour, state ORDER BY hour";
    connection.all(text, (mirror_key, from, to), |row| {
        let count: i64 = row.get(2)?;
        Ok(HourCount {
            hour: row.get(0)?,
            state: state(&row.get::<String>(1)?)?,
            count: count as u64,
        })
    })
}

/// Records of some hours that the ledger calls settled though they are not stored as it says.
pub(crate) fn differences(
    connection: &Connection,
    (mirror_key, tenant_key): (i64, i64),
    (from, to): (i64, i64),
    limit: usize,
) -> Result<Vec<LedgerDifference>, Error> {
    let text = "SELECT m.id_key, m.id, m.wanted_version, c.version, c.flags FROM mirror_record AS m \
                LEFT JOIN call_record AS c ON c.tenant_key = ?2 AND c.id_key = m.id_key \
                AND c.is_current = 1 \
                WHERE m.mirror_key = ?1 AND m.hour >= ?3 AND m.hour < ?4 AND m.state = 'settled' \
                AND (c.version IS NULL OR c.version < m.wanted_version OR c.flags & ?5 <> 0) \
                ORDER BY m.id_key LIMIT ?6";
    let cut_off =
        i64::from(model::flags::SESSIONS_INCOMPLETE | model::flags::PARTICIPANTS_INCOMPLETE);
    let values = (mirror_key, tenant_key, from, to, cut_off, most(limit));
    connection.all(text, values, |row| {
        let flags: Option<i64> = row.get(4)?;
        Ok(LedgerDifference {
            id_key: row.get(0)?,
            id: row.get(1)?,
            wanted_version: row.get(2)?,
            stored_version: row.get(3)?,
            is_incomplete: flags.is_some_and(|flags| flags & cut_off != 0),
        })
    })
}

/// At most `limit` pieces of evidence without their bodies, the newest first.
pub(crate) fn evidence(
    connection: &Connection,
    mirror_key: i64,
    limit: usize,
) -> Result<Vec<EvidenceRow>, Error> {
    let text = "SELECT m.id, e.kind, e.version, e.at, e.place FROM mirror_evidence AS e \
                JOIN mirror_record AS m ON m.mirror_key = e.mirror_key AND m.id_key = e.id_key \
                WHERE e.mirror_key = ?1 ORDER BY e.at DESC, e.id_key LIMIT ?2";
    connection.all(text, (mirror_key, most(limit)), |row| {
        Ok(EvidenceRow {
            id: row.get(0)?,
            kind: row.get(1)?,
            version: row.get(2)?,
            at: row.get(3)?,
            place: row.get(4)?,
        })
    })
}
