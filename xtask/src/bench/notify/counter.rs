//! A receiver that counts, as cheaply as it can be done, and can be closed.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;

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
        (take(&self.shared.items), take(&self.shared.requests))
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
    let mut line = String::new();
    let mut body = Vec::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let token =
            line.split_once("validationToken=").and_then(|(_, rest)| rest.split(' ').next());
        let token = token.map(str::to_owned);
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        body.clear();
        (&mut stream).take(length).read_to_end(&mut body)?;
        let out = stream.get_mut();
        if let Some(token) = token {
            let plain = odata::percent::decode(&token, odata::percent::Plus::Space);
            let plain = plain.map_or_else(|_| token.clone(), std::borrow::Cow::into_owned);
            let length = plain.len();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length:";
            out.write_all(format!("{head} {length}\r\n\r\n{plain}").as_bytes())?;
        } else if shared.is_open.load(Ordering::Relaxed) {
            out.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
            note(shared, &body);
        } else {
            out.write_all(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n")?;
        }
    }
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
    shared.items.fetch_add(items, Ordering::SeqCst);
}
