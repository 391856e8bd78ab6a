//! `subscriptions watch`: notifications as they come, on the terminal.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use identity::OPERATOR_APP;
use notify::{Asked, Rules, Secrets};
use serde_json::{Value, json};
use store::{Added, Store, SubscriptionRow};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{SignalKind, signal};

use super::{open_store, serving};
use crate::cli::SubscriptionsWatch;
use crate::keys;
use crate::settings::Settings;

/// How often the end of the subscription, which is 45 minutes ahead, is moved.
const RENEWED_EVERY: Duration = Duration::from_mins(15);
/// How often is looked whether the server can tell it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What is wrong when it can't, as a rule.
const NEEDS: &str = "it needs the settings notifications.allow_insecure_urls = true and \
                     notifications.allow_networks = [\"127.0.0.0/8\"]";

pub(super) fn run(args: &SubscriptionsWatch, settings: &Settings) -> Result<()> {
    let wanted = &settings.notifications;
    ensure!(
        wanted.allows_plain && wanted.guard.admits(Ipv4Addr::LOCALHOST.into()),
        "the server would not tell a receiver on this machine: {NEEDS}, and so does this command"
    );
    let store = open_store(settings)?;
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(watch(args, settings, store))
}

async fn watch(args: &SubscriptionsWatch, settings: &Settings, store: Store) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    // Nobody else can guess it.
    let path = format!("/{}", identity::random_guid());
    let url = format!("http://{}{path}", listener.local_addr()?);
    let row = subscription(args, settings, &url)?;
    let added = store.add_subscription(row.clone(), settings.notifications.quota).await?;
    ensure!(added == Added::Added, "the tenant has as many subscriptions as it may have");
    let found = store.reader()?.subscriptions(Some(&args.tenant), store::clock::now())?;
    let row = found.into_iter().find(|it| it.id == row.id).context("the subscription is gone")?;
    let printed = Rc::new(tokio::sync::Notify::new());
    let ended = Rc::clone(&printed);
    let receiving = web::receive(listener, move |target, body| {
        let is_ours = target == path;
        // Nobody reads any more: that is an end like any other.
        if is_ours && print(body).is_err() {
            ended.notify_one();
        }
        is_ours
    });
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let outcome = tokio::select! {
        received = receiving => received.map_err(anyhow::Error::from),
        renewed = renew(&store, &row) => renewed,
        looked = complain(&store, &row) => looked,
        () = printed.notified() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    store.delete_subscription(&row.id).await?;
    outcome
}

/// What a request for such a subscription would be made into.
fn subscription(
    args: &SubscriptionsWatch,
    settings: &Settings,
    url: &str,
) -> Result<SubscriptionRow> {
    let filter = args
        .filter
        .as_ref()
        .map(|condition| format!("?$filter={}", odata::percent::encode_query(condition)));
    let body = json!({
        "changeType": args.change_type,
        "notificationUrl": url,
        "resource": format!("communications/callRecords{}", filter.unwrap_or_default()),
        // What is past becomes the shortest life.
        "expirationDateTime": "2020-01-01T00:00:00Z",
    });
    let rules = Rules {
        quota: settings.notifications.quota,
        limits: settings.limits.of_queries().language,
    };
    let now = store::clock::now();
    let asked = Asked::read(body.to_string().as_bytes(), &rules, now)?;
    let vault = serving::vault(&keys::master_key(settings)?);
    let new = (identity::random_guid(), &Secrets::new(identity::random_key()));
    Ok(asked.into_row((args.tenant.clone(), OPERATOR_APP), new, &vault, now))
}

async fn renew(store: &Store, row: &SubscriptionRow) -> Result<()> {
    let life = row.expires - row.created;
    loop {
        tokio::time::sleep(RENEWED_EVERY).await;
        let row = SubscriptionRow { expires: store::clock::now() + life, ..row.clone() };
        ensure!(store.update_subscription(row).await?, "the subscription was deleted");
    }
}

/// Says why the server, which may have other settings than this command, can't tell it.
async fn complain(store: &Store, row: &SubscriptionRow) -> Result<()> {
    let mut reader = store.reader()?;
    let mut said = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let failing = reader.failing_endpoints()?;
        let reason = failing.into_iter().find(|it| it.subscription_key == row.key);
        let reason = reason.map(|it| it.reason);
        if let Some(reason) = &reason
            && said.as_ref() != Some(reason)
        {
            let text = "the server could not tell this command";
            // Whoever doesn't want to hear it still wants what this command prints.
            let _ = writeln!(io::stderr(), "{text}: {reason}; {NEEDS}");
        }
        said = reason;
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
