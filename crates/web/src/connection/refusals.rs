//! Graph's error in place of the empty answer that hyper writes by itself to what is no HTTP.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderValue};
use http::{HeaderMap, StatusCode};
use odata::ODataVersion;

use super::heads::Heads;
use crate::clock::unix_seconds;
use crate::layers::stamp;
use crate::negotiate::AppliedPreferences;
use crate::problem::Problem;
use crate::request_id::RequestIds;
use crate::response::ContentType;
use crate::worker::Worker;

/// Seconds until the log tells again of clients that speak TLS.
const TLS_NOTED_AGAIN: i64 = 60;

/// Writes errors for a connection.
pub(super) struct Refusals(Rc<Worker>);

/// Whether these are the bytes of an answer that hyper writes by itself. Every refusal of ours has a body.
pub(super) fn is_of_hyper(bytes: &[u8]) -> bool {
    status(bytes).is_some()
        && bytes.ends_with(b"\r\n\r\n")
        && bytes.windows(21).any(|part| part.eq_ignore_ascii_case(b"\r\ncontent-length: 0\r\n"))
}

fn status(bytes: &[u8]) -> Option<StatusCode> {
    let behind = bytes.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    let status = StatusCode::from_bytes(behind).ok()?;
    let own = [
        StatusCode::BAD_REQUEST,
        StatusCode::URI_TOO_LONG,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    ];
    own.contains(&status).then_some(status)
}

impl Refusals {
    pub(super) fn new(worker: &Rc<Worker>) -> Self {
        Self(Rc::clone(worker))
    }

    /// Tells the operator, since the client sees a broken connection and no answer; at most once a minute.
    fn note_tls(&self) {
        let (noted, now) = (&self.0.shared.tls_noted, unix_seconds());
        let before = noted.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(before) >= TLS_NOTED_AGAIN;
        let set =
            |seconds| noted.compare_exchange(before, seconds, Ordering::Relaxed, Ordering::Relaxed);
        if is_due && set(now).is_ok() {
            tracing::info!(
                "a client spoke TLS to this port, which speaks HTTP: begin its address with http://, or give \
                 the server a certificate (--tls-cert, --tls-key)"
            );
        }
    }

    /// The answer in place of one of hyper's, by what is known of the request.
    pub(super) fn in_place_of(&self, bytes: &[u8], heads: Option<&Heads>) -> Vec<u8> {
        let complaint = heads.and_then(Heads::complaint);
        let limits = &self.0.limits;
        let problem = match (status(bytes), complaint) {
            (Some(StatusCode::URI_TOO_LONG), _) => Problem::uri_too_long(limits.url),
            (Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE), _) => {
                Problem::headers_too_large(limits.headers)
            }
            _ if heads.is_some_and(Heads::is_tls) => {
                self.note_tls();
                Problem::bad_request(
                    "This port speaks HTTP, and the request came as TLS. Begin the address with http://.",
                )
            }
            (_, Some(complaint)) => Problem::bad_request(complaint.to_owned()).with_target("url"),
            (_, None) => Problem::bad_request("The request is no valid HTTP/1.1."),
        };
        let ids = RequestIds::new(&self.0.request_ids, &HeaderMap::new());
        problem.log(&ids);
        let body = problem.render(&ids, unix_seconds());
        let mut lines = HeaderMap::new();
        lines.insert(CONTENT_TYPE, ContentType::PlainJson.header());
        lines.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        lines.insert(CONNECTION, HeaderValue::from_static("close"));
        let date = bytes.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"date: "));
        if let Some(Ok(date)) = date.map(|date| HeaderValue::from_bytes(date.trim_ascii())) {
            lines.insert(DATE, date);
        }
        stamp(&mut lines, ODataVersion::V4, None, AppliedPreferences::default());
        ids.stamp(&mut lines);
        let mut out = format!("HTTP/1.1 {}\r\n", problem.code().status()).into_bytes();
        for (name, value) in &lines {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        if !heads.is_some_and(Heads::is_head) {
            out.extend_from_slice(&body);
        }
        out
    }
}
