//! Batches as multipart messages (OData Protocol 11.7; RFC 2046 section 5.1): requests and change sets
//! taken apart, with nothing done yet.
//!
//! Lines end with CRLF or LF. What stands before the first boundary and behind the last is left out.

use std::fmt;

/// Longest head of a part or of a request in it.
const LONGEST_HEAD: usize = 64 << 10;

/// A request as a part of a batch writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRequest<'a> {
    /// `Content-ID` of the part, by which later requests refer to it.
    pub id: Option<&'a str>,
    /// As written.
    pub method: &'a str,
    /// As written: an absolute address, an absolute path, or a path relative to the service root.
    pub target: &'a str,
    /// Header lines of the request.
    pub lines: Vec<(&'a str, &'a str)>,
    /// Without the line end that belongs to the next boundary.
    pub body: &'a [u8],
}

/// A part of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// A request that stands for itself.
    Request(PartRequest<'a>),
    /// Requests that are carried out all or not at all.
    ChangeSet(Vec<PartRequest<'a>>),
}

/// What is wrong with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Number of the part, from 1; 0 is the whole.
    pub part: usize,
    /// What is wrong.
    pub message: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            0 => write!(f, "{}.", self.message),
            part => write!(f, "Part {part} of the batch: {}.", self.message),
        }
    }
}

/// The boundary that a `Content-Type` of `multipart/mixed` names.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (name, parameters) = content_type.split_once(';')?;
    if !name.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let mut rest = parameters;
    loop {
        let (key, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        let value = value.trim_end();
        if key.trim().trim_start_matches(';').trim().eq_ignore_ascii_case("boundary") {
            // RFC 2046 section 5.1.1.
            let is_sound = (1..=70).contains(&value.len())
                && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
            return is_sound.then_some(value);
        }
        rest = behind;
    }
}

/// Takes a batch apart, of which at most so many requests are read.
///
/// # Errors
/// When a part is no request and no change set, or there are more.
pub fn read<'a>(body: &'a [u8], boundary: &str, most: usize) -> Result<Vec<Part<'a>>, Fault> {
    let mut left = most;
    let mut parts = Vec::new();
    for (number, part) in split(body, boundary)?.into_iter().enumerate() {
        let fault = |message| Fault { part: number + 1, message };
        let (lines, content) = head(part).map_err(fault)?;
        let kind = line(&lines, "Content-Type").unwrap_or_default();
        parts.push(match self::boundary(kind) {
            Some(inner) => {
                let inside = split(content, inner).map_err(|inner| fault(inner.message))?;
                let requests = inside.into_iter().map(|part| {
                    let (lines, content) = head(part)?;
                    request(&lines, content, &mut left)
                });
                Part::ChangeSet(requests.collect::<Result<_, _>>().map_err(fault)?)
            }
            None => Part::Request(request(&lines, content, &mut left).map_err(fault)?),
        });
    }
    Ok(parts)
}

/// What stands between the boundaries.
fn split<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, Fault> {
    let mut parts = Vec::new();
    // Where the part begins that is being read.
    let mut begin = None;
    let mut at = 0;
    while at < body.len() {
        let end =
            body[at..].iter().position(|byte| *byte == b'\n').map_or(body.len(), |n| at + n + 1);
        let delimiter = body[at..end]
            .strip_prefix(b"--")
            .and_then(|rest| rest.strip_prefix(boundary.as_bytes()))
            .map(<[u8]>::trim_ascii_end);
        let is_last = delimiter == Some(b"--");
        if is_last || delimiter == Some(b"") {
            if let Some(begin) = begin {
                parts.push(without_line_end(&body[begin..at.max(begin)]));
            }
            if is_last {
                return Ok(parts);
            }
            begin = Some(end);
        }
        at = end;
    }
    let message = match begin {
        Some(_) => "the boundary that ends the batch is missing",
        None => "The body has no line with the boundary of its Content-Type",
    };
    Err(Fault { part: parts.len() + usize::from(begin.is_some()), message })
}

fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

/// Header lines, and what stands behind the empty line that ends them.
type Head<'a> = (Vec<(&'a str, &'a str)>, &'a [u8]);

fn head(text: &[u8]) -> Result<Head<'_>, &'static str> {
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, behind) = match end {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok((lines, behind));
        }
        if text.len() - behind.len() > LONGEST_HEAD {
            return Err("its header lines are too long");
        }
        let line = std::str::from_utf8(line).map_err(|_| "its header lines are not UTF-8")?;
        let (name, value) = line.split_once(':').ok_or("it has a header line without a colon")?;
        lines.push((name.trim(), value.trim()));
        rest = behind;
    }
}

fn line<'a>(lines: &[(&'a str, &'a str)], wanted: &str) -> Option<&'a str> {
    let found = lines.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| *value)
}

fn request<'a>(
    part: &[(&'a str, &'a str)],
    content: &'a [u8],
    left: &mut usize,
) -> Result<PartRequest<'a>, &'static str> {
    let kind = line(part, "Content-Type").unwrap_or_default().split(';').next().unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/http") {
        return Err(
            "its Content-Type must be application/http, or multipart/mixed with a boundary",
        );
    }
    *left = left.checked_sub(1).ok_or("it is a request more than a batch may have")?;
    let content = content.trim_ascii_start();
    let end = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
    let (first, behind) = content.split_at(end);
    let first = std::str::from_utf8(first).map_err(|_| "its request line is not UTF-8")?;
    let words = first.trim().split_once(' ');
    let is_method = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let (method, rest) =
        words.filter(|(method, _)| is_method(method)).ok_or("it has no request line")?;
    // The version of HTTP is the last word; some write none.
    let target = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => target,
        _ => rest,
    };
    let (lines, body) = head(behind.strip_prefix(b"\n").unwrap_or(behind))?;
    let id = line(part, "Content-ID").or_else(|| line(&lines, "Content-ID"));
    let body = match line(&lines, "Content-Length") {
        None => body,
        Some(length) => {
            let length = length.parse().ok().filter(|_| length.bytes().all(|b| b.is_ascii_digit()));
            body.get(..length.ok_or("its Content-Length is no number")?)
                .ok_or("its body is shorter than its Content-Length")?
        }
    };
    Ok(PartRequest { id, method, target: target.trim(), lines, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = "what stands before\r\n--b 1\r\nContent-Type: application/http\r\n\
        Content-Transfer-Encoding: binary\r\n\r\nGET /v1.0/x?$top=1 HTTP/1.1\r\nAccept: a/b\r\n\r\n\r\n\
        --b 1\r\nContent-Type: multipart/mixed; boundary=\"c;2\"\r\n\r\n--c;2\r\n\
        content-type: application/http; msgtype=request\r\nContent-ID: 7\r\n\r\n\
        POST x HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}\r\n\
        --c;2--\r\n--b 1--\r\nwhat stands behind";

    fn request<'a>(method: &'a str, target: &'a str, body: &'a str) -> PartRequest<'a> {
        PartRequest { id: None, method, target, lines: Vec::new(), body: body.as_bytes() }
    }

    #[test]
    fn a_batch_is_taken_apart_whatever_ends_its_lines() {
        let changed = PartRequest {
            id: Some("7"),
            lines: vec![("Content-Type", "application/json"), ("Content-Length", "7")],
            ..request("POST", "x", "{\"a\":1}")
        };
        let asked =
            PartRequest { lines: vec![("Accept", "a/b")], ..request("GET", "/v1.0/x?$top=1", "") };
        for text in [BATCH.to_owned(), BATCH.replace("\r\n", "\n")] {
            let parts = read(text.as_bytes(), "b 1", 2).unwrap();
            let [Part::Request(first), Part::ChangeSet(second)] = parts.as_slice() else {
                panic!("{parts:?}");
            };
            // An empty line behind the head is its own.
            assert_eq!(first.body.trim_ascii(), b"");
            assert_eq!(PartRequest { body: b"", ..first.clone() }, asked);
            assert_eq!(second, std::slice::from_ref(&changed));
        }
    }

    #[test]
    fn requests_may_lack_version_lines_and_body() {
        let text = "--b\nContent-Type: application/http\n\nGET a b\n--b--";
        assert_eq!(
            read(text.as_bytes(), "b", 1),
            Ok(vec![Part::Request(request("GET", "a b", ""))])
        );
        assert_eq!(read(b"--b--", "b", 1), Ok(Vec::new()));
        assert_eq!(read(b"--b\n--b--", "b", 1).unwrap_err().part, 1);
    }

    #[test]
    fn faults_name_the_part() {
        let http = "Content-Type: application/http\n\n";
        for (text, part, message) in [
            (String::new(), 0, "no line with the boundary"),
            ("--bb\n\n--bb--".to_owned(), 0, "no line with the boundary"),
            (format!("--b\n{http}GET x"), 1, "the boundary that ends"),
            ("--b\nContent-Type: text/plain\n\nx\n--b--".to_owned(), 1, "must be application/http"),
            ("--b\nx\n\n--b--".to_owned(), 1, "without a colon"),
            (format!("--b\n{http}GET\n--b--"), 1, "no request line"),
            (format!("--b\n{http}GET x\n--b\n{http}GET x\n--b--"), 2, "more than a batch may have"),
            (format!("--b\n{http}PUT x\nContent-Length: 9\n\nx\n--b--"), 1, "shorter than"),
            (format!("--b\n{http}PUT x\nContent-Length: +1\n\nx\n--b--"), 1, "no number"),
        ] {
            let fault = read(text.as_bytes(), "b", 1).unwrap_err();
            assert_eq!(fault.part, part, "{text}");
            assert!(fault.to_string().contains(message), "{fault}");
        }
    }

    #[test]
    fn boundaries_are_read_in_every_spelling() {
        for (kind, expected) in [
            ("multipart/mixed;boundary=b", Some("b")),
            ("Multipart/Mixed; charset=utf-8; Boundary = \"b c\"; x=y", Some("b c")),
            ("multipart/mixed; x=\"boundary=z\"; boundary=b", Some("b")),
            ("multipart/mixed; boundary=batch_1-2;x=y", Some("batch_1-2")),
            ("multipart/mixed", None),
            ("multipart/mixed; boundary=", None),
            ("multipart/mixed; boundary=\"b", None),
            ("multipart/form-data; boundary=b", None),
            ("application/http", None),
        ] {
            assert_eq!(boundary(kind), expected, "{kind}");
        }
        let long = format!("multipart/mixed; boundary={}", "b".repeat(71));
        assert_eq!(boundary(&long), None);
    }
}
