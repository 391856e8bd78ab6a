//! The life of one connection: what is going on with it, how long it may take, how it ends.
//!
//! hyper's own timers cost a registration for every request and can't tell a slow head from an
//! idle client. Here each connection keeps a [`Activity`] of plain cells that I/O and requests touch,
//! and one slow timer per connection looks at it.

mod heads;
mod monitored;
mod refusals;

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

use crate::activity::{Activity, Times};
use crate::application::{Application, FastWay as _, Handover};
use crate::connection_table::Peer;
use crate::layers;
use crate::worker::Worker;
use monitored::MonitoredStream;
use refusals::Refusals;

/// Largest head that hyper buffers. The layers refuse smaller ones in Graph's words; beyond this
/// hyper answers an empty 431 by itself.
const HEAD_BUFFER: usize = 64 << 10;

/// Streams of one HTTP/2 connection at once.
const HTTP2_STREAMS: u32 = 100;

/// Spawns HTTP/2's streams on the thread of their connection.
#[derive(Debug, Clone, Copy)]
struct SameThread;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for SameThread {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Serves a connection until either side ends it: by the application's fast way for as long as that
/// goes, then by hyper and the layers.
pub async fn serve<A, I>(app: Rc<A>, peer: Arc<Peer>, io: I, times: Times)
where
    A: Application,
    I: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let worker = app.worker();
    let (number, activity) = worker.connections.open(peer);
    let _closed = Deregistration { worker: Rc::clone(worker), number };
    let mut io = MonitoredStream::new(io, Rc::clone(&activity), Refusals::new(worker));
    let mut watch = Watch::new(times);
    if let Some(mut fast_way) = app.fast_way(&activity) {
        let handover = watched(&activity, &mut watch, |context, is_draining| {
            fast_way.poll(&mut io, context, is_draining)
        });
        let Some(Handover::Received(received)) = handover.await else { return };
        io.give_back(received);
    }
    io.follow_heads();
    let service = service_fn({
        let activity = Rc::clone(&activity);
        move |request| layers::answer(Rc::clone(&app), Rc::clone(&activity), request)
    });
    let builder = protocol();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let served = watched(&activity, &mut watch, |context, is_draining| {
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
    activity: &Activity,
    watch: &mut Watch,
    mut poll: impl FnMut(&mut Context<'_>, bool) -> Poll<T>,
) -> Option<T> {
    let mut timer = pin!(sleep_until(watch.next()));
    std::future::poll_fn(|context| {
        if let Poll::Ready(ended) = poll(context, activity.is_draining.take()) {
            return Poll::Ready(Some(ended));
        }
        activity.keep_waker(context.waker());
        while timer.as_mut().poll(context).is_ready() {
            if watch.is_overdue(activity) {
                tracing::debug!(phase = ?activity.phase.get(), "connection timed out");
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
struct Deregistration {
    worker: Rc<Worker>,
    number: u64,
}

impl Drop for Deregistration {
    fn drop(&mut self) {
        self.worker.connections.close(self.number);
    }
}

/// Looks at a activity now and then, and knows since when it has not changed.
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

    fn is_overdue(&mut self, activity: &Activity) -> bool {
        if activity.takes_too_slowly(self.times) {
            return true;
        }
        let changes = activity.changes.get();
        if changes != self.seen {
            self.seen = changes;
            self.since = Instant::now();
            return false;
        }
        activity.patience(self.times).is_some_and(|patience| self.since.elapsed() >= patience)
    }
}
