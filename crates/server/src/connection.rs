//! The life of one connection: what is going on with it, how long it may take, how it ends.
//!
//! hyper's own timers cost a registration for every request and can't tell a slow head from an
//! idle client. Here each connection keeps a [`Pulse`] of plain cells that I/O and requests touch,
//! and one slow timer per connection looks at it.

mod pulse;
mod turns;
mod watched;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use crate::crowd::Peer;
use crate::direct::{Direct, Left};
use crate::layers;
use crate::worker::Worker;
pub(crate) use pulse::Pulse;
pub(crate) use turns::{Turn, Turns};
use watched::Watched;

/// Largest head that hyper buffers. The layers refuse smaller ones in Graph's words; beyond this
/// hyper answers an empty 431 by itself.
const HEAD_BUFFER: usize = 64 << 10;

/// Streams of one HTTP/2 connection at once.
const HTTP2_STREAMS: u32 = 100;

/// Limits of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// For a request's head, and for the TLS handshake.
    pub(crate) head: Duration,
    /// Between requests, and for a client that takes no bytes.
    pub(crate) idle: Duration,
    /// Bytes a second that a client has to take, beyond that; 0 is none.
    pub(crate) least_rate: u64,
}

impl Times {
    /// How often a connection is looked at: a limit is kept to within a fifth of the shortest.
    fn tick(self) -> Duration {
        self.head.min(self.idle) / 5
    }
}

/// The open connections of one thread.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    next: Cell<u64>,
    open: RefCell<HashMap<u64, Rc<Pulse>>>,
    is_draining: Cell<bool>,
}

impl Connections {
    /// Lets requests in flight finish and closes each connection after them.
    pub(crate) fn drain(&self) {
        self.is_draining.set(true);
        for pulse in self.open.borrow().values() {
            pulse.drain();
        }
    }

    /// Whether none is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.borrow().is_empty()
    }

    fn open(&self, peer: Arc<Peer>) -> (u64, Rc<Pulse>) {
        let number = self.next.get();
        self.next.set(number + 1);
        let pulse = Rc::new(Pulse::new(peer));
        pulse.is_draining.set(self.is_draining.get());
        self.open.borrow_mut().insert(number, Rc::clone(&pulse));
        (number, pulse)
    }
}

/// Spawns HTTP/2's streams on the thread of their connection.
#[derive(Debug, Clone, Copy)]
struct SameThread;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for SameThread {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Serves a connection until either side ends it: directly as long as that goes, then by hyper.
pub(crate) async fn serve<I>(worker: Rc<Worker>, peer: Arc<Peer>, io: I, times: Times)
where
    I: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (number, pulse) = worker.connections.open(peer);
    let _closed = Closed { worker: Rc::clone(&worker), number };
    let mut io = Watched::new(io, Rc::clone(&pulse));
    let mut watch = Watch::new(times);
    // What is answered directly passes none of the layers, and so no emulator.
    if worker.shared.options.emulator.is_none() {
        let mut direct = Direct::new(Rc::clone(&worker), Rc::clone(&pulse));
        let left = watched(&pulse, &mut watch, |context, is_draining| {
            direct.poll(&mut io, context, is_draining)
        });
        let Some(Left::Other(received)) = left.await else { return };
        io.give_back(received);
    }
    let service = service_fn({
        let pulse = Rc::clone(&pulse);
        move |request| layers::answer(Rc::clone(&worker), Rc::clone(&pulse), request)
    });
    let builder = protocol();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let served = watched(&pulse, &mut watch, |context, is_draining| {
        if is_draining {
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    });
    if let Some(Err(error)) = served.await {
        tracing::debug!(%error, "connection broke");
    }
}

/// Polls what serves a connection, telling it once when the server drains; `None` when its time is over.
async fn watched<T>(
    pulse: &Pulse,
    watch: &mut Watch,
    mut poll: impl FnMut(&mut Context<'_>, bool) -> Poll<T>,
) -> Option<T> {
    let mut timer = pin!(sleep_until(watch.next()));
    std::future::poll_fn(|context| {
        if let Poll::Ready(ended) = poll(context, pulse.is_draining.take()) {
            return Poll::Ready(Some(ended));
        }
        pulse.keep_waker(context.waker());
        while timer.as_mut().poll(context).is_ready() {
            if watch.is_overdue(pulse) {
                tracing::debug!(phase = ?pulse.phase.get(), "connection timed out");
                return Poll::Ready(None);
            }
            timer.as_mut().reset(watch.next());
        }
        Poll::Pending
    })
    .await
}

fn protocol() -> Builder<SameThread> {
    let mut builder = Builder::new(SameThread);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HEAD_BUFFER as u32)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(256)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Takes the connection off the list, however it ended.
struct Closed {
    worker: Rc<Worker>,
    number: u64,
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.worker.connections.open.borrow_mut().remove(&self.number);
    }
}

/// Looks at a pulse now and then, and knows since when it has not changed.
struct Watch {
    times: Times,
    seen: u64,
    since: Instant,
}

impl Watch {
    fn new(times: Times) -> Self {
        Self { times, seen: 0, since: Instant::now() }
    }

    fn next(&self) -> Instant {
        Instant::now() + self.times.tick()
    }

    fn is_overdue(&mut self, pulse: &Pulse) -> bool {
        if pulse.takes_too_slowly(self.times) {
            return true;
        }
        let changes = pulse.changes.get();
        if changes != self.seen {
            self.seen = changes;
            self.since = Instant::now();
            return false;
        }
        pulse.patience(self.times).is_some_and(|patience| self.since.elapsed() >= patience)
    }
}
