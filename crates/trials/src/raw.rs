//! Requests as bytes, sent as they are, and whatever comes back until the connection ends.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// The pause before the rest of a request, so that the other side reads what came first by itself.
const PAUSE: Duration = Duration::from_millis(1);

/// Bytes of an answer that are taken.
const MOST: usize = 256 << 20;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case, in their order.
    pub(crate) lines: Vec<(String, String)>,
    /// The body, with chunks put together.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of the first header line of a name.
    pub(crate) fn line(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Sends the pieces one after the other.
///
/// # Errors
/// When the other side takes no more.
pub(crate) fn send(stream: &mut TcpStream, pieces: &[&[u8]]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            thread::sleep(PAUSE);
        }
        stream.write_all(piece)?;
    }
    Ok(())
}

/// Everything that comes until the connection ends, and whether it ended: not if nothing came for as
/// long as the stream waits.
pub(crate) fn read_all(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let is_over = read.map_or_else(
        |error| !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        |_| true,
    );
    (bytes, is_over)
}

/// One answer, of those that are no answers to HEAD, and nothing behind it.
///
/// # Errors
/// When the connection breaks, the answer is none, or has more than [`MOST`] bytes.
pub(crate) fn read_one(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut coming = Incoming { stream, bytes: Vec::new() };
    let mut answer = loop {
        let end = coming.position(b"\r\n\r\n", 0)? + 4;
        let (answer, _) = head(&coming.bytes).map_err(io::Error::other)?;
        coming.bytes.drain(..end);
        if answer.status >= 200 {
            break answer;
        }
    };
    if matches!(answer.status, 204 | 304) {
        return Ok(answer);
    }
    if answer.line("transfer-encoding").is_some() {
        let mut at = 0;
        loop {
            let line = coming.position(b"\r\n", at)?;
            let size = std::str::from_utf8(&coming.bytes[at..line]).ok();
            let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
            let size = size.ok_or_else(|| io::Error::other("a chunk of no size"))?;
            let end = line + 2 + size;
            coming.until(end + 2)?;
            answer.body.extend_from_slice(&coming.bytes[line + 2..end]);
            if size == 0 {
                return Ok(answer);
            }
            at = end + 2;
        }
    }
    let length = answer.line("content-length").and_then(|length| length.parse().ok());
    let length = length.ok_or_else(|| io::Error::other("a body without a length"))?;
    coming.until(length)?;
    answer.body = coming.bytes;
    answer.body.truncate(length);
    Ok(answer)
}

/// Bytes as they come.
struct Incoming<'s> {
    stream: &'s mut TcpStream,
    bytes: Vec<u8>,
}

impl Incoming<'_> {
    /// Reads until there are so many.
    fn until(&mut self, count: usize) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        while self.bytes.len() < count {
            if self.bytes.len() > MOST {
                return Err(io::Error::other(format!("more than {MOST} bytes of an answer")));
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.bytes.extend_from_slice(&buffer[..read]),
            }
        }
        Ok(())
    }

    /// Reads until some bytes are there, and gives where, from a place on.
    fn position(&mut self, bytes: &[u8], from: usize) -> io::Result<usize> {
        loop {
            let rest = self.bytes.get(from..).unwrap_or_default();
            if let Some(at) = rest.windows(bytes.len()).position(|window| window == bytes) {
                return Ok(from + at);
            }
            self.until(self.bytes.len() + 1)?;
        }
    }
}

/// The answers that bytes are. One whose length is told and that is followed by another at once has no
/// body, as answers to HEAD have none.
///
/// # Errors
/// Says what is no answer, or where one is cut off.
pub(crate) fn answers(mut bytes: &[u8]) -> Result<Vec<Answer>, String> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (mut answer, rest) = head(bytes)?;
        bytes = rest;
        let is_without = matches!(answer.status, 100..=199 | 204 | 304);
        if is_without || (bytes.starts_with(b"HTTP/1.") && answer.line("content-length").is_some())
        {
            all.push(answer);
            continue;
        }
        if answer.line("transfer-encoding").is_some() {
            bytes = chunks(bytes, &mut answer.body)?;
        } else if let Some(length) = answer.line("content-length") {
            let length: usize = length.parse().map_err(|_| format!("a length of {length:?}"))?;
            let Some((body, rest)) = bytes.split_at_checked(length) else {
                return Err(format!("{} of {length} bytes of a body", bytes.len()));
            };
            answer.body = body.to_vec();
            bytes = rest;
        } else {
            answer.body = std::mem::take(&mut bytes).to_vec();
        }
        all.push(answer);
    }
    Ok(all)
}

/// The head of an answer, and what is behind it.
fn head(bytes: &[u8]) -> Result<(Answer, &[u8]), String> {
    let cut_off =
        || format!("no head: {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut_off)?;
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1."));
    let status =
        status.and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(cut_off)?;
    let lines = lines
        .map(|line| line.split_once(':').ok_or_else(|| format!("no header line: {line:?}")))
        .map(|pair| pair.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())))
        .collect::<Result<_, _>>()?;
    Ok((Answer { status, lines, body: Vec::new() }, &bytes[end + 4..]))
}

/// Puts chunks together; gives what is behind them.
fn chunks<'b>(mut bytes: &'b [u8], body: &mut Vec<u8>) -> Result<&'b [u8], String> {
    loop {
        let end =
            bytes.windows(2).position(|two| two == b"\r\n").ok_or("a chunk without a size")?;
        let size = std::str::from_utf8(&bytes[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let size = size.ok_or("a chunk of no size")?;
        let rest = &bytes[end + 2..];
        let (chunk, rest) = rest.split_at_checked(size).ok_or("half a chunk")?;
        body.extend_from_slice(chunk);
        bytes = rest.strip_prefix(b"\r\n").ok_or("a chunk without an end")?;
        if size == 0 {
            return Ok(bytes);
        }
    }
}

/// Bytes as they would be written in a program, so that anything can be told and sent again.
pub(crate) fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_behind_each_other_are_taken_apart() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab\
                      HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n\
                      HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\
                      HTTP/1.1 304 X\r\n\r\nHTTP/1.0 404 X\r\n\r\nto the end";
        let all = answers(bytes).unwrap();
        let told: Vec<_> =
            all.iter().map(|it| (it.status, String::from_utf8_lossy(&it.body))).collect();
        let expected =
            [(100, ""), (200, "ab"), (200, "c"), (200, ""), (304, ""), (404, "to the end")];
        assert_eq!(told, expected.map(|(status, body)| (status, body.into())));
    }

    #[test]
    fn what_is_cut_off_is_no_answer() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n",
            b"HTTP/1.1 200",
            b"nonsense\r\n\r\n",
        ] {
            assert!(answers(bytes).is_err(), "{}", shown(bytes));
        }
    }
}
