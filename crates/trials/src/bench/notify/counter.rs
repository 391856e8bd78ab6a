//! A receiver that counts, as cheaply as it can be done, and can be closed.

use std::io::{self, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::received::{ReceivedRequest, answer};

/// Bodies that are kept, to be sent again by somebody else.
const KEPT: usize = 400;

/// A receiver at work, for as long as the process, at as many addresses as are asked for.
pub(super) struct Counter {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_open: AtomicBool,
    requests: AtomicU64,
    items: AtomicU64,
    /// When the first and the last items came.
    times: Mutex<Option<(Instant, Instant)>>,
    bodies: Mutex<Vec<Vec<u8>>>,
}

impl Counter {
    pub(super) fn start() -> Result<Self> {
        // All of loopback has the same port.
        let listener = TcpListener::bind("0.0.0.0:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&seen);
                // A connection ends when the sender does.
                thread::spawn(move || serve(stream, &seen));
            }
        });
        Ok(Self { port, shared })
    }

    pub(super) fn url(&self, number: usize) -> String {
        // Each with a host of its own, as receivers have.
        format!("http://127.0.1.{}:{}/{number}", number + 1, self.port)
    }

    /// Takes messages from now on, or answers 503.
    pub(super) fn open(&self, is_open: bool) {
        self.shared.is_open.store(is_open, Ordering::SeqCst);
    }

    /// Items and requests that came while it was open, counted from 0 again.
    pub(super) fn take(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        *self.shared.times.lock().unwrap_or_else(PoisonError::into_inner) = None;
        (take(&self.shared.items), take(&self.shared.requests))
    }

    /// Time from the first items that came to the last.
    pub(super) fn span(&self) -> Duration {
        let times = self.shared.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.map_or(Duration::ZERO, |(first, last)| last - first)
    }

    /// Items that came so far.
    pub(super) fn items(&self) -> u64 {
        self.shared.items.load(Ordering::SeqCst)
    }

    /// Bodies of requests that came, a line each.
    pub(super) fn bodies(&self) -> Vec<u8> {
        let bodies = self.shared.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.iter().flat_map(|body| body.iter().copied().chain([b'\n'])).collect()
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(64 << 10, stream);
    let mut received = ReceivedRequest::default();
    while received.read(&mut stream)? {
        let out = stream.get_mut();
        if let Some(token) = &received.validation_token {
            answer(out, 200, token)?;
        } else if shared.is_open.load(Ordering::Relaxed) {
            out.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
            note(shared, &received.body);
        } else {
            out.write_all(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n")?;
        }
    }
    Ok(())
}

fn note(shared: &Shared, body: &[u8]) {
    // Each item begins so, and nothing else does.
    let items = body.windows(3).filter(|window| window == b"{\"s").count() as u64;
    if shared.requests.fetch_add(1, Ordering::SeqCst) < KEPT as u64 {
        let mut bodies = shared.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        if bodies.len() < KEPT {
            bodies.push(body.to_vec());
        }
    }
    let now = Instant::now();
    let mut times = shared.times.lock().unwrap_or_else(PoisonError::into_inner);
    *times = Some((times.map_or(now, |(first, _)| first), now));
    shared.items.fetch_add(items, Ordering::SeqCst);
}
