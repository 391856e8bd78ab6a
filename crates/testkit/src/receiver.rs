//! A receiver of webhooks that does what a test says: answers, fails, hangs.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::patience::{self, Gate};

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method, in capitals.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it came.
    pub at: Instant,
}

impl Received {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The items of the notification.
    pub fn items(&self) -> Vec<Value> {
        let body: Value = serde_json::from_slice(&self.body).expect("a notification is JSON");
        body["value"].as_array().expect("a notification has items").clone()
    }

    /// The token that an address is to repeat, decoded.
    pub fn validation_token(&self) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        let token = query.split('&').find_map(|pair| pair.strip_prefix("validationToken="))?;
        let token = odata::percent::decode(token, odata::percent::Plus::Space).ok()?;
        Some(token.into_owned())
    }
}

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers with a status, header lines and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Repeats the token, or accepts.
    Usual,
    /// Answers as usual when it is let go.
    Held(Gate),
    /// Takes it and never answers.
    Never,
    /// Closes the connection.
    Hangs,
}

impl Reply {
    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }
}

type Script = dyn Fn(&Received, usize) -> Reply + Send + Sync;

/// A receiver on a free port of the loopback.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Receiver {
    /// One that accepts everything.
    pub fn new() -> Self {
        Self::scripted(|_, _| Reply::Usual)
    }

    /// One that does what a script says, which is given each request and how many came before.
    pub fn scripted(script: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let (all, script): (_, Arc<Script>) = (Arc::clone(&received), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (all, script) = (Arc::clone(&all), Arc::clone(&script));
                std::thread::spawn(move || serve(stream, &all, &*script));
            }
        });
        Self { address, received }
    }

    /// An address of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that came.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.received).clone()
    }

    /// What came but the handshakes.
    pub fn messages(&self) -> Vec<Received> {
        let mut all = self.received();
        all.retain(|request| request.validation_token().is_none());
        all
    }

    /// The items of all messages, in order.
    pub fn items(&self) -> Vec<Value> {
        self.messages().iter().flat_map(Received::items).collect()
    }

    /// Waits until so many items came, and gives them all.
    ///
    /// # Panics
    /// When they never come.
    pub fn wait_for(&self, count: usize) -> Vec<Value> {
        patience::await_some(&format!("{count} items"), || {
            Some(self.items()).filter(|items| items.len() >= count)
        })
    }

    /// Waits until so many requests came that are no handshakes, and gives them all.
    ///
    /// # Panics
    /// As [`Self::wait_for`].
    pub fn wait_for_messages(&self, count: usize) -> Vec<Received> {
        patience::await_some(&format!("{count} messages"), || {
            Some(self.messages()).filter(|messages| messages.len() >= count)
        })
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, all: &Mutex<Vec<Received>>, script: &Script) {
    let Ok(mut answering) = stream.try_clone() else { return };
    let mut reading = BufReader::new(stream);
    while let Some(request) = read(&mut reading) {
        let before = {
            let mut all = lock(all);
            all.push(request.clone());
            all.len() - 1
        };
        let reply = script(&request, before);
        if let Reply::Held(gate) = &reply {
            gate.pass();
        }
        let (status, headers, body) = match reply {
            Reply::Answer(status, headers, body) => (status, headers, body),
            Reply::Hangs => return,
            Reply::Never => {
                // Until the other side gives up.
                let _ = std::io::copy(&mut reading, &mut std::io::sink());
                return;
            }
            Reply::Usual | Reply::Held(_) => match request.validation_token() {
                Some(token) => (200, vec![("Content-Type", "text/plain".to_owned())], token),
                None => (202, Vec::new(), String::new()),
            },
        };
        let mut text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        text.push_str(&body);
        if answering.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers: Vec<(String, String)> = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Received { method, target, headers, body, at: Instant::now() })
}
