//! Addresses as people type them. What an address may not hold, though nobody can mistake it (quotes,
//! brackets, letters that are not ASCII), is percent-encoded on its way to hyper, which would refuse it.
//! Where blanks stand in it, nobody can tell for sure where it ends (RFC 9112 section 3): that is
//! refused, and [`Heads::complaint`] says why.
//!
//! Only what is certain to be the first line of a request is touched: as long as every request before it
//! had no body, or one of a stated length.

use std::fmt::Write as _;

/// First bytes of a TLS connection: a record of type handshake, and the first half of its version (RFC 8446,
/// section 5.1). No method of HTTP begins so.
const TLS: [u8; 2] = [22, 3];
/// Longest line that is waited for.
const LONGEST: usize = 64 << 10;

/// Where in the requests of a connection its bytes are.
#[derive(Debug, Default)]
enum Place {
    /// In the first line of a request.
    #[default]
    Address,
    /// In the lines behind it.
    Lines,
    /// In a body, of which so many bytes are to come.
    Body(u64),
    /// Nobody knows any more.
    Unknown,
}

/// Follows the heads of a connection's requests.
#[derive(Debug, Default)]
pub(super) struct Heads {
    place: Place,
    /// What is here of a line that has not ended.
    line: Vec<u8>,
    /// The body that the lines so far announce.
    length: Option<u64>,
    complaint: Option<String>,
    /// The last request is a HEAD.
    is_head: bool,
    /// What came is no request, but the beginning of a TLS connection.
    is_tls: bool,
}

impl Heads {
    /// Whether the last request is a HEAD, whose answer has no body.
    pub(super) fn is_head(&self) -> bool {
        self.is_head
    }

    /// Whether the client speaks TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// What was wrong with the last address, if anything was.
    pub(super) fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// What hyper should get in place of these bytes, where that is something else. A first line that has
    /// not ended waits here.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if matches!(self.place, Place::Address) && self.line.is_empty() && bytes.starts_with(&TLS) {
            self.is_tls = true;
            self.place = Place::Unknown;
        }
        match &mut self.place {
            Place::Unknown => return None,
            Place::Body(left) if *left > bytes.len() as u64 => {
                *left -= bytes.len() as u64;
                return None;
            }
            _ => {}
        }
        let held = self.line.len();
        let mut out = Vec::with_capacity(held + bytes.len());
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = self.step(rest, &mut out);
        }
        (held > 0 || out != bytes).then_some(out)
    }

    /// What waited, when nothing follows.
    pub(super) fn let_go(&mut self) -> Vec<u8> {
        self.place = Place::Unknown;
        std::mem::take(&mut self.line)
    }

    /// Takes a line, or what is there of something else; the bytes behind it.
    fn step<'b>(&mut self, bytes: &'b [u8], out: &mut Vec<u8>) -> &'b [u8] {
        let end = match self.place {
            Place::Body(left) => bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX)),
            Place::Unknown => bytes.len(),
            _ => bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1),
        };
        let (taken, behind) = bytes.split_at(end);
        match &mut self.place {
            Place::Unknown => out.extend_from_slice(taken),
            Place::Body(left) => {
                out.extend_from_slice(taken);
                *left -= taken.len() as u64;
                if *left == 0 {
                    self.place = Place::Address;
                }
            }
            Place::Address | Place::Lines => self.part_of_line(taken, out),
        }
        behind
    }

    fn part_of_line(&mut self, part: &[u8], out: &mut Vec<u8>) {
        let is_address = matches!(self.place, Place::Address);
        if !is_address {
            out.extend_from_slice(part);
        }
        self.line.extend_from_slice(part);
        if is_address {
            self.is_head = self.line.starts_with(b"HEAD ");
        }
        if part.ends_with(b"\n") {
            let line = std::mem::take(&mut self.line);
            if is_address { self.address(line, out) } else { self.header(&line) }
        } else if self.line.len() > LONGEST {
            let line = self.let_go();
            if is_address {
                out.extend_from_slice(&line);
            }
        }
    }

    fn address(&mut self, line: Vec<u8>, out: &mut Vec<u8>) {
        if matches!(line.as_slice(), b"\n" | b"\r\n") {
            out.extend_from_slice(&line);
            return;
        }
        (self.length, self.complaint) = (None, None);
        self.place = Place::Lines;
        let text = line.trim_ascii_end();
        let first = text.iter().position(|byte| *byte == b' ').map(|at| at + 1);
        let last = text.iter().rposition(|byte| *byte == b' ');
        let (Some(first), Some(last)) = (first, last) else {
            self.place = Place::Unknown;
            out.extend_from_slice(&line);
            return;
        };
        let is_known = text[last..].starts_with(b" HTTP/1.") && !line.starts_with(b"CONNECT ");
        let address = line.get(first..last).unwrap_or_default();
        self.complaint = complaint(address);
        if !is_known || self.complaint.is_some() {
            self.place = Place::Unknown;
            out.extend_from_slice(&line);
            return;
        }
        out.extend_from_slice(&line[..first]);
        for byte in address {
            if is_encoded(*byte) {
                out.extend_from_slice(format!("%{byte:02X}").as_bytes());
            } else {
                out.push(*byte);
            }
        }
        out.extend_from_slice(&line[last..]);
    }

    fn header(&mut self, line: &[u8]) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            self.place =
                self.length.filter(|length| *length > 0).map_or(Place::Address, Place::Body);
            return;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = std::str::from_utf8(&value[1..]).unwrap_or_default().trim();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let length = digits.parse().ok().filter(|_| is_number && self.length.is_none());
            match length {
                Some(length) => self.length = Some(length),
                None => self.place = Place::Unknown,
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding")
            || name.eq_ignore_ascii_case(b"upgrade")
        {
            self.place = Place::Unknown;
        }
    }
}

/// Whether a byte of an address is written as an escape: it can mean nothing but itself.
fn is_encoded(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80..)
}

/// What is wrong with an address that is not understood.
fn complaint(address: &[u8]) -> Option<String> {
    let at = address.iter().position(|byte| *byte <= b' ' || *byte == 0x7F)?;
    let byte = address[at];
    let mut text = "The address has a ".to_owned();
    match byte {
        b' ' => text.push_str("blank"),
        b'\t' => text.push_str("tab"),
        _ => text.push_str("control character"),
    }
    let _ = write!(text, " at position {at}: write it as %{byte:02X}.");
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is passed on of bytes that come in pieces of this size.
    fn passed(heads: &mut Heads, text: &[u8], size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in text.chunks(size) {
            match heads.pass(piece) {
                Some(other) => out.extend_from_slice(&other),
                None => out.extend_from_slice(piece),
            }
        }
        out.extend_from_slice(&heads.let_go());
        out
    }

    fn first_line(address: &str) -> String {
        let text = format!("GET {address} HTTP/1.1\r\nHost: x\r\n\r\n");
        let out = passed(&mut Heads::default(), text.as_bytes(), 1_000);
        String::from_utf8_lossy(&out).lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn what_can_mean_nothing_else_is_encoded() {
        for (address, expected) in [
            ("/a?$search=\"b%20c\"", "/a?$search=%22b%20c%22"),
            ("/{|}<>\\^`é", "/%7B%7C%7D%3C%3E%5C%5E%60%C3%A9"),
            ("/a?b=c&d='e'#f", "/a?b=c&d='e'#f"),
        ] {
            assert_eq!(first_line(address), format!("GET {expected} HTTP/1.1"));
        }
    }

    #[test]
    fn blanks_and_controls_are_complained_of_at_their_place() {
        for (address, complaint) in [
            ("/a b", Some("The address has a blank at position 2: write it as %20.")),
            ("/\ta", Some("The address has a tab at position 1: write it as %09.")),
            ("/\u{1}", Some("The address has a control character at position 1: write it as %01.")),
            ("/a\"", None),
        ] {
            let mut heads = Heads::default();
            let text = format!("GET {address} HTTP/1.1\r\n");
            let out = passed(&mut heads, text.as_bytes(), 1_000);
            assert_eq!(heads.complaint(), complaint);
            assert_eq!(out == text.as_bytes(), complaint.is_some(), "{address:?}");
        }
    }

    #[test]
    fn the_beginning_of_tls_is_no_line_that_is_waited_for() {
        let mut heads = Heads::default();
        assert_eq!(heads.pass(&[22, 3, 1, 2, 0]), None);
        assert!(heads.is_tls());
        let mut heads = Heads::default();
        assert!(heads.pass(b"GET / HT").is_some() && !heads.is_tls());
    }

    #[test]
    fn only_first_lines_are_touched() {
        let get = "GET /\" HTTP/1.1\r\nA: \"\r\n\r\n";
        let post = "POST /\" HTTP/1.1\r\ncontent-length: 16\r\n\r\nGET /\" HTTP/1.1\n";
        let text = [get, post, "\r\n", get].concat();
        let expected = text.replace("GET /\" HTTP/1.1\r", "GET /%22 HTTP/1.1\r");
        let expected = expected.replace("POST /\"", "POST /%22");
        for size in [1, 2, 7, 1_000] {
            let out = passed(&mut Heads::default(), text.as_bytes(), size);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{size}");
        }
    }

    #[test]
    fn behind_a_body_of_unknown_length_nothing_is_touched() {
        let get = "GET /\" HTTP/1.1\r\n\r\n";
        for lines in [
            "Transfer-Encoding: chunked",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: x",
            "Content-Length: +1",
            "Upgrade: h2c",
        ] {
            let text = format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n{get}");
            assert_eq!(passed(&mut Heads::default(), text.as_bytes(), 1_000), text.as_bytes());
        }
        let text = format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{get}");
        assert_eq!(passed(&mut Heads::default(), text.as_bytes(), 1_000), text.as_bytes());
    }
}
