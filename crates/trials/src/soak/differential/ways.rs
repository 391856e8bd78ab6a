//! The two ways that a request can go, and what of their answers has to be the same.
//!
//! A new connection begins on the fast way. It leaves that for good with the first request which is no
//! plain read of a record; so whoever sends such a request first has everything else answered by the
//! layers.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, bail};
use testkit::PATIENCE;

use super::request::Case;
use crate::raw::{self, Answer};

/// Leads a connection away from the fast way.
const LEADING_AWAY: &[u8] = b"GET /elsewhere HTTP/1.1\r\nHost: callvault.example\r\n\r\n";
/// Comes behind each case: whatever that was, the connection ends after it.
const LAST: &[u8] = b"GET /last HTTP/1.1\r\nHost: callvault.example\r\nConnection: close\r\n\r\n";
/// A connection that ends before a byte came back is tried again so often: bytes that were not read yet
/// when the other side closes can take its answer with them.
const TRIES: usize = 5;

/// Lines that are another for each answer.
const CHANGING: [&str; 3] = ["date", "request-id", "server-timing"];
/// The stages that the fast way tells of, and no other.
const FAST_STAGES: [&str; 3] = ["auth", "answer", "total"];

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Fast,
    Layers,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Without what is another each time.
    pub(super) answers: Vec<Answer>,
    /// How many of them came the fast way.
    pub(super) fast: usize,
}

/// Sends a case a way.
///
/// # Errors
/// When there is no answer in time, or something that is none.
pub(super) fn ask(server: SocketAddr, way: Route, case: &Case) -> Result<Outcome> {
    let mut bytes = case.bytes();
    bytes.extend_from_slice(LAST);
    let mut pieces = Vec::new();
    let mut rest = &bytes[..];
    for cut in case.cuts.iter().rev() {
        let (front, back) = rest.split_at((*cut).min(rest.len()));
        pieces.push(back);
        rest = front;
    }
    pieces.push(rest);
    pieces.reverse();
    for _ in 0..TRIES {
        let came = exchange(server, way, &pieces)?;
        if !came.is_empty() {
            let answers = raw::answers(&came).map_err(|error| {
                anyhow::anyhow!("{error} in {}", raw::shown(&came[..came.len().min(2_000)]))
            })?;
            let fast = answers.iter().filter(|answer| is_fast(answer)).count();
            let answers = answers.into_iter().map(lasting).collect::<Result<_>>()?;
            return Ok(Outcome { answers, fast });
        }
    }
    Ok(Outcome { answers: Vec::new(), fast: 0 })
}

fn exchange(server: SocketAddr, way: Route, pieces: &[&[u8]]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).context("the server listens no more")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if way == Route::Layers {
        raw::send(&mut stream, &[LEADING_AWAY])?;
        raw::read_one(&mut stream).context("the request that leads away")?;
    }
    // Who has answered already takes no more.
    let _ = raw::send(&mut stream, pieces);
    match raw::read_all(&mut stream) {
        (bytes, true) => Ok(bytes),
        (bytes, false) => bail!(
            "the connection stays open, after {}",
            raw::shown(&bytes[..bytes.len().min(2_000)])
        ),
    }
}

/// Whether an answer came the fast way: only that tells of just these stages, and only of what has a tag.
fn is_fast(answer: &Answer) -> bool {
    let stages = answer.line("server-timing").unwrap_or_default().split(", ");
    let names = stages.map(|stage| stage.split(';').next().unwrap_or_default());
    answer.line("etag").is_some() && names.eq(FAST_STAGES)
}

/// The answer without what is another each time.
fn lasting(mut answer: Answer) -> Result<Answer> {
    let id = answer.line("request-id").unwrap_or("no id").to_owned();
    if let Some(coding) = answer.line("content-encoding").map(str::to_owned) {
        answer.body = inflate(&coding, &answer.body).context(coding)?;
        answer.lines.retain(|(name, _)| name != "content-length");
    }
    let body = replace(&answer.body, id.as_bytes(), b"(id)");
    let body = blank(&body, b"\"date\":\"", |byte| byte == b'"');
    // Each member of a batch has ids of its own, as text within text.
    let body = blank(&body, b"request-id\":\"", |byte| matches!(byte, b'"' | b'\\'));
    let body = blank(&body, b"request-id\\\":\\\"", |byte| matches!(byte, b'"' | b'\\'));
    answer.body = blank(&body, b"skiptoken=", |byte| matches!(byte, b'"' | b'&' | b'\\'));
    answer.lines.retain(|(name, _)| !CHANGING.contains(&name.as_str()));
    for (_, value) in &mut answer.lines {
        if *value == id {
            "(id)".clone_into(value);
        }
    }
    answer.lines.sort();
    Ok(answer)
}

fn inflate(coding: &str, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out)?,
        "deflate" => flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out)?,
        "br" => brotli::Decompressor::new(bytes, 4 << 10).read_to_end(&mut out)?,
        "zstd" => zstd::stream::read::Decoder::new(bytes)?.read_to_end(&mut out)?,
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    Ok(out)
}

/// Replaces each place of some bytes.
fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(old.len()).position(|window| window == old) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Takes out what stands behind a beginning, each time, up to a byte that ends it.
fn blank(bytes: &[u8], beginning: &[u8], is_end: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(beginning.len()).position(|window| window == beginning) {
        let (front, back) = rest.split_at(at + beginning.len());
        out.extend_from_slice(front);
        rest = &back[back.iter().position(|byte| is_end(*byte)).unwrap_or(back.len())..];
    }
    out.extend_from_slice(rest);
    out
}

/// Where two sides differ, in words; `None` if they don't.
pub(super) fn difference(fast: &Result<Outcome>, layers: &Result<Outcome>) -> Option<String> {
    let (fast, layers) = match (fast, layers) {
        (Ok(fast), Ok(layers)) => (&fast.answers, &layers.answers),
        (Err(fast), Err(layers)) => {
            return Some(format!("neither way is sound: {fast:#}; {layers:#}"));
        }
        (Err(fast), Ok(_)) => return Some(format!("the fast way alone is not sound: {fast:#}")),
        (Ok(_), Err(layers)) => return Some(format!("the layers alone are not sound: {layers:#}")),
    };
    if fast.len() != layers.len() {
        let statuses = |all: &[Answer]| all.iter().map(|it| it.status).collect::<Vec<_>>();
        return Some(format!("answers {:?} and {:?}", statuses(fast), statuses(layers)));
    }
    fast.iter().zip(layers).find_map(|(fast, layers)| {
        if fast.status != layers.status {
            return Some(format!("status {} and {}", fast.status, layers.status));
        }
        if fast.lines != layers.lines {
            let only = |one: &Answer, other: &Answer| {
                let lines = one.lines.iter().filter(|line| !other.lines.contains(line));
                lines.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
            };
            return Some(format!("lines {:?} and {:?}", only(fast, layers), only(layers, fast)));
        }
        (fast.body != layers.body).then(|| {
            let at = fast.body.iter().zip(&layers.body).take_while(|(one, other)| one == other);
            let at = at.count();
            let around = |body: &[u8]| {
                raw::shown(&body[at.saturating_sub(20).min(body.len())..(at + 60).min(body.len())])
            };
            format!("bodies at byte {at}: {:?} and {:?}", around(&fast.body), around(&layers.body))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, lines: &[(&str, &str)], body: &str) -> Result<Outcome> {
        let lines =
            lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let answer = lasting(Answer { status, lines, body: body.as_bytes().to_vec() })?;
        Ok(Outcome { answers: vec![answer], fast: 0 })
    }

    #[test]
    fn what_is_another_each_time_is_no_difference() {
        let one = told(
            200,
            &[("date", "x"), ("request-id", "first"), ("client-request-id", "first"), ("b", "c")],
            r#"{"date":"1","id":"first","l":"?$skiptoken=12&x"}"#,
        );
        let other = told(
            200,
            &[("b", "c"), ("request-id", "second"), ("client-request-id", "second"), ("date", "y")],
            r#"{"date":"2","id":"second","l":"?$skiptoken=3&x"}"#,
        );
        assert_eq!(difference(&one, &other), None);
    }

    #[test]
    fn everything_else_is_one() {
        let one = || told(200, &[("a", "b")], "{}");
        assert!(difference(&one(), &told(304, &[("a", "b")], "{}")).unwrap().contains("status"));
        assert!(difference(&one(), &told(200, &[("a", "c")], "{}")).unwrap().contains("lines"));
        assert!(difference(&one(), &told(200, &[], "{}")).unwrap().contains("lines"));
        assert!(difference(&one(), &told(200, &[("a", "b")], "{ }")).unwrap().contains("byte 1"));
        let none = Ok(Outcome { answers: Vec::new(), fast: 0 });
        assert!(difference(&one(), &none).unwrap().contains("answers"));
        assert!(difference(&one(), &Err(anyhow::anyhow!("late"))).unwrap().contains("late"));
    }

    #[test]
    fn the_fast_way_is_known_by_its_stages() {
        let timed = |stages: &str| Answer {
            status: 200,
            lines: vec![("etag".into(), "x".into()), ("server-timing".into(), stages.into())],
            body: Vec::new(),
        };
        assert!(is_fast(&timed("auth;dur=0.001, answer;dur=0.002, total;dur=0.003")));
        assert!(!is_fast(&timed("auth;dur=0.001, parse;dur=0, answer;dur=0.002, total;dur=0.003")));
    }
}
