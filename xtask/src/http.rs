//! As much of HTTP/1.1 as the long tests need of a client: GET on a kept connection, and a POST whose
//! answer is read line by line while its body is still being sent. Plain HTTP on loopback only.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// No answer of our own server takes longer.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A kept connection to a server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    authority: String,
    /// The last answer said when to ask again.
    pub(crate) has_retry_after: bool,
}

impl Connection {
    /// Connects to the server of a URL such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the URL is not plain HTTP, or nobody listens there.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let authority = url.strip_prefix("http://").context("only http:// URLs")?;
        let stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let authority = authority.to_owned();
        Ok(Self { stream: BufReader::new(stream), authority, has_retry_after: false })
    }

    /// A GET with a bearer token: the status and the body.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not HTTP.
    pub(crate) fn get(&mut self, path: &str, token: &str) -> Result<(u16, String)> {
        let authority = &self.authority;
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        let head = Head::read(&mut self.stream)?;
        self.has_retry_after = head.has_retry_after;
        let mut body = String::new();
        head.body(&mut self.stream).read_to_string(&mut body)?;
        Ok((head.status, body))
    }

    /// A POST of JSON with a bearer token: the status and the body.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not HTTP.
    pub(crate) fn post(&mut self, path: &str, token: &str, body: &str) -> Result<(u16, String)> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.authority,
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        let head = Head::read(&mut self.stream)?;
        self.has_retry_after = head.has_retry_after;
        let mut answer = String::new();
        head.body(&mut self.stream).read_to_string(&mut answer)?;
        Ok((head.status, answer))
    }

    /// A POST of NDJSON, giving each line of the answer as it comes, and the status at the end. The
    /// connection serves nothing else afterwards.
    ///
    /// # Errors
    /// When the connection breaks: the lines until then were given.
    pub(crate) fn post_lines(
        mut self,
        path: &str,
        token: &str,
        body: &[u8],
        mut line: impl FnMut(&str),
    ) -> Result<u16> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
            self.authority,
            body.len()
        );
        let mut sending = self.stream.get_ref().try_clone()?;
        std::thread::scope(|scope| {
            // A broken connection shows in the answer too, which is where it is told.
            scope.spawn(move || {
                sending.write_all(head.as_bytes()).and_then(|()| sending.write_all(body))
            });
            let head = Head::read(&mut self.stream)?;
            for answered in BufReader::new(head.body(&mut self.stream)).lines() {
                line(&answered?);
            }
            Ok(head.status)
        })
    }
}

/// The part of an answer's head that says how to read the rest.
struct Head {
    status: u16,
    length: Option<u64>,
    has_retry_after: bool,
}

impl Head {
    fn read(stream: &mut impl BufRead) -> Result<Self> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let Some(status) = status else { bail!("not an HTTP answer: {line:?}") };
        let mut length = None;
        let mut has_retry_after = false;
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                bail!("the answer ends in its head");
            }
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse()?);
            }
            has_retry_after |= name.eq_ignore_ascii_case("retry-after");
        }
        // Such an answer has no body, and says nothing of one (RFC 9110 section 15.3.5).
        let length = if status == 204 { Some(0) } else { length };
        Ok(Self { status, length, has_retry_after })
    }

    /// The body: of the length that the head told, else chunked.
    fn body<'s>(&self, stream: &'s mut impl BufRead) -> Box<dyn Read + 's> {
        match self.length {
            Some(length) => Box::new(stream.take(length)),
            None => Box::new(Chunked { stream, left: 0, ended: false }),
        }
    }
}

/// A chunked body (RFC 9112 section 7.1).
struct Chunked<'s, S> {
    stream: &'s mut S,
    left: u64,
    ended: bool,
}

impl<S: BufRead> Read for Chunked<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            self.left = self.next_size()?;
            self.ended = self.left == 0;
            if self.ended {
                self.end_line()?;
                return Ok(0);
            }
        }
        let read = (&mut *self.stream).take(self.left).read(buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        if self.left == 0 {
            self.end_line()?;
        }
        Ok(read)
    }
}

impl<S: BufRead> Chunked<'_, S> {
    fn next_size(&mut self) -> io::Result<u64> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let size = line.trim_end().split(';').next().unwrap_or_default();
        u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }

    /// The line end after a chunk, or after the last one.
    fn end_line(&mut self) -> io::Result<()> {
        let mut line = String::new();
        self.stream.read_line(&mut line).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &str) -> (u16, io::Result<String>) {
        let mut stream = BufReader::new(bytes.as_bytes());
        let head = Head::read(&mut stream).unwrap();
        let mut body = String::new();
        let read = head.body(&mut stream).read_to_string(&mut body);
        (head.status, read.map(|_| body))
    }

    #[test]
    fn chunks_are_joined() {
        let (status, body) = answer(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
        );
        assert_eq!((status, body.unwrap().as_str()), (200, "abc0123456789abcdef"));
    }

    #[test]
    fn body_of_a_known_length_ends_there() {
        let (status, body) = answer("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}HTTP");
        assert_eq!((status, body.unwrap().as_str()), (404, "{}"));
    }

    #[test]
    fn connection_broken_in_a_chunk_is_an_error() {
        let (_, body) = answer("HTTP/1.1 200 OK\r\n\r\n10\r\nabc");
        assert!(body.is_err());
    }

    #[test]
    fn connection_broken_between_chunks_is_an_error() {
        let (_, body) = answer("HTTP/1.1 200 OK\r\n\r\n3\r\nabc\r\n");
        assert!(body.is_err());
    }
}
