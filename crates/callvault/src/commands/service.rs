//! A running service: the server, its background tasks and its maintenance.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use emulator::Emulator;
use graph::pages::Pages;
use graph::{GraphSettings, Notifications, ServerOptions};
use identity::{Issuer, MasterKey, SigningKey, TrustedIssuers};
use notify::{Counters, Dispatcher, Rules, Transports};
use recorder::Recorder;
use store::Store;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};
use ui::Site;
use web::{Listeners, Running, TlsFiles};

use super::background::BackgroundTask;
use super::{compact, mirrors, profiles};
use crate::fetch::HttpFetcher;
use crate::line_queue::{LineQueue, LineWriter, WriteReport};
use crate::maintenance::Maintenance;
use crate::settings::Settings;
use crate::{clock, keys, logging, public_url};

/// Workers per core on PostgreSQL, where they wait for the database.
const WORKERS_PER_CORE: usize = 8;
/// Time between two rounds of maintenance.
const MAINTENANCE_INTERVAL: Duration = Duration::from_hours(1);

/// Records that are judged in one transaction. Few, so that on a file nobody's write waits long for it.
const JUDGED_AT_ONCE: usize = 100;
/// Time between two looks at records that have no verdict.
const JUDGED_AGAIN: Duration = Duration::from_secs(10);
/// Time between two looks at how large the tables of a database have become.
const SIZES_AGAIN: Duration = Duration::from_mins(1);

/// A server that answers, with its background tasks.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) running: Running,
    tasks: Vec<BackgroundTask>,
    maintenance: Maintenance,
    scheme: &'static str,
    /// Waits for signals and runs maintenance; the server has its own threads.
    runtime: Runtime,
    signals: Signals,
}

/// The signals that the process handles.
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

/// Binds the addresses of the settings. It comes before all other work, which is in vain if a port is in use.
pub(super) fn bind(settings: &Settings) -> Result<Listeners> {
    let server = &settings.server;
    let is_secured = server.tls.is_some() || server.allow_plain_http;
    Ok(Listeners::bind(server.listen, server.admin_listen, is_secured)?)
}

/// Starts a server on a store that this process owns.
pub(super) fn start(
    settings: &Settings,
    listeners: Listeners,
    store: Store,
    master: MasterKey,
    emulator: Option<Arc<Emulator>>,
    pages: Option<Site>,
) -> Result<Service> {
    if emulator.is_some() {
        tracing::warn!("the emulator is on: the server misbehaves on demand, for tests only");
    }
    // Before the server answers, so that a client that gets an answer can already stop it cleanly.
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
    let pages = pages.map(|site| Arc::new(site) as Arc<dyn Pages>);
    let (judged, compacted) = (store.clone(), store.clone());
    let has_columns = settings.has_columns;
    let shared = Arc::clone(&options.mirrors);
    let mirrored = mirrors::start(settings, &store, (&master, &shared))?;
    let running = graph::start(options, listeners, pages).context("starting the server")?;
    let mut tasks = vec![
        BackgroundTask::start("notify", |stop| dispatcher.run(stop))?,
        BackgroundTask::start("calls", |stop| recorder.run(stop))?,
        BackgroundTask::start("verdicts", |stop| judge(judged, stop))?,
        BackgroundTask::start("columns", move |stop| {
            compact::keep_up(compacted, has_columns, stop)
        })?,
    ];
    if !store.is_file() {
        let watched = store.clone();
        tasks.push(BackgroundTask::start("statistics", |stop| watch_sizes(watched, stop))?);
    }
    tasks.extend(mirrored);
    Ok(Service {
        running,
        tasks,
        maintenance: Maintenance {
            store,
            master,
            retention_days: settings.retention_days,
            changes_days: settings.changes_days,
            accesses_days: settings.accesses_days,
        },
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
    let query =
        profiles::for_queries(settings.limits.of_queries(), settings, &mut store.reader()?)?;
    let rules = Rules { quota: settings.notifications.quota, limits: query.language.clone() };
    Ok(ServerOptions {
        listen: server.listen,
        tls: server
            .tls
            .as_ref()
            .map(|tls| TlsFiles { certificate: tls.certificate.clone(), key: tls.key.clone() }),
        public_url: server.public_url.clone(),
        cors: server.cors.clone(),
        threads: server.workers.or_else(|| default_workers(settings)),
        limits: settings.limits.of_server(),
        query,
        graph: GraphSettings {
            legacy_identities: settings.graph.legacy_identities,
            retention_view: settings.graph.retention_view_days,
            is_strict: settings.graph.is_strict,
        },
        mirrors: Arc::default(),
        notifications: notifications(settings, rules, master, emulator.clone())?,
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

/// The default number of workers; `None` is one per core. On PostgreSQL workers spend most of their time
/// waiting for the database, so there are more of them than cores.
fn default_workers(settings: &Settings) -> Option<usize> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    settings.store.file().is_none().then_some(cores * WORKERS_PER_CORE)
}

fn notifications(
    settings: &Settings,
    rules: Rules,
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
        vault: keys::vault(master),
        rules,
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

/// The built-in issuer. It reads unknown keys from the store, since another node may have made them.
fn make_issuer(store: &Store, master: &MasterKey, keys: Vec<SigningKey>) -> web::MakeIssuer {
    let (store, master) = (store.clone(), master.clone());
    Arc::new(move |public_url| {
        let store = store.clone();
        let reload = move || keys::stored(&store).map_err(|error| error.to_string());
        Ok(Issuer::new(Some(public_url), &master, &keys)?.with_reload(reload))
    })
}

/// Standard output of a service, which keeps running if nobody reads it.
pub(super) fn standard_output() -> io::Result<LineWriter> {
    let report = |report: WriteReport| {
        if let Err(error) = report.outcome {
            tracing::warn!(%error, "can't write to standard output");
        }
    };
    Ok(LineWriter(LineQueue::start("output", io::stdout(), report)?))
}

impl Service {
    /// Prints the addresses on which the server listens.
    pub(super) fn announce(&self, out: &mut impl Write) -> Result<()> {
        let address = format!("{}://{}", self.scheme, self.running.address);
        writeln!(out, "listening on {address}")?;
        if let Some(address) = self.running.admin_address {
            writeln!(out, "admin on http://{address}")?;
        }
        if self.running.public_url != address {
            writeln!(out, "public URL {}", self.running.public_url)?;
        }
        let Running { public_url, address, .. } = &self.running;
        if let Some(warning) = public_url::warning(public_url, self.scheme, address) {
            tracing::warn!("{warning}");
        }
        Ok(out.flush()?)
    }

    /// Serves until SIGINT or SIGTERM, then lets running requests finish within their time limit. SIGHUP
    /// reloads the certificate.
    pub(super) fn run(self) -> Result<()> {
        let Self { running, tasks, maintenance, runtime, signals, .. } = self;
        let stopped = runtime.block_on(wait(&running, &maintenance, signals));
        tracing::info!("stopping");
        running.shutdown();
        tasks.into_iter().for_each(BackgroundTask::stop);
        // Maintenance works in transactions, so the next start continues it.
        runtime.shutdown_background();
        stopped
    }
}

/// Gives records their verdicts that were stored before there were any, unless another process does it.
/// Nodes of an earlier version may write beside this one, so where there are nodes it never ends.
async fn judge(store: Store, mut stop: watch::Receiver<bool>) -> Result<()> {
    let is_file = store.is_file();
    loop {
        let (store, stopped) = (store.clone(), stop.clone());
        let judged = spawn_blocking(move || {
            store::lower_priority();
            store.judge(JUDGED_AT_ONCE, &|| !*stopped.borrow())
        });
        match judged.await? {
            Ok(true) if is_file => return Ok(()),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "can't judge stored records"),
        }
        tokio::select! {
            () = sleep(JUDGED_AGAIN) => {}
            _ = stop.changed() => return Ok(()),
        }
    }
}

/// Lets the planner of a database know when its tables have grown.
async fn watch_sizes(store: Store, mut stop: watch::Receiver<bool>) -> Result<()> {
    loop {
        let looked = store.clone();
        if let Err(error) = spawn_blocking(move || looked.refresh_statistics()).await? {
            tracing::warn!(%error, "can't look at the size of tables");
        }
        tokio::select! {
            () = sleep(SIZES_AGAIN) => {}
            _ = stop.changed() => return Ok(()),
        }
    }
}

/// Runs maintenance, every hour and when the clock of the store is moved, until a signal to stop.
async fn wait(running: &Running, maintenance: &Maintenance, mut signals: Signals) -> Result<()> {
    let mut rounds = interval(MAINTENANCE_INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut moves = 0;
    loop {
        // Before the comparison, so that no move is missed.
        let moved = store::clock::moved();
        if moves != store::clock::moves() {
            moves = store::clock::moves();
            maintain(running, maintenance).await?;
            continue;
        }
        tokio::select! {
            _ = signals.interrupt.recv() => return Ok(()),
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.hang_up.recv() => reload_tls(running),
            _ = rounds.tick() => maintain(running, maintenance).await?,
            () = moved => {}
        }
    }
}

fn reload_tls(running: &Running) {
    match running.reload_tls() {
        Ok(()) => tracing::info!("certificate reloaded"),
        Err(error) => {
            tracing::error!(%error, "can't reload the certificate: the old one stays in use");
        }
    }
}

async fn maintain(running: &Running, maintenance: &Maintenance) -> Result<()> {
    let maintenance = maintenance.clone();
    let changed = spawn_blocking(move || maintenance.run()).await?;
    if let Some(keys) = changed
        && let Err(error) = running.issuer.set_keys(&keys)
    {
        tracing::error!(%error, "the new signing key cannot be used");
    }
    Ok(())
}
