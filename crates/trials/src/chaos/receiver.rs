//! Receivers of notifications: good ones, and all kinds of bad ones, each at an address of its own.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::ledger::Arrival;
use crate::members::text;
use crate::received::{ReceivedRequest, answer};

/// What a receiver does with notifications. Each repeats the token of the handshake as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Healthy,
    /// Answers 200 after so many milliseconds.
    Slow(u64),
    /// Answers 500 two times of three.
    Flaky,
    /// Breaks two connections of three off before it answers.
    Breaking,
    Failing,
    Silent,
    Redirecting,
    Resetting,
    Garbled,
    Dripping,
}

impl Kind {
    /// Whether it takes what it is sent in the end.
    pub(crate) fn takes_all(self) -> bool {
        matches!(self, Self::Healthy | Self::Slow(_) | Self::Flaky | Self::Breaking)
    }
}

/// A receiver at work, for as long as the process.
pub(crate) struct Receiver {
    pub(crate) kind: Kind,
    /// Where it is told.
    pub(crate) url: String,
    seen: Arc<Observations>,
}

/// Notifications that came and were accepted together.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// What the sender calls it, the same each time it is sent.
    pub(crate) id: String,
    /// The connection on which it came, by a number.
    pub(crate) connection: u64,
    pub(crate) at: Instant,
    pub(crate) arrivals: Vec<Arrival>,
}

#[derive(Default)]
struct Observations {
    accepted: Mutex<Vec<Request>>,
    requests: AtomicU64,
    connections: AtomicU64,
    /// When connections ended.
    ends: Mutex<BTreeMap<u64, Instant>>,
}

impl Receiver {
    /// Starts one; `number` gives it an address of loopback that no other has.
    pub(crate) fn start(kind: Kind, number: usize) -> Result<Self> {
        let listener = TcpListener::bind((format!("127.0.{}.1", number + 1), 0))?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let seen = Arc::new(Observations::default());
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&shared);
                // A connection that breaks is what they are there for.
                thread::spawn(move || {
                    let connection = seen.connections.fetch_add(1, Ordering::Relaxed);
                    let _ = serve(kind, stream, connection, &seen);
                    lock(&seen.ends).insert(connection, Instant::now());
                });
            }
        });
        Ok(Self { kind, url, seen })
    }

    /// What came and was accepted, in order.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.requests().into_iter().flat_map(|request| request.arrivals).collect()
    }

    /// The requests that were accepted, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.seen.accepted).clone()
    }

    /// When connections ended, by their numbers.
    pub(crate) fn ends(&self) -> BTreeMap<u64, Instant> {
        lock(&self.seen.ends).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(kind: Kind, stream: TcpStream, connection: u64, seen: &Observations) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut received = ReceivedRequest::default();
    while received.read(&mut stream)? {
        let out = stream.get_mut();
        if let Some(token) = &received.validation_token {
            answer(out, 200, token)?;
            continue;
        }
        let number = seen.requests.fetch_add(1, Ordering::Relaxed);
        let is_third = number % 3 == 2;
        match kind {
            Kind::Healthy => {}
            Kind::Slow(milliseconds) => thread::sleep(Duration::from_millis(milliseconds)),
            Kind::Flaky if is_third => {}
            Kind::Flaky | Kind::Failing => {
                answer(out, 500, "")?;
                continue;
            }
            Kind::Breaking if is_third => {}
            Kind::Breaking | Kind::Resetting => return Ok(()),
            Kind::Silent => {
                thread::sleep(Duration::from_mins(1));
                return Ok(());
            }
            Kind::Redirecting => {
                out.write_all(
                    b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\n\
                      Content-Length: 0\r\n\r\n",
                )?;
                continue;
            }
            Kind::Garbled => {
                out.write_all(b"\x16\x03\x01 no HTTP at all \xff\xfe\r\n\r\n")?;
                return Ok(());
            }
            Kind::Dripping => {
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" {
                    out.write_all(&[*byte])?;
                    thread::sleep(Duration::from_secs(1));
                }
                continue;
            }
        }
        let (at, id) = (Instant::now(), received.webhook_id.clone());
        let arrivals = arrivals(&received, at);
        lock(&seen.accepted).push(Request { id, connection, at, arrivals });
        answer(stream.get_mut(), 202, "")?;
    }
    Ok(())
}

fn arrivals(received: &ReceivedRequest, at: Instant) -> Vec<Arrival> {
    let body = String::from_utf8_lossy(&received.body);
    let items = body.split("{\"subscriptionId\":").skip(1).enumerate();
    let items = items.filter_map(|(place, item)| {
        Some(Arrival {
            message: format!("{}/{place}", received.webhook_id),
            record: text(item, "id")?.to_owned(),
            is_created: text(item, "changeType")? == "created",
            at,
        })
    });
    items.collect()
}
