//! What reaches mirrors beside the list. Any node may receive, so notifications are noted without the
//! mirror's lease: they only make records due, and the holder of the lease reads them.

use super::mirrors;
use super::session::Session;
use crate::Error;
use crate::engine::{Connection, Field, Row};
use crate::rows::mirror::{FencedResult, MirrorLease};
use crate::rows::mirror_reception::{
    DelayCount, MirrorGap, MirrorReception, MirrorSubscription, SubscriptionEvent,
};

const TICKS_PER_HOUR: i64 = 3_600 * odata::primitive::TICKS_PER_SECOND;
/// Ticks for which a subscription that ended is remembered, and a gap.
const REMEMBERED: i64 = 40 * 24 * TICKS_PER_HOUR;

/// Notes that notifications named records. Those that are new have neither start nor version until they are
/// read; of those that are settled the version is asked for first; what was erased stays so.
pub(crate) fn note_notified(
    session: &Session,
    mirror_key: i64,
    ids: &[String],
    now: i64,
) -> Result<(), Error> {
    let connection = &session.connection;
    for id in ids {
        let values = [
            Field::Int(mirror_key),
            Field::Bytes(model::key(id).into()),
            Field::Text(id.into()),
            Field::Int(now),
            Field::Int(now.div_euclid(TICKS_PER_HOUR)),
        ];
        let text = "INSERT INTO mirror_record (mirror_key, id_key, id, start_date_time, hour, \
                    wanted_version, state, due_at, attempts, first_heard, notified, asks_version) \
                    VALUES (?1, ?2, ?3, ?4, ?5, 0, 'due', ?4, 0, ?4, ?4, 0) \
                    ON CONFLICT (mirror_key, id_key) DO UPDATE SET notified = ?4, due_at = ?4, \
                    asks_version = CASE WHEN mirror_record.state = 'settled' THEN 1 \
                    ELSE mirror_record.asks_version END, state = 'due' \
                    WHERE mirror_record.state <> 'erased'";
        connection.execute(text, values)?;
    }
    let text = "INSERT INTO mirror_reception (mirror_key, notified, received, forged) \
                VALUES (?1, ?2, ?3, 0) ON CONFLICT (mirror_key) DO UPDATE SET notified = ?2, \
                received = mirror_reception.received + ?3";
    connection.execute(text, (mirror_key, now, ids.len() as i64)).map(drop)
}

/// Notes that the source has checked the address of a mirror, or that so many messages were forged.
pub(crate) fn note_reception(
    session: &Session,
    mirror_key: i64,
    validated: Option<i64>,
    forged: u64,
) -> Result<(), Error> {
    let text = "INSERT INTO mirror_reception (mirror_key, validated, received, forged) \
                VALUES (?1, ?2, 0, ?3) ON CONFLICT (mirror_key) DO UPDATE SET \
                validated = coalesce(?2, mirror_reception.validated), \
                forged = mirror_reception.forged + ?3";
    session.connection.execute(text, (mirror_key, validated, forged as i64)).map(drop)
}

/// Notes an event of a subscription; whether there is such a one that has not ended.
pub(crate) fn note_event(
    session: &Session,
    (mirror_key, id): (i64, &str),
    event: SubscriptionEvent,
    now: i64,
) -> Result<bool, Error> {
    let connection = &session.connection;
    let changed = match event {
        SubscriptionEvent::Reauthorize => {
            let text = "UPDATE mirror_subscription SET asks_reauthorization = 1 \
                        WHERE mirror_key = ?1 AND id = ?2 AND ended IS NULL";
            connection.execute(text, (mirror_key, id))?
        }
        SubscriptionEvent::Removed => {
            let text = "UPDATE mirror_subscription SET ended = ?3 \
                        WHERE mirror_key = ?1 AND id = ?2 AND ended IS NULL";
            connection.execute(text, (mirror_key, id, now))?
        }
    };
    Ok(changed > 0)
}

/// Notes a stretch of time in which notifications may have been lost; one that began then grows.
pub(crate) fn note_gap(session: &Session, mirror_key: i64, gap: &MirrorGap) -> Result<(), Error> {
    let connection = &session.connection;
    let text = "INSERT INTO mirror_gap (mirror_key, began, ended, why) VALUES (?1, ?2, ?3, ?4) \
                ON CONFLICT (mirror_key, began, why) DO UPDATE SET ended = ?3";
    connection.execute(text, (mirror_key, gap.began, gap.ended, &gap.why))?;
    let text = "DELETE FROM mirror_gap WHERE mirror_key = ?1 AND ended < ?2";
    connection.execute(text, (mirror_key, gap.ended - REMEMBERED)).map(drop)
}

/// Notes a subscription as it is now.
pub(crate) fn put_subscription(
    session: &Session,
    (lease, holder): (MirrorLease, &str),
    subscription: &MirrorSubscription,
) -> Result<FencedResult<()>, Error> {
    if !mirrors::still_holds(session, lease, holder)? {
        return Ok(FencedResult::Lost);
    }
    let MirrorSubscription { id, notification_url, sealed_client_state, .. } = subscription;
    let values = [
        Field::Int(lease.mirror_key),
        Field::Text(id.into()),
        Field::Text(notification_url.into()),
        Field::Bytes(sealed_client_state.into()),
        Field::Int(subscription.created),
        Field::Int(subscription.expires),
        subscription.ended.map_or(Field::Null, Field::Int),
        Field::Int(i64::from(subscription.asks_reauthorization)),
    ];
    let connection = &session.connection;
    let text = "INSERT INTO mirror_subscription (mirror_key, id, notification_url, \
                sealed_client_state, created, expires, ended, asks_reauthorization) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                ON CONFLICT (mirror_key, id) DO UPDATE SET notification_url = ?3, \
                sealed_client_state = ?4, expires = ?6, ended = ?7, asks_reauthorization = ?8";
    connection.execute(text, values)?;
    let text = "DELETE FROM mirror_subscription WHERE mirror_key = ?1 AND ended < ?2";
    connection.execute(text, (lease.mirror_key, subscription.created - REMEMBERED))?;
    Ok(FencedResult::Done(()))
}

/// The subscriptions of a mirror, also those that ended, the newest first.
pub(crate) fn subscriptions(
    connection: &Connection,
    mirror_key: i64,
) -> Result<Vec<MirrorSubscription>, Error> {
    let text = "SELECT id, notification_url, sealed_client_state, created, expires, ended, \
                asks_reauthorization FROM mirror_subscription WHERE mirror_key = ?1 \
                ORDER BY created DESC, id";
    connection.all(text, [mirror_key], |row: &Row<'_>| {
        Ok(MirrorSubscription {
            id: row.get(0)?,
            notification_url: row.get(1)?,
            sealed_client_state: row.get(2)?,
            created: row.get(3)?,
            expires: row.get(4)?,
            ended: row.get(5)?,
            asks_reauthorization: row.get(6)?,
        })
    })
}

/// What came to the address of a mirror.
pub(crate) fn reception(
    connection: &Connection,
    mirror_key: i64,
) -> Result<MirrorReception, Error> {
    let text = "SELECT validated, notified, received, forged FROM mirror_reception \
                WHERE mirror_key = ?1";
    let found = connection.first(text, [mirror_key], |row| {
        let (received, forged): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok(MirrorReception {
            validated: row.get(0)?,
            notified: row.get(1)?,
            received: received as u64,
            forged: forged as u64,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// The stretches in which notifications may have been lost, by their beginnings.
pub(crate) fn gaps(connection: &Connection, mirror_key: i64) -> Result<Vec<MirrorGap>, Error> {
    let text = "SELECT began, ended, why FROM mirror_gap WHERE mirror_key = ?1 ORDER BY began, why";
    connection.all(text, [mirror_key], |row| {
        Ok(MirrorGap { began: row.get(0)?, ended: row.get(1)?, why: row.get(2)? })
    })
}

/// Adds a call to those that were heard of within so many minutes of their ends.
pub(crate) fn add_delay(
    connection: &Connection,
    mirror_key: i64,
    (day, minutes): (i64, i64),
) -> Result<(), Error> {
    let text = "INSERT INTO mirror_delay (mirror_key, day, minutes, records) VALUES (?1, ?2, ?3, 1) \
                ON CONFLICT (mirror_key, day, minutes) DO UPDATE SET \
                records = mirror_delay.records + 1";
    connection.execute(text, (mirror_key, day, minutes)).map(drop)
}

/// How late calls were heard of from a day (days from 1970) on, in classes that rise.
pub(crate) fn delays(
    connection: &Connection,
    mirror_key: i64,
    from_day: i64,
) -> Result<Vec<DelayCount>, Error> {
    let text = "SELECT minutes, CAST(sum(records) AS bigint) FROM mirror_delay \
                WHERE mirror_key = ?1 AND day >= ?2 GROUP BY minutes ORDER BY minutes";
    connection.all(text, (mirror_key, from_day), |row| {
        Ok(DelayCount { minutes: row.get(0)?, records: row.get::<i64>(1)? as u64 })
    })
}
