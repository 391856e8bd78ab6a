//! As much of HTTP/1.1 as the long tests need of a client: GET on a kept connection, and a POST whose
//! answer is read line by line while its body is still being sent. Plain HTTP on loopback only.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use testkit::PATIENCE;

/// A kept connection to a server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    authority: String,
}

impl Connection {
    /// Connects to the server of a URL such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the URL is not plain HTTP, or nobody listens there.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let authority = url.strip_prefix("http://").context("only http:// URLs")?;
        let stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), authority: authority.to_owned() })
    }

    /// A GET with a bearer token: the status and the body.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not HTTP.
    pub(crate) fn get(&mut self, path: &str, token: &str) -> Result<(u16, String)> {
        let answer = self.ask(&Ask { path, token, prefer: "", body: None })?;
        Ok((answer.status, answer.body))
    }

    /// A POST of JSON with a bearer token: the status and the body.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not HTTP.
    pub(crate) fn post(&mut self, path: &str, token: &str, body: &str) -> Result<(u16, String)> {
        let body = Some(("application/json", body));
        let answer = self.ask(&Ask { path, token, prefer: "", body })?;
        Ok((answer.status, answer.body))
    }

    /// Asks for something and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks; the connection is of no use then.
    pub(crate) fn ask(&mut self, ask: &Ask<'_>) -> Result<Answer, Broken> {
        let stream = self.stream.get_mut();
        stream.write_all(ask.text(&self.authority).as_bytes()).map_err(|_| Broken::Unanswered)?;
        // Whoever is gone has sent nothing, not even the end of a line.
        if self.stream.fill_buf().map_or(true, <[u8]>::is_empty) {
            return Err(Broken::Unanswered);
        }
        let head = Head::read(&mut self.stream).map_err(|_| Broken::CutOff(String::new()))?;
        let mut body = Vec::new();
        let read = head.body(&mut self.stream).read_to_end(&mut body);
        let is_whole = head.length.is_none_or(|length| length == body.len() as u64);
        let body = String::from_utf8_lossy(&body).into_owned();
        if read.is_err() || !is_whole {
            return Err(Broken::CutOff(body));
        }
        let Head { status, retry_after, result, closes, lines, .. } = head;
        Ok(Answer { status, retry_after, result, closes, lines, body })
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

/// What is asked for; a POST if there is a body, which comes with its type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) path: &'a str,
    pub(crate) token: &'a str,
    /// Preferences, if there are any.
    pub(crate) prefer: &'a str,
    pub(crate) body: Option<(&'a str, &'a str)>,
}

impl Ask<'_> {
    fn text(&self, authority: &str) -> String {
        let Ask { path, token, prefer, body } = self;
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n"
        );
        if !prefer.is_empty() {
            text.extend(["Prefer: ", prefer, "\r\n"]);
        }
        if let Some((content_type, body)) = body {
            let length = body.len().to_string();
            text.extend(["Content-Type: ", content_type, "\r\nContent-Length: ", &length, "\r\n"]);
        }
        text + "\r\n" + body.map_or("", |(_, body)| body)
    }
}

/// A whole answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds until it may be tried again.
    pub(crate) retry_after: Option<u64>,
    /// What became of a record that was sent (`callvault-result`).
    pub(crate) result: Option<String>,
    /// The connection serves nothing else.
    pub(crate) closes: bool,
    /// All header lines, names and values.
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header line.
    pub(crate) fn line(&self, name: &str) -> Option<&str> {
        let found = self.lines.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// How a request got no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Nobody listens.
    Refused,
    /// Not a byte of an answer came.
    Unanswered,
    /// The answer ends too early, with what came of its body.
    CutOff(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "nobody listens",
            Self::Unanswered => "the connection broke before an answer",
            Self::CutOff(_) => "the connection broke in the answer",
        })
    }
}

impl std::error::Error for Broken {}

/// The part of an answer's head that is of use here.
#[derive(Default)]
struct Head {
    status: u16,
    length: Option<u64>,
    retry_after: Option<u64>,
    result: Option<String>,
    closes: bool,
    lines: Vec<(String, String)>,
}

impl Head {
    fn read(stream: &mut impl BufRead) -> Result<Self> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let Some(status) = status else { bail!("not an HTTP answer: {line:?}") };
        let mut head = Self { status, ..Self::default() };
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                bail!("the answer ends in its head");
            }
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = Some(value.parse()?),
                "retry-after" => head.retry_after = Some(value.parse()?),
                "connection" => head.closes = value.eq_ignore_ascii_case("close"),
                "callvault-result" => head.result = Some(value.to_owned()),
                _ => {}
            }
            head.lines.push((name.to_owned(), value.to_owned()));
        }
        if status == 204 {
            // Such an answer has no body, and says nothing of one (RFC 9110 section 15.3.5).
            head.length = Some(0);
        }
        Ok(head)
    }

    /// The body: of the length that the head told, else chunked.
    fn body<'s>(&self, stream: &'s mut impl BufRead) -> Box<dyn Read + 's> {
        match self.length {
            Some(length) => Box::new(stream.take(length)),
            None => Box::new(ChunkedBody { stream, left: 0, ended: false }),
        }
    }
}

/// A chunked body (RFC 9112 section 7.1).
struct ChunkedBody<'s, S> {
    stream: &'s mut S,
    left: u64,
    ended: bool,
}

impl<S: BufRead> Read for ChunkedBody<'_, S> {
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

impl<S: BufRead> ChunkedBody<'_, S> {
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

    /// What comes of a request to a server that says this and closes the connection.
    fn asked(said: &'static str) -> Result<Answer, Broken> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1_024];
                assert!(stream.read(&mut request).unwrap() > 0);
                stream.write_all(said.as_bytes()).unwrap();
            });
            let ask = Ask { path: "/", token: "t", prefer: "", body: Some(("text/plain", "b")) };
            Connection::open(&url).unwrap().ask(&ask)
        })
    }

    #[test]
    fn answers_that_break_off_are_told_from_those_that_never_began() {
        assert_eq!(asked("").unwrap_err(), Broken::Unanswered);
        let cut_off = |rest: &str| Broken::CutOff(rest.to_owned());
        assert_eq!(asked("HTTP/1.1 200 O").unwrap_err(), cut_off(""));
        assert_eq!(asked("HTTP/1.1 200 OK\r\nContent-Le").unwrap_err(), cut_off(""));
        let short = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc";
        assert_eq!(asked(short).unwrap_err(), cut_off("abc"));
        let unended = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
        assert_eq!(asked(unended).unwrap_err(), cut_off("abc"));
        let refused =
            "HTTP/1.1 503 X\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let answer = asked(refused).unwrap();
        assert_eq!((answer.status, answer.retry_after, answer.closes), (503, Some(5), true));
    }
}
