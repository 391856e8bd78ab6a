//! A connection that the thread that uses it drives itself, so that no other thread has to be woken for
//! an answer.
//!
//! tokio-postgres splits a connection in two: a client that asks, and a future that reads and writes the
//! socket. Usually that future is a task of a runtime, and each answer wakes the thread that waits for
//! it, which costs more than a small answer itself. Here the waiting thread polls both by turns, on a
//! socket that never blocks, and sleeps in `poll(2)` when neither can go on.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::socket::Socket;
use crate::{Cause, Error};

type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// An open connection.
pub(super) struct Link {
    client: Option<Client>,
    /// None once the connection has ended.
    connection: RefCell<Option<Connection<Socket, Stream>>>,
    socket: Socket,
    wake_flag: Arc<WakeFlag>,
    /// Whether a notification has come in.
    is_notified: Cell<bool>,
}

/// Set when a future that returned `Pending` can go on.
#[derive(Default)]
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Link {
    /// Connects to the first host of a URL that can be spoken to and is what the URL asks for.
    /// Blocks.
    pub(super) fn open(config: &Config, tls: &MakeRustlsConnect) -> Result<Self, Error> {
        /// Where the next connection begins to look, if the URL wants its hosts to share the load.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let count = config.get_hosts().len().max(config.get_hostaddrs().len());
        let first = match config.get_load_balance_hosts() {
            LoadBalanceHosts::Random => NEXT.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        let mut last = Error::Url(Cause::new("it names no host"));
        for turn in 0..count {
            match Self::open_host(config, tls, first.wrapping_add(turn) % count) {
                Ok(link) => return Ok(link),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn open_host(config: &Config, tls: &MakeRustlsConnect, at: usize) -> Result<Self, Error> {
        let ports = config.get_ports();
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5_432);
        let host = config.get_hosts().get(at);
        let name = match host {
            Some(Host::Tcp(name)) => Some(name.as_str()),
            _ => None,
        };
        let address = config.get_hostaddrs().get(at).map(ToString::to_string);
        let socket = match (address, host) {
            (Some(address), _) => Socket::tcp(&address, port, config),
            (None, Some(Host::Tcp(name))) => Socket::tcp(name, port, config),
            (None, Some(Host::Unix(folder))) => Socket::unix(folder, port),
            (None, None) => return Err(Error::Url(Cause::new("it names no host"))),
        };
        let socket = socket.map_err(|error| Error::Unavailable(Cause::new(error)))?;
        Self::begin(config, tls.clone(), name, socket)
    }

    fn begin(
        config: &Config,
        mut tls: MakeRustlsConnect,
        name: Option<&str>,
        socket: Socket,
    ) -> Result<Self, Error> {
        let tls = MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, name.unwrap_or_default());
        let tls = tls.map_err(|error| Error::Url(Cause::new(error)))?;
        let deadline = config.get_connect_timeout().map(|limit| Instant::now() + *limit);
        let wake_flag = Arc::new(WakeFlag::default());
        let connecting = config.connect_raw(socket.clone(), tls);
        let connected = drive(&wake_flag, &socket, deadline, connecting, |_| Poll::Pending);
        let (client, connection) =
            connected.map_err(|error| Error::Unavailable(Cause::new(error)))??;
        let link = Self {
            client: Some(client),
            connection: RefCell::new(Some(connection)),
            socket,
            wake_flag,
            is_notified: Cell::new(false),
        };
        match config.get_target_session_attrs() {
            TargetSessionAttrs::Any => Ok(link),
            wanted => link.require(wanted == TargetSessionAttrs::ReadOnly).map(|()| link),
        }
    }

    /// Fails unless the server takes writes, or takes none.
    fn require(&self, is_read_only: bool) -> Result<(), Error> {
        let answered = self.run(self.client().simple_query("SHOW transaction_read_only"))?;
        let is_it = answered.iter().any(|message| match message {
            SimpleQueryMessage::Row(row) => {
                row.get(0) == Some(if is_read_only { "on" } else { "off" })
            }
            _ => false,
        });
        let other = || {
            Error::Unavailable(Cause::new("the server is not of the kind that the URL asks for"))
        };
        is_it.then_some(()).ok_or_else(other)
    }

    /// The client.
    pub(super) fn client(&self) -> &Client {
        self.client.as_ref().expect("it is there until it is dropped")
    }

    /// Drives the connection until a request of the client is answered.
    pub(super) fn run<F: Future>(&self, request: F) -> F::Output {
        let mut request = pin!(request);
        loop {
            let advance = |context: &mut Context<'_>| self.advance(context);
            match drive(&self.wake_flag, &self.socket, None, request.as_mut(), advance) {
                Ok(answer) => return answer,
                Err(error) => {
                    tracing::warn!(%error, "a connection to PostgreSQL can't be waited for");
                    // Without it the answer is that it is gone.
                    *self.connection.borrow_mut() = None;
                }
            }
        }
    }

    /// Reads and writes what can be without waiting; ready when the connection has ended.
    fn advance(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut open = self.connection.borrow_mut();
        let Some(connection) = open.as_mut() else { return Poll::Ready(()) };
        loop {
            match connection.poll_message(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(AsyncMessage::Notification(_)))) => self.is_notified.set(true),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(ended) => {
                    if let Some(Err(error)) = ended {
                        tracing::debug!(%error, "a connection to PostgreSQL has ended");
                    }
                    // Requests that wait for an answer now fail.
                    *open = None;
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.advance(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Waits for a notification, at most this long; whether one has come.
    pub(super) fn wait_for_notification(&self, limit: Duration) -> io::Result<bool> {
        if !self.is_closed() && !self.is_notified.get() {
            self.socket.wait(Some(limit))?;
        }
        if self.is_closed() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(self.is_notified.replace(false))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Dropping the client tells the connection that no request will follow.
        self.client = None;
        let _ = self.advance(&mut Context::from_waker(Waker::noop()));
    }
}

/// Polls a request and the connection by turns, and waits for the socket when neither can go on.
fn drive<F: Future>(
    wake_flag: &Arc<WakeFlag>,
    socket: &Socket,
    deadline: Option<Instant>,
    request: F,
    mut advance: impl FnMut(&mut Context<'_>) -> Poll<()>,
) -> io::Result<F::Output> {
    let mut request = pin!(request);
    let waker = Waker::from(Arc::clone(wake_flag));
    let mut context = Context::from_waker(&waker);
    loop {
        wake_flag.0.store(false, Ordering::Relaxed);
        if let Poll::Ready(answer) = request.as_mut().poll(&mut context) {
            return Ok(answer);
        }
        let has_ended = advance(&mut context).is_ready();
        if has_ended || wake_flag.0.load(Ordering::Relaxed) {
            continue;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.wait(left)?;
    }
}
