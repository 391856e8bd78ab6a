//! A small HTTP/1.1 client that keeps its connection and hides nothing.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::patience::PATIENCE;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body, with chunks put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error} in {} {}", self.status, self.text()),
        }
    }

    /// The body's lines, each as JSON.
    pub fn lines(&self) -> Vec<Value> {
        let text = self.text();
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// `error.code` of an error body.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection to a server.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    /// Headers that go with each request.
    pub headers: Vec<(String, String)>,
}

impl Client {
    /// For the server at `address`; connects when it is used.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, headers: Vec::new() }
    }

    /// With a bearer token on each request.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.headers.push(("Authorization".into(), format!("Bearer {token}")));
        self
    }

    /// `GET`.
    pub fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, &[], b"")
    }

    /// `GET` with further headers.
    pub fn get_with(&mut self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", target, headers, b"")
    }

    /// `POST` of JSON.
    pub fn post(&mut self, target: &str, body: &[u8]) -> Answer {
        self.send("POST", target, &[("Content-Type", "application/json")], body)
    }

    /// Any request; connection failures are the test's failures.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        match self.try_send(method, target, headers, body) {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {target}: {error:#}"),
        }
    }

    /// Any request.
    pub fn try_send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let target = target
            .strip_prefix("http://")
            .map_or(target, |rest| rest.find('/').map_or("/", |at| &rest[at..]));
        let target = target.replace(' ', "%20");
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !body.is_empty() || method != "GET" && method != "HEAD" {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head.push_str("\r\n");
        self.exchange(method, head.as_bytes(), body)
    }

    /// A kept connection may have been closed meanwhile; then a fresh one is tried once.
    fn exchange(&mut self, method: &str, head: &[u8], body: &[u8]) -> Result<Answer> {
        if let Some(stream) = self.stream.take()
            && let Ok(answer) = self.exchange_on(stream, method, head, body)
        {
            return Ok(answer);
        }
        let stream = TcpStream::connect(self.address).context("connect")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        self.exchange_on(BufReader::new(stream), method, head, body)
    }

    fn exchange_on(
        &mut self,
        mut stream: BufReader<TcpStream>,
        method: &str,
        head: &[u8],
        body: &[u8],
    ) -> Result<Answer> {
        let mut writer = stream.get_ref().try_clone()?;
        // The answer to a long body may begin before the body is through.
        let body = body.to_vec();
        let head = head.to_vec();
        let sending = std::thread::spawn(move || -> std::io::Result<()> {
            writer.write_all(&head)?;
            writer.write_all(&body)
        });
        let answer = read_answer(&mut stream, method)?;
        let is_sent = sending.join().is_ok_and(|sent| sent.is_ok());
        if is_sent && answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

fn read_answer(stream: &mut BufReader<TcpStream>, method: &str) -> Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line).context("status line")?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("no status in {line:?}"))?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).context("header")?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { bail!("not a header: {line:?}") };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    if method == "HEAD" || matches!(status, 204 | 304) {
        return Ok(answer);
    }
    if answer.header("transfer-encoding") == Some("chunked") {
        read_chunks(stream, &mut answer.body)?;
    } else if let Some(length) = answer.header("content-length") {
        let length: usize = length.parse()?;
        answer.body.resize(length, 0);
        stream.read_exact(&mut answer.body).context("body")?;
    } else {
        stream.read_to_end(&mut answer.body).context("body")?;
    }
    Ok(answer)
}

fn read_chunks(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).context("chunk")?;
        let size =
            usize::from_str_radix(line.trim(), 16).with_context(|| format!("chunk {line:?}"))?;
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..]).context("chunk")?;
        line.clear();
        stream.read_line(&mut line)?;
        if size == 0 {
            return Ok(());
        }
    }
}
