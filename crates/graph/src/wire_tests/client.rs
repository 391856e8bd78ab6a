//! A client so simple that it sends anything and hides nothing.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::rig::PATIENCE;

/// An answer, its body without chunking.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The value of a header that is there once; panics when it is there twice.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }

    /// The body as text.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// `error.code` of the body.
    pub(super) fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        json["error"]["code"].as_str().unwrap_or_else(|| panic!("{}", self.text())).to_owned()
    }
}

/// A connection.
pub(super) struct Connection<S = TcpStream>(pub(super) S);

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Whether the server has closed it, or does so while it is waited for.
    pub(super) fn is_closed_by_server(&mut self) -> bool {
        match self.0.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

impl<S: Read + Write> Connection<S> {
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
        self.0.flush().unwrap();
    }

    /// Sends a request and reads its answer. `headers` are whole lines.
    pub(super) fn ask(&mut self, method: &str, target: &str, headers: &[&str]) -> Answer {
        self.ask_with(method, target, headers, b"")
    }

    pub(super) fn ask_with(
        &mut self,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Answer {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: x\r\n");
        for line in headers {
            request.push_str(line);
            request.push_str("\r\n");
        }
        if !body.is_empty() {
            write!(request, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        request.push_str("\r\n");
        self.send([request.as_bytes(), body].concat());
        self.answer(method)
    }

    /// Reads an answer to `method`.
    pub(super) fn answer(&mut self, method: &str) -> Answer {
        let head = self.head();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if method != "HEAD" && status != 304 && status != 204 {
            answer.body = match answer.header("content-length") {
                Some(length) => self.exactly(length.parse().unwrap()),
                None => self.chunks(),
            };
        }
        answer
    }

    /// The head of an answer.
    pub(super) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend_from_slice(&self.exactly(1));
        }
        String::from_utf8(head).unwrap()
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// A body in chunks.
    pub(super) fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.extend_from_slice(&self.exactly(1));
            }
            let size = std::str::from_utf8(&size).unwrap().trim().to_owned();
            let size = usize::from_str_radix(&size, 16).unwrap();
            body.extend_from_slice(&self.exactly(size));
            self.exactly(2);
            if size == 0 {
                return body;
            }
        }
    }
}
