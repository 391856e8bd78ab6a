//! The server's side of as much of HTTP/1.1 as receivers of notifications need.

use std::io::{self, BufRead, Read, Write};

use odata::percent::{Plus, decode};

/// A request that came in.
#[derive(Debug, Default)]
pub(crate) struct ReceivedRequest {
    line: String,
    /// The token that a handshake asks to be repeated.
    pub(crate) validation_token: Option<String>,
    /// The id of the message, the same each time it is sent.
    pub(crate) webhook_id: String,
    pub(crate) body: Vec<u8>,
}

impl ReceivedRequest {
    /// Takes the next request of a connection into this one; false at the connection's end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) fn read(&mut self, stream: &mut impl BufRead) -> io::Result<bool> {
        if !self.read_line(stream)? {
            return Ok(false);
        }
        self.validation_token = token(&self.line);
        let mut length = 0;
        loop {
            if !self.read_line(stream)? {
                return Ok(false);
            }
            let Some((name, value)) = self.line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            } else if name.eq_ignore_ascii_case("webhook-id") {
                value.trim().clone_into(&mut self.webhook_id);
            }
        }
        self.body.clear();
        stream.take(length).read_to_end(&mut self.body)?;
        Ok(true)
    }

    fn read_line(&mut self, stream: &mut impl BufRead) -> io::Result<bool> {
        self.line.clear();
        Ok(stream.read_line(&mut self.line)? > 0)
    }
}

/// The token in a request line, without its percent-encoding.
fn token(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("validationToken=")?;
    let encoded = rest.split(' ').next()?;
    decode(encoded, Plus::Space).ok().map(std::borrow::Cow::into_owned)
}

/// Answers with a status and a text.
///
/// # Errors
/// When the connection breaks.
pub(crate) fn answer(out: &mut impl Write, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    out.write_all(head.as_bytes())
}
