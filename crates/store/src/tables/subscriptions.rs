//! Rows of subscriptions.

use std::time::{Duration, Instant};

use model::TenantId;

use super::session::Session;
use super::tenants;
use crate::engine::{Connection, Opener, Row, Value as _};
use crate::rows::subscription::{Event, SubscriptionOutcome, SubscriptionRow};
use crate::{Cause, Error};

/// Time between two looks for transactions of others.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Columns of a subscription, read by [`read`].
macro_rules! columns {
    () => {
        "s.subscription_key, s.id, t.id, s.application_id, s.creator_id, s.resource, \
         s.change_type, s.notification_url, s.lifecycle_notification_url, \
         s.latest_supported_tls_version, s.sealed_client_state, s.sealed_secrets, s.created, \
         s.expiration_date_time, s.created_after \
         FROM subscription s JOIN tenant t ON t.tenant_key = s.tenant_key"
    };
}

/// The entry of the change log behind which a new subscription begins: the last one that is visible now,
/// once every transaction that may still commit an entry before it has ended. While such a transaction
/// runs, no number separates what was committed before the subscription from what it has to be notified
/// of, so this waits for it. None for a file, whose transactions follow each other, and if the wait takes
/// too long: then the subscription may be notified of what was committed just before it.
pub(crate) fn decided(opener: &Opener, patience: Duration) -> Option<i64> {
    let Opener::Postgres(_) = opener else { return None };
    let connection = opener.reader().ok()?;
    let seen = "SELECT coalesce(max(sequence), 0) FROM change_log";
    let last: i64 = connection.value(seen, ()).ok()??;
    let deadline = Instant::now() + patience;
    while connection.value::<i64>(connection.last_settled(), ()).ok()?? < last {
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Some(last)
}

/// Keeps a new subscription unless there is one like it, or the tenant has `quota` already.
pub(crate) fn add(
    session: &mut Session,
    subscription: &SubscriptionRow,
    behind: Option<i64>,
    quota: u64,
) -> Result<SubscriptionOutcome, Error> {
    let tenant_key = session.tenant_key(&subscription.tenant)?;
    let connection = &session.connection;
    tenants::lock(connection, tenant_key)?;
    let is_known = connection.exists(
        "SELECT 1 FROM subscription WHERE tenant_key = ?1 AND application_id = ?2 \
             AND resource = ?3 AND change_type = ?4 AND notification_url = ?5 \
             AND removed IS NULL AND expiration_date_time > ?6",
        (
            tenant_key,
            &subscription.application_id,
            &subscription.resource,
            &subscription.change_type,
            &subscription.notification_url,
            subscription.created,
        ),
    )?;
    if is_known {
        return Ok(SubscriptionOutcome::Duplicate);
    }
    let count: i64 = connection
        .value(
            "SELECT count(*) FROM subscription WHERE tenant_key = ?1 AND removed IS NULL \
             AND expiration_date_time > ?2",
            (tenant_key, subscription.created),
        )?
        .unwrap_or(0);
    if count.unsigned_abs() >= quota {
        return Ok(SubscriptionOutcome::QuotaReached);
    }
    let created_after = match behind {
        Some(behind) => behind,
        None => connection.value(connection.last_settled(), ())?.unwrap_or(0),
    };
    let row = subscription;
    let values = [
        row.id.field(),
        tenant_key.field(),
        row.application_id.field(),
        row.creator_id.field(),
        row.resource.field(),
        row.change_type.field(),
        row.notification_url.field(),
        row.lifecycle_notification_url.field(),
        row.latest_supported_tls_version.field(),
        row.sealed_client_state.field(),
        row.sealed_secrets.field(),
        row.created.field(),
        row.expires.field(),
        created_after.field(),
    ];
    connection.execute(
        "INSERT INTO subscription (id, tenant_key, application_id, creator_id, resource, \
         change_type, notification_url, lifecycle_notification_url, \
         latest_supported_tls_version, sealed_client_state, sealed_secrets, created, \
         expiration_date_time, created_after) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        values.as_slice(),
    )?;
    Ok(SubscriptionOutcome::Added)
}

/// Gives a subscription another end and what else may be changed of it; whether there was one. Its
/// addresses are tried at once.
pub(crate) fn update(session: &mut Session, subscription: &SubscriptionRow) -> Result<bool, Error> {
    let changed = session.connection.execute(
        "UPDATE subscription SET expiration_date_time = ?2, notification_url = ?3, \
             sealed_client_state = ?4, sealed_secrets = ?5 WHERE id = ?1 AND removed IS NULL",
        (
            &subscription.id,
            subscription.expires,
            &subscription.notification_url,
            &subscription.sealed_client_state,
            &subscription.sealed_secrets,
        ),
    )?;
    session.connection.execute(
        "DELETE FROM subscription_endpoint WHERE subscription_key = ?1",
        [subscription.key],
    )?;
    Ok(changed > 0)
}

/// Deletes a subscription with its messages; whether there was one.
pub(crate) fn delete(session: &mut Session, id: &str) -> Result<bool, Error> {
    let key: Option<i64> = session
        .connection
        .value("SELECT subscription_key FROM subscription WHERE id = ?1", [id])?;
    let Some(key) = key else { return Ok(false) };
    for text in [
        "DELETE FROM delivery WHERE subscription_key = ?1",
        "DELETE FROM subscription_endpoint WHERE subscription_key = ?1",
        "DELETE FROM subscription_record WHERE subscription_key = ?1",
        "DELETE FROM subscription WHERE subscription_key = ?1",
    ] {
        session.connection.execute(text, [key])?;
    }
    Ok(true)
}

/// Queues an event of a subscription, if it has an address for that and no such event waits already;
/// whether it was queued.
pub(crate) fn queue_event(
    session: &mut Session,
    subscription_key: i64,
    event: Event,
) -> Result<bool, Error> {
    let added = session.connection.execute(
        "INSERT INTO delivery (subscription_key, channel, event, queued) \
             SELECT subscription_key, ?2, ?3, ?4 FROM subscription \
             WHERE subscription_key = ?1 AND lifecycle_notification_url IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM delivery WHERE subscription_key = ?1 AND channel = ?2 \
             AND died IS NULL AND event = ?3)",
        (subscription_key, event.channel().number(), event.name(), session.now()),
    )?;
    Ok(added > 0)
}

/// Queues a warning that a subscription ends soon, once for each end; whether it was queued now.
pub(crate) fn warn(session: &mut Session, key: i64) -> Result<bool, Error> {
    let warned = session.connection.execute(
        "UPDATE subscription SET warned_of = expiration_date_time WHERE subscription_key = ?1 \
             AND removed IS NULL AND warned_of IS DISTINCT FROM expiration_date_time",
        [key],
    )?;
    if warned > 0 {
        queue_event(session, key, Event::ReauthorizationRequired)?;
    }
    Ok(warned > 0)
}

/// Takes a subscription away from its application: queues an event about that, and drops its
/// notifications.
pub(crate) fn remove(session: &mut Session, key: i64) -> Result<(), Error> {
    let now = session.now();
    session.connection.execute(
        "UPDATE subscription SET removed = ?2 WHERE subscription_key = ?1 AND removed IS NULL",
        (key, now),
    )?;
    session
        .connection
        .execute("DELETE FROM delivery WHERE subscription_key = ?1 AND channel = 0", [key])?;
    queue_event(session, key, Event::SubscriptionRemoved)?;
    Ok(())
}

/// All live subscriptions, of a tenant or of all, in the order in which they were made.
pub(crate) fn live(
    connection: &Connection,
    tenant: Option<&TenantId>,
    now: i64,
) -> Result<Vec<SubscriptionRow>, Error> {
    let text = concat!(
        "SELECT ",
        columns!(),
        " WHERE s.removed IS NULL AND s.expiration_date_time > ?1 \
         AND (t.id = ?2 OR CAST(?2 AS text) IS NULL) ORDER BY s.subscription_key"
    );
    connection.all(text, (now, tenant.map(TenantId::as_str)), read)
}

/// A subscription, also one that has ended.
pub(crate) fn by_key(connection: &Connection, key: i64) -> Result<Option<SubscriptionRow>, Error> {
    let text = concat!("SELECT ", columns!(), " WHERE s.subscription_key = ?1");
    connection.first(text, [key], read)
}

/// Ids of subscriptions that ended before an instant.
pub(crate) fn ended(connection: &Connection, before: i64) -> Result<Vec<String>, Error> {
    let text = "SELECT id FROM subscription WHERE expiration_date_time < ?1 OR removed < ?1";
    connection.all(text, [before], |row| row.get(0))
}

fn read(row: &Row<'_>) -> Result<SubscriptionRow, Error> {
    let tenant: String = row.get(2)?;
    let damaged = || Error::Corrupt(Cause::new("subscription: a tenant is no GUID"));
    Ok(SubscriptionRow {
        key: row.get(0)?,
        id: row.get(1)?,
        tenant: TenantId::parse(&tenant).ok_or_else(damaged)?,
        application_id: row.get(3)?,
        creator_id: row.get(4)?,
        resource: row.get(5)?,
        change_type: row.get(6)?,
        notification_url: row.get(7)?,
        lifecycle_notification_url: row.get(8)?,
        latest_supported_tls_version: row.get(9)?,
        sealed_client_state: row.get(10)?,
        sealed_secrets: row.get(11)?,
        created: row.get(12)?,
        expires: row.get(13)?,
        created_after: row.get(14)?,
    })
}
