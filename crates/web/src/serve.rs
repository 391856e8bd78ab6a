//! Starting and stopping: listeners, threads, and the order in which they come and go.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, mpsc as sync_mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use identity::{Issuer, Verifier};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::server::TlsStream;

use crate::accept::{self, IncomingConnection, Lane};
use crate::activity::Times;
use crate::admin::{self, Health};
use crate::answer_budget::AnswerBudget;
use crate::application::Application;
use crate::body::IngestBudget;
use crate::clock::unix_seconds;
use crate::connection;
use crate::connection_table::{ConnectionSlot, ConnectionTable};
use crate::limits::Limits;
use crate::listeners::Listeners;
use crate::metrics::{Gauges, Metrics};
use crate::options::Options;
use crate::plain_http;
use crate::public_url;
use crate::start_error::StartError;
use crate::throttle::Throttle;
use crate::tls::Tls;
use crate::worker::{Shared, Worker};

/// How often the issuers' keys are looked after; which are due they know themselves.
const KEYS_LOOKED_AFTER: Duration = Duration::from_mins(1);

/// A server that serves. Dropped, it shuts down.
#[derive(Debug)]
pub struct Running {
    /// Where the application is served.
    pub address: SocketAddr,
    /// Where health and metrics are.
    pub admin_address: Option<SocketAddr>,
    /// What links begin with.
    pub public_url: String,
    /// The built-in issuer, for giving it new keys.
    pub issuer: Arc<Issuer>,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// Stops accepting, lets requests in flight end (for as long as the limit `drain`), and waits
    /// for all threads. Blocking.
    pub fn shutdown(self) {
        drop(self);
    }

    /// Reads the certificate's files again. When that fails, the old certificate stays.
    pub fn reload_tls(&self) -> Result<(), StartError> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a server thread ended by a panic");
            }
        }
    }
}

/// Starts a server on bound sockets and returns when every thread of it serves. `share` makes what the applications of
/// all threads share. Blocking.
///
/// # Errors
/// When a file, the store or a thread can't be had, or the options contradict themselves.
pub fn start<A: Application>(
    options: Options,
    listeners: Listeners,
    share_of_app: impl FnOnce(&Shared) -> Result<A::Shared, StartError>,
) -> Result<Running, StartError> {
    let tls = options.tls.as_ref().map(Tls::load).transpose()?.map(Arc::new);
    let Listeners { api, admin, address, admin_address } = listeners;
    let threads = thread_count(&options);
    let shared = Arc::new(share(options, address, threads)?);
    let of_app = Arc::new(share_of_app(&shared)?);

    let mut lanes = Vec::with_capacity(threads);
    let mut handles = Vec::with_capacity(threads + 1);
    let (stop, stopped) = watch::channel(false);
    let (ready, all_ready) = sync_mpsc::channel();
    for number in 0..threads {
        let (lane, queue) = Lane::new();
        lanes.push(lane);
        let (shared, of_app) = (Arc::clone(&shared), Arc::clone(&of_app));
        let (tls, ready) = (tls.clone(), ready.clone());
        let begin = move || A::new(Worker::new(shared, number)?, of_app).map(Rc::new);
        let run = move || run_worker(begin, tls, queue, ready);
        handles.push(spawn(format!("worker-{number}"), run)?);
    }
    let public_url = String::from(&*shared.public_url);
    let issuer = Arc::clone(&shared.issuer);
    let front = Front { listener: api, admin, lanes, stopped };
    handles.push(spawn("front".to_owned(), move || run_front(front, &shared, ready))?);
    let running =
        Running { address, admin_address, public_url, issuer, tls, stop, threads: handles };
    // A thread that can't begin says why; dropping what runs already ends the others.
    for outcome in all_ready {
        outcome?;
    }
    Ok(running)
}

/// Makes what so many threads share, for a server bound to an address.
///
/// # Errors
/// When the options contradict themselves, or the issuer can't be made.
pub fn share(options: Options, address: SocketAddr, threads: usize) -> Result<Shared, StartError> {
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let public_url: Arc<str> = match &options.public_url {
        Some(url) => public_url::read(url)?.into(),
        None => format!("{scheme}://{address}").into(),
    };
    let issuer = Arc::new((options.issuer)(&public_url)?);
    let verifier = Verifier::new(Some(Arc::clone(&issuer)), options.trusted_issuers.clone())?;
    let limits = options.limits;
    let budget = IngestBudget::new(limits.ingest_in_flight);
    let answer_budget = AnswerBudget::new(limits.answers_in_flight);
    let connection_table =
        Arc::new(ConnectionTable::new(limits.connections, limits.connections_per_address));
    let gauges = Gauges {
        budget: budget.clone(),
        answer_budget: answer_budget.clone(),
        log_lines_dropped: Arc::clone(&options.log_lines_dropped),
        connection_table: Arc::clone(&connection_table),
    };
    let metrics = Metrics::new(options.version, options.labels, threads, gauges);
    let throttle = limits.rates.map(Throttle::new);
    Ok(Shared {
        options,
        public_url,
        issuer,
        verifier,
        metrics,
        budget,
        answer_budget,
        throttle,
        threads,
        connection_table,
        tls_noted: AtomicI64::new(0),
    })
}

fn thread_count(options: &Options) -> usize {
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    options.threads.unwrap_or_else(cores).max(1)
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new().name(name).spawn(run).map_err(StartError::Thread)
}

fn local_runtime() -> Result<LocalRuntime, StartError> {
    Builder::new_current_thread()
        .enable_all()
        // Only the rare slow thing goes there: secrets, large bodies. Who sends them waits, not others.
        .max_blocking_threads(8)
        .on_thread_start(store::lower_priority)
        .build_local(LocalOptions::default())
        .map_err(StartError::Thread)
}

/// The thread of a worker: connections come by the queue, and its end is the end of serving.
fn run_worker<A: Application>(
    begin: impl FnOnce() -> Result<Rc<A>, StartError>,
    tls: Option<Arc<Tls>>,
    mut queue: mpsc::UnboundedReceiver<IncomingConnection>,
    ready: sync_mpsc::Sender<Result<(), StartError>>,
) {
    let began = local_runtime().and_then(|runtime| Ok((runtime, begin()?)));
    let (runtime, app) = match began {
        Ok(parts) => parts,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    drop(ready);
    runtime.block_on(async {
        tokio::task::spawn_local(Rc::clone(app.worker()).release_when_idle());
        while let Some(accepted) = queue.recv().await {
            tokio::task::spawn_local(welcome(Rc::clone(&app), tls.clone(), accepted));
        }
        drain(app.worker()).await;
    });
}

/// From a socket to a served connection, which ends at the latest when its place is needed.
async fn welcome<A: Application>(app: Rc<A>, tls: Option<Arc<Tls>>, accepted: IncomingConnection) {
    let IncomingConnection { stream, slot, load } = accepted;
    tokio::select! {
        biased;
        () = converse(app, tls, stream, &slot) => {}
        () = slot.peer.must_go() => tracing::debug!("a connection made room for another"),
    }
    drop((slot, load));
}

async fn converse<A: Application>(
    app: Rc<A>,
    tls: Option<Arc<Tls>>,
    stream: TcpStream,
    slot: &ConnectionSlot,
) {
    let stream = match tokio::net::TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%error, "a connection can't be served"),
    };
    let (times, peer) = (times(&app.worker().limits), Arc::clone(&slot.peer));
    match tls {
        None => connection::serve(app, peer, stream, times).await,
        Some(tls) => {
            let Some(stream) = plain_http::refused(stream, times.head).await else { return };
            if let Some(stream) = secured(&tls, stream, times.head).await {
                connection::serve(app, peer, stream, times).await;
            }
        }
    }
}

/// The stream behind a handshake; none when that fails or takes too long.
pub async fn secured<S>(tls: &Tls, stream: S, patience: Duration) -> Option<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(patience, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake timed out"),
    }
    None
}

fn times(limits: &Limits) -> Times {
    Times { head: limits.head, idle: limits.idle, least_rate: limits.answer_rate }
}

/// Waits for the open connections, but not for ever.
pub async fn drain(worker: &Worker) {
    let patience = Instant::now() + worker.limits.drain;
    worker.connections.drain();
    while !worker.connections.is_empty() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if !worker.connections.is_empty() {
        tracing::warn!("connections were cut, since their requests did not end in time");
    }
}

/// What the front thread looks after.
struct Front {
    listener: TcpListener,
    admin: Option<TcpListener>,
    lanes: Vec<Lane>,
    stopped: watch::Receiver<bool>,
}

/// The front thread: accepts for all workers, serves the operators, keeps issuers' keys fresh. It
/// outlives the workers, so that `/readyz` tells of the shutdown.
fn run_front(front: Front, shared: &Arc<Shared>, ready: sync_mpsc::Sender<Result<(), StartError>>) {
    let Front { listener, admin, lanes, mut stopped } = front;
    let runtime = match local_runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    drop(ready);
    let health =
        Arc::new(Health { shared: Arc::clone(shared), is_draining: AtomicBool::new(false) });
    runtime.block_on(async {
        let accepting = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => accept::run(lanes, listener, Arc::clone(&shared.connection_table)),
            Err(error) => return tracing::error!(%error, "the listener can't be used"),
        };
        if let Some(admin) = admin {
            match tokio::net::TcpListener::from_std(admin) {
                Ok(admin) => {
                    tokio::task::spawn_local(admin::run(admin, Arc::clone(&health)));
                }
                Err(error) => tracing::error!(%error, "the admin listener can't be used"),
            }
        }
        let refreshing = Arc::clone(shared);
        tokio::task::spawn_local(async move {
            loop {
                refreshing.verifier.refresh(unix_seconds()).await;
                tokio::time::sleep(KEYS_LOOKED_AFTER).await;
            }
        });
        tokio::select! {
            () = accepting => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
        // Dropping the lanes above told the workers; they hold the seats until they are done.
        health.is_draining.store(true, Ordering::Relaxed);
        let _ = timeout(shared.options.limits.drain, shared.connection_table.empty()).await;
    });
}
