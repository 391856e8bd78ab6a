//! A worker on a clock that only goes on when nobody has anything left to do: so limits of time are
//! kept to the tick, however slow the machine is.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::time::Instant;

use super::lifetime::certify;
use super::rig::{Bare, TENANT};
use crate::connection::{self, Times};
use crate::serve::{drain, secured, share};
use crate::tls::Tls;
use crate::worker::Worker;

const HEAD: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_mins(1);
const BODY_IDLE: Duration = Duration::from_secs(30);
const DRAIN: Duration = Duration::from_secs(7);
/// As often a connection is looked at, so as much later it may be closed.
const TICK: Duration = Duration::from_secs(2);
/// Between two lines of a client that trickles, which so notices late that it was cut off.
const TRICKLE: Duration = Duration::from_millis(500);

const ASKED: &str = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";

/// Runs a test beside a worker.
fn beside_worker<F: Future<Output = ()>>(test: impl FnOnce(Rc<Worker>) -> F) {
    let bare = Bare::new();
    let mut options = bare.options();
    options.limits.head = HEAD;
    options.limits.idle = IDLE;
    options.limits.body_idle = BODY_IDLE;
    options.limits.drain = DRAIN;
    let shared = Arc::new(share(options, "127.0.0.1:8080".parse().unwrap(), 1).unwrap());
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(async move { test(Worker::new(shared, 0).unwrap()).await });
}

/// A connection to the worker.
struct Client(DuplexStream);

impl Client {
    fn of(worker: &Rc<Worker>) -> Self {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let times = Times { head: HEAD, idle: IDLE };
        tokio::task::spawn_local(connection::serve(Rc::clone(worker), theirs, times));
        Self(ours)
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Asks for something that is not there, and reads the answer.
    async fn ask(&mut self) {
        self.send(ASKED).await;
        assert_eq!(self.status().await, 404);
    }

    /// The status of an answer, which is read to its end.
    async fn status(&mut self) -> u16 {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        self.0.read_exact(&mut vec![0; length]).await.unwrap();
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Begins a request with a body of ten bytes, and sends three of them.
    async fn begin_body(&mut self) {
        self.send(&format!(
            "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
        ))
        .await;
    }

    /// When the server closes it.
    async fn closed(mut self) -> Instant {
        assert_eq!(self.0.read(&mut [0; 1]).await.unwrap(), 0);
        Instant::now()
    }
}

#[track_caller]
fn is_after(closed: Instant, began: Instant, limit: Duration) {
    let after = closed - began;
    assert!(limit <= after && after <= limit + TICK + TRICKLE, "{after:?} and not {limit:?}");
}

#[test]
fn a_connection_that_says_nothing_is_closed_when_a_head_is_overdue() {
    beside_worker(|worker| async move {
        let began = Instant::now();
        is_after(Client::of(&worker).closed().await, began, HEAD);
    });
}

#[test]
fn a_head_that_trickles_in_is_cut_off_while_others_are_served() {
    beside_worker(|worker| async move {
        let (mut slow, mut other) = (Client::of(&worker), Client::of(&worker));
        slow.ask().await;
        let began = Instant::now();
        slow.send("GET /nowhere HTTP/1.1\r\nHost: x\r\n").await;
        while slow.0.write_all(b"X: y\r\n").await.is_ok() {
            other.ask().await;
            tokio::time::sleep(TRICKLE).await;
        }
        is_after(Instant::now(), began, HEAD);
        other.ask().await;
    });
}

#[test]
fn an_idle_connection_is_kept_for_a_while_and_then_closed() {
    beside_worker(|worker| async move {
        let mut client = Client::of(&worker);
        for _ in 0..2 {
            client.ask().await;
            // Longer than a head may take: between requests a client may wait.
            tokio::time::sleep(IDLE.saturating_sub(TICK)).await;
        }
        client.ask().await;
        let began = Instant::now();
        is_after(client.closed().await, began, IDLE);
    });
}

#[test]
fn a_body_that_stops_arriving_is_408() {
    beside_worker(|worker| async move {
        let mut client = Client::of(&worker);
        client.begin_body().await;
        let began = Instant::now();
        assert_eq!(client.status().await, 408);
        is_after(Instant::now(), began, BODY_IDLE);
        is_after(client.closed().await, began, BODY_IDLE);
    });
}

#[test]
fn a_body_that_goes_on_may_take_long() {
    beside_worker(|worker| async move {
        let mut client = Client::of(&worker);
        client.begin_body().await;
        for _ in 0..6 {
            tokio::time::sleep(BODY_IDLE.saturating_sub(TICK)).await;
            client.send("d").await;
        }
        client.send("e").await;
        assert_eq!(client.status().await, 400, "it is no form that asks for a token");
    });
}

#[test]
fn draining_waits_for_requests_in_flight_but_not_for_ever() {
    beside_worker(|worker| async move {
        let (mut stuck, mut idle) = (Client::of(&worker), Client::of(&worker));
        idle.ask().await;
        stuck.begin_body().await;
        // Time goes on when the worker has read what was sent.
        tokio::time::sleep(TICK).await;
        let began = Instant::now();
        let (closed, ()) = tokio::join!(idle.closed(), drain(&worker));
        is_after(closed, began, Duration::ZERO);
        is_after(Instant::now(), began, DRAIN);
    });
}

#[test]
fn a_handshake_that_stalls_is_given_up() {
    beside_worker(|_| async move {
        let (_stalled, theirs) = tokio::io::duplex(64 << 10);
        let folder = Bare::new();
        let tls = Tls::load(&certify(&folder.folder).0).unwrap();
        let began = Instant::now();
        assert!(secured(&tls, theirs, HEAD).await.is_none());
        is_after(Instant::now(), began, HEAD);
    });
}
