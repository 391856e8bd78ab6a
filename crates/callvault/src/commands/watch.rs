//! `subscriptions watch`: subscribes, and prints notifications as they arrive.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use identity::OPERATOR_APP;
use model::TenantId;
use notify::{NewSubscription, Owner, Rules, Secrets, Vault};
use serde_json::{Value, json};
use store::{Store, SubscriptionOutcome, SubscriptionRow};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{SignalKind, signal};

use super::opening::{Absent, open_store};
use super::tenants;
use crate::cli::SubscriptionsWatch;
use crate::settings::Settings;
use crate::{keys, logging};

/// Time between two renewals of the subscription, which lives for 45 minutes.
const RENEWAL_INTERVAL: Duration = Duration::from_mins(15);
/// Time between two checks for failed deliveries.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The usual cause of failed deliveries.
const NEEDS: &str = "it needs the settings notifications.allow_insecure_urls = true and \
                     notifications.allow_networks = [\"127.0.0.0/8\"]";

pub(super) fn run(args: &SubscriptionsWatch, settings: &Settings) -> Result<ExitCode> {
    let notifications = &settings.notifications;
    ensure!(
        notifications.allows_plain && notifications.guard.admits(Ipv4Addr::LOCALHOST.into()),
        "the server may not notify a receiver on this machine: {NEEDS}, and so does this command"
    );
    let store = wait_for_store(settings)?;
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(watch(args, settings, store))?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the store; if there is none yet, says so and waits for the server that makes it.
fn wait_for_store(settings: &Settings) -> Result<Store> {
    let mut has_told = false;
    loop {
        match open_store(settings) {
            Err(error) if error.is::<Absent>() => {
                if !std::mem::replace(&mut has_told, true) {
                    logging::note(&format!("{error}. Waiting for it; Ctrl-C ends"));
                }
                std::thread::sleep(POLL_INTERVAL);
            }
            opened => return opened,
        }
    }
}

async fn watch(args: &SubscriptionsWatch, settings: &Settings, store: Store) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    // A secret path, so that only the server can post to it.
    let path = format!("/{}", identity::random_guid());
    let url = format!("http://{}{path}", listener.local_addr()?);
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut store.reader()?)?;
    let master = keys::master_key(settings, &store)?;
    let row = subscription(args, settings, &tenant, &url, &keys::vault(&master))?;
    let added = store.add_subscription(row.clone(), settings.notifications.quota).await?;
    ensure!(
        added == SubscriptionOutcome::Added,
        "the tenant {tenant} has reached its quota of {} subscriptions \
         (notifications.subscriptions_per_tenant): `callvault subscriptions list` prints them",
        settings.notifications.quota
    );
    let found = store.reader()?.subscriptions(Some(&tenant), store::clock::now())?;
    let row =
        found.into_iter().find(|it| it.id == row.id).context("the new subscription is missing")?;
    let closed = Rc::new(tokio::sync::Notify::new());
    let output_closed = Rc::clone(&closed);
    let receiving = web::receive(listener, move |target, body| {
        let is_ours = target == path;
        // A closed output ends the command normally.
        if is_ours && print(body).is_err() {
            output_closed.notify_one();
        }
        is_ours
    });
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    logging::note(&format!("waiting for notifications of the tenant {tenant}; Ctrl-C ends"));
    let outcome = tokio::select! {
        received = receiving => received.map_err(anyhow::Error::from),
        renewed = renew(&store, &row) => renewed,
        reported = report_failures(&store, &row) => reported,
        () = closed.notified() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    store.delete_subscription(&row.id).await?;
    outcome
}

/// The subscription, as a request for it would create it.
fn subscription(
    args: &SubscriptionsWatch,
    settings: &Settings,
    tenant: &TenantId,
    url: &str,
    vault: &Vault,
) -> Result<SubscriptionRow> {
    let filter = args
        .filter
        .as_ref()
        .map(|condition| format!("?$filter={}", odata::percent::encode_query(condition)));
    let body = json!({
        "changeType": args.change_type,
        "notificationUrl": url,
        "resource": format!("communications/callRecords{}", filter.unwrap_or_default()),
        // An end in the past gives the shortest lifetime.
        "expirationDateTime": "2020-01-01T00:00:00Z",
    });
    let rules = Rules {
        quota: settings.notifications.quota,
        limits: settings.limits.of_queries().language,
    };
    let now = store::clock::now();
    let new = NewSubscription::read(body.to_string().as_bytes(), &rules, now)?;
    let (id, secrets) = (identity::random_guid(), Secrets::new(identity::random_key()));
    let owner = Owner { tenant: tenant.clone(), application_id: OPERATOR_APP };
    Ok(new.into_row(owner, id, &secrets, vault, now))
}

/// Renews the subscription until the command ends.
async fn renew(store: &Store, row: &SubscriptionRow) -> Result<()> {
    let lifetime = row.expires - row.created;
    loop {
        tokio::time::sleep(RENEWAL_INTERVAL).await;
        let row = SubscriptionRow { expires: store::clock::now() + lifetime, ..row.clone() };
        ensure!(store.update_subscription(row).await?, "the subscription was deleted");
    }
}

/// Reports why deliveries fail: the server may have other settings than this command.
async fn report_failures(store: &Store, row: &SubscriptionRow) -> Result<()> {
    let mut reader = store.reader()?;
    let mut last = None;
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        let failing = reader.failing_endpoints()?;
        let reason = failing.into_iter().find(|it| it.subscription_key == row.key);
        let reason = reason.map(|it| it.reason);
        if let Some(reason) = &reason
            && last.as_ref() != Some(reason)
        {
            let text = "the server could not notify this command";
            // A closed standard error does not end the command.
            let _ = writeln!(io::stderr(), "{text}: {reason}; {NEEDS}");
        }
        last = reason;
    }
}

/// Prints each notification of a message.
fn print(body: &[u8]) -> Result<()> {
    let body: Value = serde_json::from_slice(body)?;
    let mut out = io::stdout().lock();
    for item in body["value"].as_array().into_iter().flatten() {
        writeln!(out, "{item}")?;
    }
    Ok(out.flush()?)
}
