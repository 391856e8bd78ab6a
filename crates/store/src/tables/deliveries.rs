//! The queues of messages: from the change log into them, and out of them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use model::TenantId;

use super::session::Session;
use super::subscriptions;
use crate::engine::{Connection, Row, most};
use crate::rows::subscription::{
    Channel, Decision, DeliveryOutcome, DeliveryRow, DueEndpoint, Event, FailingEndpoint, Match,
    QueueSize, SentMessages,
};
use crate::{Cause, Error};

/// Whether the application of a subscription `s` is known here and lacks the role `?2`.
macro_rules! lacks_role {
    () => {
        "EXISTS (SELECT 1 FROM app a WHERE a.client_id = s.application_id \
         AND instr(' ' || a.roles || ' ', ' ' || ?2 || ' ') = 0)"
    };
}

/// Puts messages into the queues for versions up to an entry of the change log; nothing if another
/// has moved the cursor meanwhile. Answers how many messages.
pub(crate) fn enqueue(
    session: &mut Session,
    (from, to): (i64, i64),
    matches: &[Match],
) -> Result<usize, Error> {
    let moved = session
        .connection
        .execute("UPDATE notification_cursor SET sequence = ?2 WHERE sequence = ?1", (from, to))?;
    if moved == 0 {
        return Ok(0);
    }
    if let Connection::Postgres(_) = session.connection {
        return enqueue_together(session, matches);
    }
    let mut count = 0;
    for matched in matches {
        if !matched.is_decided {
            // Whether it is a creation or an update is decided together with the condition.
            insert(session, matched, Event::Updated)?;
            count += 1;
        } else if let Some(event) = event(session, matched)? {
            insert(session, matched, event)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Does what [`event`] and [`insert`] do for each match, in one pipelined statement for each.
fn enqueue_together(session: &Session, matches: &[Match]) -> Result<usize, Error> {
    let text = "WITH known AS (SELECT 1 FROM subscription_record \
                WHERE subscription_key = ?1 AND id_key = ?2), \
                news AS (INSERT INTO subscription_record (subscription_key, id_key, version) \
                VALUES (?1, ?2, ?3) ON CONFLICT (subscription_key, id_key) \
                DO UPDATE SET version = ?3 WHERE subscription_record.version < ?3 RETURNING \
                CASE WHEN ?6 = 1 AND NOT EXISTS (SELECT 1 FROM known) THEN 'created' \
                WHEN ?7 = 1 THEN 'updated' END AS event) \
                INSERT INTO delivery (subscription_key, channel, event, record_id, version, queued) \
                SELECT ?1, 0, event, ?4, ?3, ?5 FROM news WHERE event IS NOT NULL";
    let now = session.now();
    let undecided = matches.iter().filter(|it| !it.is_decided);
    for matched in undecided.clone() {
        insert(session, matched, Event::Updated)?;
    }
    let decided = matches.iter().filter(|it| it.is_decided);
    let values = decided.map(|it| {
        let Match { subscription_key, id_key, record_id, version, .. } = it;
        let wants = (it.wants_created, it.wants_updated);
        (subscription_key, id_key, version, record_id, now, wants.0, wants.1)
    });
    let queued: usize = session.connection.execute_each(text, values)?.into_iter().sum();
    Ok(queued + undecided.count())
}

/// The notification that a version is worth to a subscription, by those that it got before; notes the
/// version as its latest.
fn event(session: &Session, matched: &Match) -> Result<Option<Event>, Error> {
    let Match { subscription_key, id_key, version, .. } = matched;
    let known: Option<i64> = session.connection.value(
        "SELECT version FROM subscription_record WHERE subscription_key = ?1 AND id_key = ?2",
        (subscription_key, id_key),
    )?;
    if known.is_some_and(|known| known >= *version) {
        return Ok(None);
    }
    session.connection.execute(
        "INSERT INTO subscription_record (subscription_key, id_key, version) \
             VALUES (?1, ?2, ?3) ON CONFLICT (subscription_key, id_key) DO UPDATE SET version = ?3",
        (subscription_key, id_key, version),
    )?;
    Ok(match known {
        None if matched.wants_created => Some(Event::Created),
        _ if matched.wants_updated => Some(Event::Updated),
        _ => None,
    })
}

fn insert(session: &Session, matched: &Match, event: Event) -> Result<(), Error> {
    session.connection.defer(
        "INSERT INTO delivery \
         (subscription_key, channel, event, record_id, version, queued, is_undecided) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            matched.subscription_key,
            event.channel().number(),
            event.name(),
            &matched.record_id,
            matched.version,
            session.now(),
            !matched.is_decided,
        ),
    )
}

/// Takes undecided messages out of the queue, or lets them go out as what they tell by now.
pub(crate) fn decide(session: &mut Session, decisions: &[Decision]) -> Result<(), Error> {
    for Decision { delivery_key, matched, is_met } in decisions {
        let event = if *is_met { late_event(session, matched)? } else { None };
        match event {
            Some(event) => session.connection.execute(
                "UPDATE delivery SET event = ?2, is_undecided = 0 WHERE delivery_key = ?1",
                (delivery_key, event.name()),
            )?,
            None => session.connection.execute(
                "DELETE FROM delivery WHERE delivery_key = ?1 AND is_undecided = 1",
                [delivery_key],
            )?,
        };
    }
    Ok(())
}

/// As [`event`], for a version whose condition was decided late: a later version may have been notified
/// meanwhile, but this one has not, so it is notified as an update in any case.
fn late_event(session: &Session, matched: &Match) -> Result<Option<Event>, Error> {
    let event = event(session, matched)?;
    Ok(event.or(matched.wants_updated.then_some(Event::Updated)))
}

/// Notes what became of messages; answers how many were given up.
pub(crate) fn settle(
    session: &mut Session,
    sent: SentMessages,
    settled: &DeliveryOutcome,
) -> Result<usize, Error> {
    match settled {
        DeliveryOutcome::Delivered => {
            delivered(session, sent)?;
            Ok(0)
        }
        DeliveryOutcome::Failed { now, due, give_up_before, reason } => {
            failed(session, sent, (*now, *due), reason)?;
            give_up(session, sent, *now, *give_up_before)
        }
    }
}

fn delivered(session: &Session, sent: SentMessages) -> Result<(), Error> {
    let SentMessages { subscription_key, channel, first, last, queued } = sent;
    session.connection.execute(
        "DELETE FROM delivery WHERE subscription_key = ?1 AND channel = ?2 \
             AND delivery_key BETWEEN ?3 AND ?4 AND died IS NULL AND queued <= ?5",
        (subscription_key, channel.number(), first, last, queued),
    )?;
    session.connection.execute(
        "DELETE FROM subscription_endpoint WHERE subscription_key = ?1 AND channel = ?2",
        (subscription_key, channel.number()),
    )?;
    Ok(())
}

fn failed(
    session: &Session,
    sent: SentMessages,
    (now, due): (i64, i64),
    reason: &str,
) -> Result<(), Error> {
    let SentMessages { subscription_key, channel, first, last, queued } = sent;
    session.connection.execute(
        "UPDATE delivery SET message = ?3 WHERE subscription_key = ?1 AND channel = ?2 \
             AND delivery_key BETWEEN ?3 AND ?4 AND died IS NULL AND queued <= ?5",
        (subscription_key, channel.number(), first, last, queued),
    )?;
    session.connection.execute(
        "INSERT INTO subscription_endpoint \
             (subscription_key, channel, failures, failing_since, due, last_error) \
             SELECT subscription_key, ?2, 1, ?3, ?4, ?5 FROM subscription \
             WHERE subscription_key = ?1 ON CONFLICT (subscription_key, channel) DO UPDATE SET \
             failures = subscription_endpoint.failures + 1, \
             failing_since = coalesce(subscription_endpoint.failing_since, ?3), due = ?4, \
             last_error = ?5",
        (subscription_key, channel.number(), now, due, reason),
    )?;
    Ok(())
}

/// Gives up what was queued before an instant, if the address has failed since before it. Lost
/// notifications become an event of the subscription.
fn give_up(
    session: &mut Session,
    sent: SentMessages,
    now: i64,
    before: i64,
) -> Result<usize, Error> {
    let SentMessages { subscription_key, channel, .. } = sent;
    let died = session.connection.execute(
        "UPDATE delivery SET died = ?4 WHERE subscription_key = ?1 AND channel = ?2 \
             AND died IS NULL AND queued <= ?3 AND EXISTS (SELECT 1 FROM subscription_endpoint e \
             WHERE e.subscription_key = ?1 AND e.channel = ?2 AND e.failing_since <= ?3)",
        (subscription_key, channel.number(), before, now),
    )?;
    if died > 0 && channel == Channel::Notifications {
        subscriptions::queue_event(session, subscription_key, Event::Missed)?;
    }
    Ok(died)
}

/// Puts what was given up back into its queue: all of a subscription, or one message. Answers how
/// many.
pub(crate) fn replay(
    session: &mut Session,
    subscription_key: i64,
    key: Option<i64>,
) -> Result<usize, Error> {
    let replayed = session.connection.execute(
        "UPDATE delivery SET died = NULL, queued = ?3 WHERE subscription_key = ?1 \
             AND died IS NOT NULL AND (delivery_key = ?2 OR CAST(?2 AS bigint) IS NULL)",
        (subscription_key, key, session.now()),
    )?;
    if replayed > 0 {
        session.connection.execute(
            "DELETE FROM subscription_endpoint WHERE subscription_key = ?1",
            [subscription_key],
        )?;
    }
    Ok(replayed)
}

/// Takes messages about erased records out of the queues, also those that were given up, and forgets that
/// subscriptions were told of these records: what comes under their ids is new to them.
pub(crate) fn forget_records(
    connection: &Connection,
    tenant_key: i64,
    id_keys: &HashSet<Vec<u8>>,
) -> Result<(), Error> {
    let text = "SELECT d.delivery_key, d.record_id FROM delivery d \
                JOIN subscription s ON s.subscription_key = d.subscription_key \
                WHERE s.tenant_key = ?1 AND d.record_id IS NOT NULL ORDER BY d.delivery_key";
    let mut about: Vec<i64> = Vec::new();
    connection.each(text, [tenant_key], |row| {
        if id_keys.contains(&model::key(&row.get::<String>(1)?)) {
            about.push(row.get(0)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    for delivery_key in about {
        connection.execute("DELETE FROM delivery WHERE delivery_key = ?1", [delivery_key])?;
    }
    let text = "DELETE FROM subscription_record WHERE id_key = ?2 AND subscription_key IN \
                (SELECT subscription_key FROM subscription WHERE tenant_key = ?1)";
    for id_key in id_keys {
        connection.execute(text, (tenant_key, id_key))?;
    }
    Ok(())
}

/// Up to where the change log is in the queues.
pub(crate) fn cursor(connection: &Connection) -> Result<i64, Error> {
    let cursor = connection.value("SELECT sequence FROM notification_cursor", ())?;
    cursor.ok_or_else(|| Error::Corrupt(Cause::new("there is no notification cursor")))
}

/// Addresses that have messages to be sent at an instant. An application without the role gets only
/// messages about the subscription itself.
pub(crate) fn due(
    connection: &Connection,
    now: i64,
    role: &str,
) -> Result<Vec<DueEndpoint>, Error> {
    // A look at the first of each queue: PostgreSQL would make one join of all of them with EXISTS.
    let text = concat!(
        "SELECT s.subscription_key, c.channel, coalesce(e.failures, 0) \
         FROM subscription s CROSS JOIN (SELECT 0 AS channel UNION ALL SELECT 1) c \
         LEFT JOIN subscription_endpoint e \
         ON e.subscription_key = s.subscription_key AND e.channel = c.channel \
         WHERE coalesce(e.due, 0) <= ?1 AND (SELECT d.delivery_key FROM delivery d \
         WHERE d.subscription_key = s.subscription_key AND d.channel = c.channel \
         AND d.died IS NULL ORDER BY d.delivery_key LIMIT 1) IS NOT NULL \
         AND (c.channel = 1 OR NOT ",
        lacks_role!(),
        ")"
    );
    connection.all(text, (now, role), |row| {
        Ok(DueEndpoint {
            subscription_key: row.get(0)?,
            channel: Channel::of_number(row.get(1)?),
            failures: row.get(2)?,
        })
    })
}

/// Whether the application of a subscription has a role, as far as it is known here.
pub(crate) fn has_role(
    connection: &Connection,
    subscription_key: i64,
    role: &str,
) -> Result<bool, Error> {
    let text = concat!(
        "SELECT 1 FROM subscription s WHERE s.subscription_key = ?1 AND NOT ",
        lacks_role!()
    );
    connection.exists(text, (subscription_key, role))
}

/// Addresses whose last request failed.
pub(crate) fn failing(connection: &Connection) -> Result<Vec<FailingEndpoint>, Error> {
    let text = "SELECT subscription_key, channel, failures, failing_since, due, last_error \
                FROM subscription_endpoint WHERE failing_since IS NOT NULL";
    connection.all(text, (), |row| {
        Ok(FailingEndpoint {
            subscription_key: row.get(0)?,
            channel: Channel::of_number(row.get(1)?),
            failures: row.get(2)?,
            since: row.get(3)?,
            due: row.get(4)?,
            reason: row.get::<Option<String>>(5)?.unwrap_or_default(),
        })
    })
}

/// The messages behind a number that go to an address next, together: those that were sent together
/// before, else at most `limit` that were not sent yet.
pub(crate) fn next(
    connection: &Connection,
    (key, channel): (i64, Channel),
    behind: i64,
    limit: usize,
) -> Result<Vec<DeliveryRow>, Error> {
    let text = "SELECT delivery_key, subscription_key, event, record_id, version, queued, message, \
                died, is_undecided FROM delivery INDEXED BY delivery_in_order WHERE subscription_key = ?1 \
                AND channel = ?2 AND delivery_key > ?4 AND died IS NULL \
                ORDER BY delivery_key LIMIT ?3";
    let mut found: Vec<DeliveryRow> = Vec::new();
    connection.each(text, (key, channel.number(), most(limit), behind), |row| {
        let delivery = read(row)?;
        if found.first().is_some_and(|first| first.message != delivery.message) {
            return Ok(ControlFlow::Break(()));
        }
        found.push(delivery);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// Messages of the subscriptions of a tenant, or of all, behind a number: those to be sent, or
/// those given up.
pub(crate) fn list(
    connection: &Connection,
    tenant: Option<&TenantId>,
    is_dead: bool,
    (after, limit): (i64, usize),
) -> Result<Vec<DeliveryRow>, Error> {
    let text = "SELECT d.delivery_key, d.subscription_key, d.event, d.record_id, d.version, \
                d.queued, d.message, d.died, d.is_undecided FROM delivery d \
                JOIN subscription s ON s.subscription_key = d.subscription_key \
                JOIN tenant t ON t.tenant_key = s.tenant_key \
                WHERE (t.id = ?1 OR CAST(?1 AS text) IS NULL) AND (d.died IS NOT NULL) = ?2 \
                AND d.delivery_key > ?3 ORDER BY d.delivery_key LIMIT ?4";
    connection.all(text, (tenant.map(TenantId::as_str), is_dead, after, most(limit)), read)
}

/// Messages of a subscription behind a number: those to be sent, those given up, or both.
pub(crate) fn of_subscription(
    connection: &Connection,
    subscription_key: i64,
    is_dead: Option<bool>,
    (after, limit): (i64, usize),
) -> Result<Vec<DeliveryRow>, Error> {
    // Each part of the union has an index in this order.
    let text = "SELECT delivery_key, subscription_key, event, record_id, version, queued, message, \
                died, is_undecided FROM delivery WHERE subscription_key = ?1 AND channel = 0 \
                AND delivery_key > ?2 AND died IS NULL AND ?4 IS DISTINCT FROM 1 \
                UNION ALL SELECT delivery_key, subscription_key, event, record_id, version, \
                queued, message, died, is_undecided FROM delivery WHERE subscription_key = ?1 AND channel = 1 \
                AND delivery_key > ?2 AND died IS NULL AND ?4 IS DISTINCT FROM 1 \
                UNION ALL SELECT delivery_key, subscription_key, event, record_id, version, \
                queued, message, died, is_undecided FROM delivery WHERE subscription_key = ?1 \
                AND delivery_key > ?2 AND died IS NOT NULL AND ?4 IS DISTINCT FROM 0 \
                ORDER BY delivery_key LIMIT ?3";
    connection.all(text, (subscription_key, after, most(limit), is_dead), read)
}

/// How much is in the queues of all.
pub(crate) fn size(connection: &Connection) -> Result<QueueSize, Error> {
    let text = "SELECT (SELECT count(*) FROM delivery INDEXED BY delivery_in_order \
                WHERE died IS NULL), (SELECT queued FROM delivery WHERE died IS NULL \
                ORDER BY delivery_key LIMIT 1)";
    let size = connection.first(text, (), |row| {
        Ok(QueueSize { queued: row.get::<i64>(0)?.unsigned_abs(), oldest: row.get(1)? })
    })?;
    Ok(size.unwrap_or_default())
}

fn read(row: &Row<'_>) -> Result<DeliveryRow, Error> {
    let event: String = row.get(2)?;
    let damaged = || Error::Corrupt(Cause::new("delivery: an event is not known"));
    Ok(DeliveryRow {
        key: row.get(0)?,
        subscription_key: row.get(1)?,
        event: Event::parse(&event).ok_or_else(damaged)?,
        record_id: row.get(3)?,
        version: row.get(4)?,
        queued: row.get(5)?,
        message: row.get(6)?,
        died: row.get(7)?,
        is_undecided: row.get(8)?,
    })
}
