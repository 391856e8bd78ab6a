//! A server on a store: starting it, what is done beside it, and stopping it.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use emulator::Emulator;
use graph::{GraphSettings, Notifications, ServerOptions};
use identity::{Issuer, MasterKey, SigningKey, TrustedIssuers};
use notify::{Counters, Dispatcher, Transports, Vault};
use recorder::Recorder;
use store::Store;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use web::{Running, TlsFiles};

use super::beside::{self, Beside};
use crate::fetch::HttpFetcher;
use crate::lines::{Lines, Outlet, Written};
use crate::settings::Settings;
use crate::upkeep::Upkeep;
use crate::{clock, keys, logging};

/// Of those that wait.
const WORKERS_PER_CORE: usize = 8;
/// Time between two rounds of upkeep.
const ROUND: Duration = Duration::from_hours(1);

/// A server that answers, and its store.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) running: Running,
    /// What goes on beside answering.
    beside: Vec<Beside>,
    upkeep: Upkeep,
    scheme: &'static str,
    /// For waiting only; the server has threads of its own.
    runtime: Runtime,
    signals: Signals,
}

/// What the process is told from outside.
#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Starts a server on a store of which this process is the owner.
pub(super) fn start(
    settings: &Settings,
    store: Store,
    master: MasterKey,
    emulator: Option<Arc<Emulator>>,
) -> Result<Serving> {
    if emulator.is_some() {
        tracing::warn!("misbehaves on demand: for tests, never for records that matter");
    }
    // Before anything answers, so that whoever sees it answer can end it in good order.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let signals = runtime.block_on(async { Signals::listen() })?;
    let signing_keys = keys::signing_keys(&store, &master, clock::now())?;
    let options = options(settings, &store, &master, signing_keys, emulator.clone())?;
    let dispatcher = Dispatcher {
        store: store.clone(),
        transports: Arc::clone(&options.notifications.transports),
        vault: options.notifications.vault.clone(),
        limits: options.notifications.rules.limits.clone(),
        condition: notify::ConditionLimits {
            time: options.query.cost.time,
            steps: options.query.cost.steps,
            bytes: options.query.cost.bytes,
        },
        counters: Arc::clone(&options.notifications.counters),
        emulator,
    };
    let recorder = Recorder {
        store: store.clone(),
        grace: settings.calls.grace,
        abandoned_after: settings.calls.abandoned_after,
    };
    let beside = vec![
        beside::start("notify", |stop| dispatcher.run(stop))?,
        beside::start("calls", |stop| recorder.run(stop))?,
    ];
    let running = graph::start(options).context("starting the server")?;
    Ok(Serving {
        running,
        beside,
        upkeep: Upkeep { store, master, retention_days: settings.retention_days },
        scheme: if settings.server.tls.is_some() { "https" } else { "http" },
        runtime,
        signals,
    })
}

fn options(
    settings: &Settings,
    store: &Store,
    master: &MasterKey,
    signing_keys: Vec<SigningKey>,
    emulator: Option<Arc<Emulator>>,
) -> Result<ServerOptions> {
    let server = &settings.server;
    Ok(ServerOptions {
        listen: server.listen,
        admin_listen: server.admin_listen,
        tls: server
            .tls
            .as_ref()
            .map(|tls| TlsFiles { certificate: tls.certificate.clone(), key: tls.key.clone() }),
        public_url: server.public_url.clone(),
        allow_plain_http: server.allow_plain_http,
        threads: server.workers.or_else(|| waiting_workers(settings)),
        limits: settings.limits.of_server(),
        query: settings.limits.of_queries(),
        graph: GraphSettings {
            legacy_identities: settings.graph.legacy_identities,
            retention_view: settings.graph.retention_view_days,
            is_strict: settings.graph.is_strict,
        },
        notifications: notifications(settings, master, emulator.clone())?,
        store: store.clone(),
        page_token_keys: keys::page_token_keys(store, master)?,
        trusted_issuers: trusted_issuers(settings)?,
        recheck: settings.recheck,
        issuer: make_issuer(store, master, signing_keys),
        emulator,
        log_lines_dropped: logging::dropped(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Workers wait for what they ask of PostgreSQL, while they only calculate what a file says; so more
/// of them than cores have something to do.
fn waiting_workers(settings: &Settings) -> Option<usize> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    settings.store.file().is_none().then_some(cores * WORKERS_PER_CORE)
}

/// What the secrets of subscriptions are kept under.
pub(super) fn vault(master: &MasterKey) -> Vault {
    let (sealing, opening) = (master.clone(), master.clone());
    Vault {
        seal: Arc::new(move |purpose, plain| sealing.seal(purpose, plain)),
        open: Arc::new(move |purpose, sealed| opening.open(purpose, sealed).ok()),
    }
}

fn notifications(
    settings: &Settings,
    master: &MasterKey,
    emulator: Option<Arc<Emulator>>,
) -> Result<Notifications> {
    let wanted = &settings.notifications;
    Ok(Notifications {
        transports: Arc::new(
            Transports::new(wanted.guard.clone(), wanted.allows_plain)
                .context("the clients of notifications")?
                .with_emulator(emulator),
        ),
        vault: vault(master),
        rules: notify::Rules { quota: wanted.quota, limits: settings.limits.of_queries().language },
        counters: Arc::new(Counters::default()),
    })
}

fn trusted_issuers(settings: &Settings) -> Result<Option<TrustedIssuers>> {
    if settings.issuers.is_empty() {
        return Ok(None);
    }
    let fetcher = HttpFetcher::new().context("the client that fetches keys of trusted issuers")?;
    Ok(Some(TrustedIssuers { issuers: settings.issuers.clone(), fetcher: Arc::new(fetcher) }))
}

/// The built-in issuer, which looks into the store for keys that it does not know.
fn make_issuer(store: &Store, master: &MasterKey, keys: Vec<SigningKey>) -> web::MakeIssuer {
    let (store, master) = (store.clone(), master.clone());
    Arc::new(move |public_url| {
        let store = store.clone();
        let reload = move || keys::stored(&store).map_err(|error| error.to_string());
        Ok(Issuer::new(Some(public_url), &master, &keys)?.with_reload(reload))
    })
}

/// Standard output of what serves: nobody has to read it for the server to go on.
pub(super) fn outlet() -> io::Result<Outlet> {
    let tell = |written: Written| {
        if let Err(error) = written.outcome {
            tracing::warn!(%error, "standard output takes nothing");
        }
    };
    Ok(Outlet(Lines::start("output", io::stdout(), tell)?))
}

impl Serving {
    /// Says where it listens.
    pub(super) fn announce(&self, out: &mut impl Write) -> Result<()> {
        writeln!(out, "listening on {}://{}", self.scheme, self.running.address)?;
        if let Some(address) = self.running.admin_address {
            writeln!(out, "admin on http://{address}")?;
        }
        Ok(out.flush()?)
    }

    /// Serves until it is told to stop by SIGINT or SIGTERM, then ends what is under way. SIGHUP
    /// reads the certificate anew.
    pub(super) fn run(self) -> Result<()> {
        let Self { running, beside, upkeep, runtime, signals, .. } = self;
        let stopped = runtime.block_on(wait(&running, &upkeep, signals));
        tracing::info!("stopping");
        running.shutdown();
        beside.into_iter().for_each(Beside::stop);
        // What upkeep is at happens in transactions, and goes on at the next start.
        runtime.shutdown_background();
        stopped
    }
}

async fn wait(running: &Running, upkeep: &Upkeep, mut signals: Signals) -> Result<()> {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut moves = 0;
    loop {
        // Asked for first, so that none is missed.
        let moved = store::clock::moved();
        if moves != store::clock::moves() {
            moves = store::clock::moves();
            do_upkeep(running, upkeep).await?;
            continue;
        }
        tokio::select! {
            _ = signals.interrupt.recv() => return Ok(()),
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.hang_up.recv() => reload_tls(running),
            _ = rounds.tick() => do_upkeep(running, upkeep).await?,
            () = moved => {}
        }
    }
}

fn reload_tls(running: &Running) {
    match running.reload_tls() {
        Ok(()) => tracing::info!("certificate read anew"),
        Err(error) => tracing::error!(%error, "the certificate stays what it was"),
    }
}

async fn do_upkeep(running: &Running, upkeep: &Upkeep) -> Result<()> {
    let upkeep = upkeep.clone();
    let changed = tokio::task::spawn_blocking(move || upkeep.run()).await?;
    if let Some(keys) = changed
        && let Err(error) = running.issuer.set_keys(&keys)
    {
        tracing::error!(%error, "the new signing key cannot be used");
    }
    Ok(())
}
