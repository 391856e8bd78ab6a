//! A mirror in a server: it runs again and again, and what its ledger says is shown and told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use store::Store;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Mirrors;
use crate::alarm::{AlarmChanges, AlarmLog};
use crate::client::Client;
use crate::context::Context;
use crate::report::{self, Report};
use crate::settings::MirrorSettings;
use crate::subscription;
use crate::worker::{Goal, MirrorRun, RunError, going_on, run};

/// Time after which a mirror that failed is tried again.
const TRIED_AGAIN: Duration = Duration::from_mins(1);
/// The shortest time between two looks at the ledger, for metrics and alarms.
const LOOKED_AGAIN: Duration = Duration::from_secs(15);
/// How many times longer than a look took it is until the next one: a ledger of years has millions of records.
const PAUSES: u32 = 100;

/// Runs a mirror in a server, again and again, until it is stopped or removed. `load` gives it as it is set up
/// then, or none if it is gone: another credential is used without a restart. Also while another process
/// runs it, its metrics are kept, and its alarms told.
pub async fn keep_running(
    name: &str,
    load: impl Fn() -> Result<Option<MirrorRun>, String>,
    (store, shared): (&Store, &Mirrors),
    stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = run_again(name, load, stop) => {}
        () = watch_over(name, store, shared) => {}
    }
    shared.metrics.forget(name);
    shared.reception.close(name);
}

/// Deletes the subscription of a mirror at its source, if there is one.
///
/// # Errors
/// When the mirror is run by another process, or the source can't be asked.
pub async fn unsubscribe(run: &MirrorRun) -> Result<(), RunError> {
    let mut reader = run.store.reader()?;
    if reader.mirror_subscriptions(run.mirror.key)?.iter().all(|known| known.ended.is_some()) {
        return Ok(());
    }
    let settings =
        MirrorSettings::from_json(&run.mirror.setup.settings).map_err(RunError::Settings)?;
    let known = (run.mirror.skew, run.shared.metrics.of(&run.mirror.setup.name));
    let tenant = run.mirror.setup.tenant.as_str();
    let client = Client::new(tenant, &settings, run.credential.clone(), known);
    let client = client.map_err(RunError::Settings)?;
    let lease = run.store.hold_mirror(run.mirror.key).await?.ok_or(RunError::Held)?;
    let of = (run.mirror.clone(), lease);
    let context = Context::new(run.store.clone(), of, client, Arc::clone(&run.seal));
    let removed = subscription::remove(&context).await;
    context.store.release_mirror(lease).await?;
    match removed {
        Ok(()) => Ok(()),
        Err(stop) => going_on(stop).and_then(|why| Err(RunError::Unlisted(why))),
    }
}

async fn run_again(
    name: &str,
    load: impl Fn() -> Result<Option<MirrorRun>, String>,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        let ran = match load() {
            Ok(Some(mirror)) => {
                let ran = run(&mirror, Goal::Forever, stop.clone(), &mut |_| {}).await;
                ran.map(drop).map_err(|error| (matches!(error, RunError::Held), error.to_string()))
            }
            Ok(None) => return tracing::info!(mirror = name, "the mirror was removed"),
            Err(problem) => Err((false, problem)),
        };
        match ran {
            Ok(()) => {}
            Err((true, _)) => tracing::debug!(mirror = name, "another process runs the mirror"),
            Err((false, problem)) => {
                tracing::error!(mirror = name, problem, "the mirror stands still");
            }
        }
        tokio::select! {
            () = sleep(TRIED_AGAIN) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Shows and tells what the ledger says, for ever.
async fn watch_over(name: &str, store: &Store, shared: &Mirrors) {
    let mut log = AlarmLog::default();
    loop {
        let began = Instant::now();
        if let Some(address) = shared.reception.of(name)
            && let Err(error) = address.note().await
        {
            tracing::warn!(mirror = name, %error, "what came to the mirror's address can't be noted");
        }
        let (of, from) = (name.to_owned(), store.clone());
        let looked = tokio::task::spawn_blocking(move || look(&of, &from)).await;
        match looked {
            Ok(Ok(Some(report))) => {
                shared.metrics.of(name).ledger(&report);
                tell(name, log.changes(report.alarms(), store::clock::system()));
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(mirror = name, %error, "the ledger can't be read"),
            Err(error) => tracing::error!(mirror = name, %error, "looking at the ledger failed"),
        }
        sleep(LOOKED_AGAIN.max(began.elapsed() * PAUSES)).await;
    }
}

fn look(name: &str, store: &Store) -> Result<Option<Report>, store::Error> {
    let mut reader = store.reader()?;
    let mirrors = reader.mirrors()?;
    let mirror = mirrors.iter().find(|mirror| mirror.setup.name == name);
    mirror.map(|mirror| report::report(&mut reader, mirror, 0)).transpose()
}

fn tell(name: &str, changes: AlarmChanges) {
    for alarm in changes.standing {
        if alarm.needs_attention {
            tracing::error!(mirror = name, alarm = alarm.name, "{}", alarm.text);
        } else {
            tracing::warn!(mirror = name, alarm = alarm.name, "{}", alarm.text);
        }
    }
    for alarm in changes.over {
        tracing::info!(mirror = name, alarm, "the alarm is over");
    }
}
