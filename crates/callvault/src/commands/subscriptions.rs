//! `subscriptions list` and `deliveries`: subscriptions, and notifications that are queued or dead.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use model::TenantId;
use odata::primitive::DateTimeOffset;
use serde_json::json;
use store::{Channel, DeliveryRow, FailingEndpoint, Store, SubscriptionRow};

use super::opening::open_store;
use super::tenants;
use crate::cli::{Deliveries, DeliveriesList, DeliveriesReplay, SubscriptionsList};
use crate::settings::Settings;

/// Rows read at a time.
const CHUNK: usize = 1_000;

/// `subscriptions list`
pub(super) fn list(args: &SubscriptionsList, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    tenants::note_unknown(args.tenant.as_ref(), &mut store.reader()?)?;
    let failing = store.reader()?.failing_endpoints()?;
    let mut out = io::stdout().lock();
    for row in live(&store, args.tenant.as_ref())? {
        let failing: Vec<_> = failing
            .iter()
            .filter(|failing| failing.subscription_key == row.key)
            .map(failure)
            .collect();
        let object = json!({
            "id": row.id,
            "tenantId": row.tenant.as_str(),
            "applicationId": row.application_id,
            "resource": row.resource,
            "changeType": row.change_type,
            "notificationUrl": without_secrets(&row.notification_url),
            "lifecycleNotificationUrl":
                row.lifecycle_notification_url.as_deref().map(without_secrets),
            "expirationDateTime": instant(row.expires),
            "failing": failing,
        });
        writeln!(out, "{object}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A failing address, as the line of its subscription shows it.
fn failure(failing: &FailingEndpoint) -> serde_json::Value {
    json!({
        "channel": match failing.channel {
            Channel::Notifications => "notifications",
            Channel::Lifecycle => "lifecycle",
        },
        "failures": failing.failures,
        "sinceDateTime": instant(failing.since),
        "nextAttemptDateTime": instant(failing.due),
        "reason": failing.reason,
    })
}

/// `deliveries`
pub(super) fn deliveries(command: &Deliveries, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    match command {
        Deliveries::List(args) => list_deliveries(args, &store)?,
        Deliveries::Replay(args) => replay(args, &store)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list_deliveries(args: &DeliveriesList, store: &Store) -> Result<()> {
    let mut out = io::stdout().lock();
    let mut reader = store.reader()?;
    tenants::note_unknown(args.tenant.as_ref(), &mut reader)?;
    let subscriptions = live(store, args.tenant.as_ref())?;
    let mut after = 0;
    loop {
        let rows = reader.deliveries(args.tenant.as_ref(), args.dead, after, CHUNK)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.key;
        for row in &rows {
            writeln!(out, "{}", delivery(row, &subscriptions))?;
        }
    }
}

/// A delivery as an object.
fn delivery(row: &DeliveryRow, subscriptions: &[SubscriptionRow]) -> serde_json::Value {
    let subscription = subscriptions.iter().find(|it| it.key == row.subscription_key);
    json!({
        "delivery": row.key,
        "subscriptionId": subscription.map(|it| it.id.as_str()),
        "event": row.event.name(),
        "callRecordId": row.record_id,
        "version": row.version,
        "queuedDateTime": instant(row.queued),
        "givenUpDateTime": row.died.map(instant),
    })
}

fn replay(args: &DeliveriesReplay, store: &Store) -> Result<()> {
    let all = live(store, None)?;
    let has_id = |row: &&SubscriptionRow| row.id.eq_ignore_ascii_case(&args.subscription);
    let subscription = all.iter().find(has_id).with_context(|| {
        let id = &args.subscription;
        format!("no live subscription has the id {id}: `callvault subscriptions list` prints them")
    })?;
    let count = store.replay(subscription.key, args.delivery).wait()?;
    writeln!(io::stdout(), "{}", json!({"replayed": count}))?;
    Ok(())
}

/// Removes all subscriptions of an application. Each gets the lifecycle event `subscriptionRemoved`.
pub(super) fn remove_all_of(store: &Store, application: &str) -> Result<()> {
    for row in live(store, None)? {
        if row.application_id == application {
            store.remove_subscription(row.key).wait()?;
        }
    }
    Ok(())
}

/// Requires reauthorization of all subscriptions of an application. Each gets the lifecycle event
/// `reauthorizationRequired`, and no notifications until the application may read again.
pub(super) fn require_reauthorization(store: &Store, application: &str) -> Result<()> {
    for row in live(store, None)? {
        if row.application_id == application {
            store.require_reauthorization(row.key).wait()?;
        }
    }
    Ok(())
}

/// The live subscriptions, of one tenant or of all.
fn live(store: &Store, tenant: Option<&TenantId>) -> Result<Vec<SubscriptionRow>> {
    Ok(store.reader()?.subscriptions(tenant, store::clock::now())?)
}

/// A URL without the parts that may contain a secret: its query, and a user with a password.
pub(super) fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/{path}")
        }
        None => String::new(),
    }
}

/// Ticks as an instant in text.
fn instant(ticks: i64) -> String {
    DateTimeOffset(ticks).to_string()
}
