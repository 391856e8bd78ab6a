//! A client that asks anything and takes whatever comes back, within some patience.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::paths::CALL_RECORDS;
use crate::raw::{self, Answer};

/// A client on a connection that it keeps.
pub(super) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// Goes with each request, if there is one.
    pub(super) token: String,
    patience: Duration,
}

impl Client {
    pub(super) fn new(address: SocketAddr, token: &str, patience: Duration) -> Self {
        Self { address, stream: None, token: token.to_owned(), patience }
    }

    /// GET of a target, which is percent-encoded already.
    pub(super) fn get(&mut self, target: &str) -> Result<Answer, String> {
        self.ask("GET", target, &[], b"")
    }

    /// POST of JSON.
    pub(super) fn post(&mut self, target: &str, body: &[u8]) -> Result<Answer, String> {
        self.ask("POST", target, &[("Content-Type", "application/json")], body)
    }

    /// Keeps a record that has to be taken.
    pub(super) fn keep(&mut self, text: &str) -> Result<(), anyhow::Error> {
        let answer = self.post(CALL_RECORDS, text.as_bytes()).map_err(anyhow::Error::msg)?;
        let is_kept = matches!(answer.status, 200 | 201);
        ensure!(is_kept, "a record is not kept: {} {}", answer.status, beginning(&answer));
        Ok(())
    }

    /// Any request but HEAD; what failed is said in words. A kept connection that the other side has
    /// closed meanwhile is opened anew once.
    pub(super) fn ask(
        &mut self,
        method: &str,
        target: &str,
        lines: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, String> {
        let is_kept = self.stream.is_some();
        let head = self.head(method, target, lines, body.len());
        let answer = self.exchange(head.as_bytes(), body);
        match answer {
            Err(_) if is_kept => self.exchange(head.as_bytes(), body),
            answer => answer,
        }
    }

    fn head(&self, method: &str, target: &str, lines: &[(&str, &str)], length: usize) -> String {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: callvault.example\r\n");
        if !self.token.is_empty() {
            head.extend(["Authorization: Bearer ", &self.token, "\r\n"]);
        }
        for (name, value) in lines {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if length > 0 || method != "GET" {
            head.extend(["Content-Length: ", &length.to_string(), "\r\n"]);
        }
        head + "\r\n"
    }

    fn exchange(&mut self, head: &[u8], body: &[u8]) -> Result<Answer, String> {
        let said = |what: &str, error: std::io::Error| format!("{what}: {error}");
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().map_err(|error| said("no connection", error))?,
        };
        // Who refuses a body need not read it.
        let _ = stream.write_all(head).and_then(|()| stream.write_all(body));
        let answer = raw::read_one(&mut stream).map_err(|error| said("no answer", error))?;
        if !answer.line("connection").is_some_and(|line| line.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, self.patience)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The body of a batch that gets these addresses.
pub(super) fn batch(urls: &[&str]) -> String {
    let get = |(number, url): (usize, &&str)| {
        format!("{{\"id\":\"{number}\",\"method\":\"GET\",\"url\":\"{url}\"}}")
    };
    let requests: Vec<String> = urls.iter().enumerate().map(get).collect();
    format!("{{\"requests\":[{}]}}", requests.join(","))
}

/// That the body is JSON of whatever depth and whatever numbers, by a parser that is not ours.
pub(super) fn is_json(answer: &Answer) -> Result<(), String> {
    let read: Result<&RawValue, _> = serde_json::from_slice(&answer.body);
    read.map(drop)
        .map_err(|error| format!("{} is no JSON, {error}: {}", answer.status, beginning(answer)))
}

/// The body as JSON, by a parser that is not ours.
pub(super) fn json(answer: &Answer) -> Result<Value, String> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| format!("{} is no JSON, {error}: {}", answer.status, beginning(answer)))
}

/// `error.code` and `error.message` of a body.
pub(super) fn error(answer: &Answer) -> (String, String) {
    let body = json(answer).unwrap_or_default();
    let text = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

/// The beginning of a body, to be told.
pub(super) fn beginning(answer: &Answer) -> String {
    raw::shown(&answer.body[..answer.body.len().min(300)])
}
