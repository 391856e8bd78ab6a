//! The head of a request: whether it is a plain read, and of what.

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, HOST, IF_NONE_MATCH};
use web::host::is_host;
use web::request_id::CLIENT_REQUEST_ID;

use crate::version::ApiVersion;

/// Header lines that are looked at; who sends more is hyper's.
const MOST_LINES: usize = 24;

/// Characters of a GUID.
const GUID: usize = 36;

/// What was read of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head<'b> {
    /// Its head is not here yet.
    Partial,
    /// Not a plain read, or nothing that is understood here.
    Other,
    /// A plain read.
    Plain(PlainRead<'b>),
}

/// GET of a record, with header lines that change nothing of its form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlainRead<'b> {
    pub(super) version: ApiVersion,
    /// The id in the path: digits, letters and hyphens.
    pub(super) id: &'b str,
    /// The query as it came, without the question mark.
    pub(super) query: &'b str,
    pub(super) token: &'b str,
    pub(super) client_request_id: Option<&'b [u8]>,
    pub(super) if_none_match: Option<&'b [u8]>,
    has_host: bool,
    /// Bytes of the whole head.
    pub(super) length: usize,
    /// Bytes of the address, and of all header lines, as the limits count them.
    pub(super) url_length: usize,
    pub(super) lines_length: usize,
}

/// Reads the first request of what was received.
pub(super) fn read(received: &[u8]) -> Head<'_> {
    if received.is_empty() {
        return Head::Partial;
    }
    let mut lines = [httparse::EMPTY_HEADER; MOST_LINES];
    let mut request = httparse::Request::new(&mut lines);
    let length = match request.parse(received) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if could_be_plain(received) => return Head::Partial,
        Ok(httparse::Status::Partial) | Err(_) => return Head::Other,
    };
    match plain(&request, length) {
        Some(read) => Head::Plain(read),
        None => Head::Other,
    }
}

/// Whether what has come so far could become a plain read: no other head is waited for here.
fn could_be_plain(received: &[u8]) -> bool {
    let start = b"GET /";
    let common = received.len().min(start.len());
    received[..common] == start[..common]
}

fn plain<'b>(request: &httparse::Request<'_, 'b>, length: usize) -> Option<PlainRead<'b>> {
    if request.method != Some("GET") || request.version != Some(1) {
        return None;
    }
    let address = request.path?;
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (version, rest) = match path.get(..5)? {
        "/v1.0" => (ApiVersion::V1, &path[5..]),
        "/beta" => (ApiVersion::Beta, &path[5..]),
        _ => return None,
    };
    let id = rest.strip_prefix("/communications/callRecords/")?;
    let is_id =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // Other segments have names that could be ids as well.
    if !is_id || id.len() != GUID || !query.bytes().all(is_of_options) {
        return None;
    }
    let mut read = PlainRead {
        version,
        id,
        query,
        token: "",
        client_request_id: None,
        if_none_match: None,
        has_host: false,
        length,
        url_length: address.len(),
        lines_length: 0,
    };
    for line in &*request.headers {
        read.lines_length += line.name.len() + line.value.len() + ": \r\n".len();
        read.take(line.name, line.value)?;
    }
    (!read.token.is_empty() && read.has_host).then_some(read)
}

/// What the options that are known here are written with, percent-encoded or not.
fn is_of_options(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"$%=(),;+-._~".contains(&byte)
}

impl<'b> PlainRead<'b> {
    /// Takes a header line; `None` if it could change the answer in a way that is not known here.
    fn take(&mut self, name: &str, value: &'b [u8]) -> Option<()> {
        let is = |known: &http::HeaderName| name.eq_ignore_ascii_case(known.as_str());
        if is(&AUTHORIZATION) {
            if !self.token.is_empty() {
                return None;
            }
            self.token = token(value)?;
        } else if is(&HOST) {
            // Without one, with two, or with none that could be one, it is refused elsewhere.
            if self.has_host || !is_host(value) {
                return None;
            }
            self.has_host = true;
        } else if is(&ACCEPT) {
            return matches!(value, b"*/*" | b"application/json").then_some(());
        } else if is(&ACCEPT_ENCODING) {
            return value.eq_ignore_ascii_case(b"identity").then_some(());
        } else if is(&CONNECTION) {
            return value.eq_ignore_ascii_case(b"keep-alive").then_some(());
        } else if is(&IF_NONE_MATCH) {
            if self.if_none_match.is_some() {
                return None;
            }
            self.if_none_match = Some(value);
        } else if is(&CLIENT_REQUEST_ID) {
            if self.client_request_id.is_some() {
                return None;
            }
            self.client_request_id = Some(value);
        } else if !is_ignored(name) {
            return None;
        }
        Some(())
    }
}

/// The token of `Authorization`. What else it may hold than a token doesn't matter here, as only those
/// that were verified are known.
fn token(value: &[u8]) -> Option<&str> {
    let (scheme, rest) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| std::str::from_utf8(rest).ok())?
}

/// Header lines that clients of Graph send and that no answer of ours depends on.
fn is_ignored(name: &str) -> bool {
    const IGNORED: [&str; 9] = [
        "user-agent",
        "sdkversion",
        "traceparent",
        "tracestate",
        "cache-control",
        "pragma",
        "accept-language",
        "x-forwarded-for",
        "x-forwarded-proto",
    ];
    IGNORED.iter().any(|ignored| name.eq_ignore_ascii_case(ignored))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq};
    use proptest::sample::select;
    use proptest::{prop_oneof, proptest};

    use super::*;

    const ID: &str = "e523d2ed-2966-4b6b-925b-754a88034cc5";

    fn head(address: &str, lines: &str) -> String {
        format!("GET {address} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n{lines}\r\n")
    }

    #[test]
    fn reads_of_a_record_are_plain() {
        let text = head(
            &format!("/beta/communications/callRecords/{ID}?$expand=sessions"),
            "client-request-id: c\r\nIf-None-Match: W/\"1\"\r\nAccept: */*\r\n",
        );
        let Head::Plain(read) = read(text.as_bytes()) else { panic!("not plain") };
        assert_eq!((read.version, read.id, read.query), (ApiVersion::Beta, ID, "$expand=sessions"));
        assert_eq!((read.token, read.client_request_id), ("t", Some(&b"c"[..])));
        assert_eq!((read.if_none_match, read.length), (Some(&b"W/\"1\""[..]), text.len()));
    }

    #[test]
    fn what_else_could_be_meant_is_left_to_others() {
        let record = format!("/v1.0/communications/callRecords/{ID}");
        for (address, lines) in [
            (record.as_str(), "Prefer: odata.maxpagesize=5\r\n"),
            (&record, "Authorization: Bearer t\r\n"),
            (&record, "Accept: application/xml\r\n"),
            (&record, "Accept-Encoding: gzip\r\n"),
            (&record, "Connection: close\r\n"),
            (&record, "Content-Length: 1\r\n"),
            (&record, "Transfer-Encoding: chunked\r\n"),
            (&record, "Expect: 100-continue\r\n"),
            (&record, "Upgrade: h2c\r\n"),
            (&record, "OData-Version: 3.0\r\n"),
            (&record, "X-Unknown: 1\r\n"),
            (&record, "client-request-id: a\r\nclient-request-id: b\r\n"),
            (&record, "Host: x\r\n"),
            ("/v1.0/communications/callRecords/callvault.import", ""),
            ("/v1.0/communications/callRecords", ""),
            (&format!("{record}/sessions"), ""),
            (&format!("/v2.0/communications/callRecords/{ID}"), ""),
            ("/x", ""),
        ] {
            assert_eq!(read(head(address, lines).as_bytes()), Head::Other, "{address} {lines}");
        }
        let without_token = format!("GET {record} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(read(without_token.as_bytes()), Head::Other);
        for other in ["POST / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\n", "\x16\x03\x01", "GET  x\r\n"]
        {
            assert_eq!(read(other.as_bytes()), Head::Other, "{other:?}");
        }
        for host in ["", "Host: x y\r\n", "Host: \r\n", "Host: x/y\r\n"] {
            let text = head(&record, "").replace("Host: x\r\n", host);
            assert_eq!(read(text.as_bytes()), Head::Other, "{host}");
        }
        let old = head(&record, "").replace("HTTP/1.1", "HTTP/1.0");
        assert_eq!(read(old.as_bytes()), Head::Other);
    }

    #[test]
    fn every_beginning_of_a_plain_read_is_waited_for() {
        let text = head(&format!("/v1.0/communications/callRecords/{ID}"), "");
        for end in 0..text.len() {
            assert_eq!(read(&text.as_bytes()[..end]), Head::Partial, "{end}");
        }
        assert!(matches!(read(text.as_bytes()), Head::Plain(_)));
    }

    /// The same head, changed in some places: bytes put in, taken out or replaced.
    fn changed() -> impl Strategy<Value = Vec<u8>> {
        let whole = head(
            &format!("/v1.0/communications/callRecords/{ID}?$select=id"),
            "Accept: */*\r\nIf-None-Match: \"1\"\r\n",
        );
        let byte = prop_oneof![any::<u8>(), select(b"\r\n :\t\0?%/,".to_vec())];
        let change = (0..whole.len(), 0..2_usize, vec(byte, 0..3));
        vec(change, 0..4).prop_map(move |changes| {
            let mut bytes = whole.clone().into_bytes();
            for (place, gone, new) in changes {
                let place = place.min(bytes.len());
                let end = (place + gone).min(bytes.len());
                bytes.splice(place..end, new);
            }
            bytes
        })
    }

    /// The lines of a head by its text alone.
    fn by_text(head: &str) -> Option<(&str, &str)> {
        // Empty lines before a request are skipped (RFC 9112, 2.2).
        let head = head.trim_start_matches("\r\n");
        let mut lines = head.strip_suffix("\r\n\r\n")?.split("\r\n");
        let address = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
        let tokens: Vec<&str> = lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, value)| value.trim_matches([' ', '\t']))
            .collect();
        match tokens[..] {
            [token] => Some((address, token.get("Bearer ".len()..)?)),
            _ => None,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// What is taken for a plain read says the same when its lines are looked at one by one.
        #[test]
        fn plain_reads_are_what_their_text_says(bytes in changed()) {
            if let Head::Plain(read) = read(&bytes) {
                let head = String::from_utf8_lossy(&bytes[..read.length]);
                // Whoever ends lines with a line feed alone is understood as well.
                let head = head.replace("\r\n", "\n").replace('\n', "\r\n");
                let (address, token) = by_text(&head).unwrap();
                let version = match read.version {
                    ApiVersion::V1 => "v1.0",
                    ApiVersion::Beta => "beta",
                };
                let path = format!("/{version}/communications/callRecords/{}", read.id);
                let query = address.split_once('?').map_or("", |(_, query)| query);
                prop_assert_eq!(address.split('?').next(), Some(path.as_str()));
                prop_assert_eq!((query, token), (read.query, read.token));
            }
        }

        #[test]
        fn no_bytes_are_too_much(bytes in vec(any::<u8>(), 0..200)) {
            prop_assert!(!matches!(read(&bytes), Head::Plain(_)));
        }
    }
}
