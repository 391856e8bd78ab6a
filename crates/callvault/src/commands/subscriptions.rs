//! `subscriptions`, `deliveries`: who is told of records, and what could not be told.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use model::TenantId;
use odata::primitive::DateTimeOffset;
use serde_json::json;
use store::{Channel, DeliveryRow, FailingEndpoint, Store, SubscriptionRow};

use super::open_store;
use crate::cli::{Deliveries, DeliveriesList, DeliveriesReplay, Subscriptions, SubscriptionsList};
use crate::settings::Settings;

/// Rows that are read at a time.
const CHUNK: usize = 1_000;

/// `subscriptions`
pub(super) fn run(command: &Subscriptions, settings: &Settings) -> Result<ExitCode> {
    match command {
        Subscriptions::List(args) => list_live(args, settings)?,
        Subscriptions::Watch(args) => super::watch::run(args, settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list_live(SubscriptionsList { tenant }: &SubscriptionsList, settings: &Settings) -> Result<()> {
    let store = open_store(settings)?;
    let failing = store.reader()?.failing_endpoints()?;
    let mut out = io::stdout().lock();
    for row in live(&store, tenant.as_ref())? {
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
    Ok(())
}

/// An address that fails, as its subscription's line has it.
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
        Deliveries::List(args) => list(args, &store)?,
        Deliveries::Replay(args) => replay(args, &store)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(args: &DeliveriesList, store: &Store) -> Result<()> {
    let mut out = io::stdout().lock();
    let mut reader = store.reader()?;
    let subscriptions = live(store, args.tenant.as_ref())?;
    let mut after = 0;
    loop {
        let rows = reader.deliveries(args.tenant.as_ref(), args.dead, after, CHUNK)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.key;
        for row in &rows {
            writeln!(out, "{}", shown(row, &subscriptions))?;
        }
    }
}

fn shown(row: &DeliveryRow, subscriptions: &[SubscriptionRow]) -> serde_json::Value {
    let of = subscriptions.iter().find(|of| of.key == row.subscription_key);
    json!({
        "delivery": row.key,
        "subscriptionId": of.map(|of| of.id.as_str()),
        "event": row.event.name(),
        "callRecordId": row.record_id,
        "version": row.version,
        "queuedDateTime": instant(row.queued),
        "givenUpDateTime": row.died.map(instant),
    })
}

fn replay(args: &DeliveriesReplay, store: &Store) -> Result<()> {
    let all = live(store, None)?;
    let is_it = |row: &&SubscriptionRow| row.id.eq_ignore_ascii_case(&args.subscription);
    let found = all.iter().find(is_it).context("there is no such subscription")?;
    let count = store.replay(found.key, args.delivery).wait()?;
    writeln!(io::stdout(), "{}", json!({"replayed": count}))?;
    Ok(())
}

/// Tells those that an application had subscribed to that they end with it.
pub(super) fn remove_those_of(store: &Store, application: &str) -> Result<()> {
    for row in live(store, None)? {
        if row.application_id == application {
            store.remove_subscription(row.key).wait()?;
        }
    }
    Ok(())
}

/// Tells those that an application had subscribed to that it may read no more. They are told
/// nothing else until it may again.
pub(super) fn require_reauthorization(store: &Store, application: &str) -> Result<()> {
    for row in live(store, None)? {
        if row.application_id == application {
            store.require_reauthorization(row.key).wait()?;
        }
    }
    Ok(())
}

fn live(store: &Store, tenant: Option<&TenantId>) -> Result<Vec<SubscriptionRow>> {
    Ok(store.reader()?.subscriptions(tenant, store::clock::now())?)
}

/// An address without what may hold a secret: its query, and a user with a password.
fn without_secrets(url: &str) -> String {
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

fn instant(ticks: i64) -> String {
    DateTimeOffset(ticks).to_string()
}
