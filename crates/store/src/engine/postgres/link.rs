//! A connection that is moved by the thread that uses it, so that no other has to be woken for an
//! answer.

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
    /// None once it has ended.
    moved: RefCell<Option<Connection<Socket, Stream>>>,
    socket: Socket,
    woken: Arc<Woken>,
    /// Whether another node has told something.
    is_told: Cell<bool>,
}

/// Whether something can go on that was waited for.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
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
        let woken = Arc::new(Woken::default());
        let connecting = config.connect_raw(socket.clone(), tls);
        let connected = drive(&woken, &socket, deadline, connecting, |_| Poll::Pending);
        let (client, connection) =
            connected.map_err(|error| Error::Unavailable(Cause::new(error)))??;
        let moved = RefCell::new(Some(connection));
        let link = Self { client: Some(client), moved, socket, woken, is_told: Cell::new(false) };
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
        let other =
            || Error::Unavailable(Cause::new("the server is not of the kind that is asked for"));
        is_it.then_some(()).ok_or_else(other)
    }

    /// What asks.
    pub(super) fn client(&self) -> &Client {
        self.client.as_ref().expect("it is there until it is dropped")
    }

    /// Moves the connection until something asked of the client is done.
    pub(super) fn run<F: Future>(&self, asked: F) -> F::Output {
        let mut asked = pin!(asked);
        loop {
            let moved = |context: &mut Context<'_>| self.advance(context);
            match drive(&self.woken, &self.socket, None, asked.as_mut(), moved) {
                Ok(answer) => return answer,
                Err(error) => {
                    tracing::warn!(%error, "a connection to PostgreSQL can't be waited for");
                    // Without it the answer is that it is gone.
                    *self.moved.borrow_mut() = None;
                }
            }
        }
    }

    /// Reads and writes what can be without waiting; ready when the connection has ended.
    fn advance(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut moved = self.moved.borrow_mut();
        let Some(connection) = moved.as_mut() else { return Poll::Ready(()) };
        loop {
            match connection.poll_message(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(AsyncMessage::Notification(_)))) => self.is_told.set(true),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(ended) => {
                    if let Some(Err(error)) = ended {
                        tracing::debug!(%error, "a connection to PostgreSQL has ended");
                    }
                    // Whoever waits for an answer is told.
                    *moved = None;
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Whether nothing can be asked any more.
    pub(super) fn is_closed(&self) -> bool {
        self.advance(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Waits until another node tells something, at most so long; whether one has.
    pub(super) fn wait_for_word(&self, limit: Duration) -> io::Result<bool> {
        if !self.is_closed() && !self.is_told.get() {
            self.socket.wait(Some(limit))?;
        }
        if self.is_closed() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(self.is_told.replace(false))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // With the client goes the word that nothing more will be asked.
        self.client = None;
        let _ = self.advance(&mut Context::from_waker(Waker::noop()));
    }
}

/// Polls what is asked and what moves it by turns, and waits for the socket when neither can go on.
/// What moves it is not looked at again once it is ready.
fn drive<F: Future>(
    woken: &Arc<Woken>,
    socket: &Socket,
    deadline: Option<Instant>,
    asked: F,
    mut moved: impl FnMut(&mut Context<'_>) -> Poll<()>,
) -> io::Result<F::Output> {
    let mut asked = pin!(asked);
    let waker = Waker::from(Arc::clone(woken));
    let mut context = Context::from_waker(&waker);
    loop {
        woken.0.store(false, Ordering::Relaxed);
        if let Poll::Ready(answer) = asked.as_mut().poll(&mut context) {
            return Ok(answer);
        }
        let has_ended = moved(&mut context).is_ready();
        if has_ended || woken.0.load(Ordering::Relaxed) {
            continue;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.wait(left)?;
    }
}
