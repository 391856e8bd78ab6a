//! The answer to a plain read: looked up, and written into one buffer with its head.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode};

use super::head::PlainRead;
use crate::auth;
use crate::connection::Pulse;
use crate::exchange::Exchange;
use crate::graph::plain::{self, Asked};
use crate::layers::{STRICT_TRANSPORT, VARIES_BY, write_server_timing};
use crate::negotiate::Format;
use crate::outflow::{InFlight, Reader};
use crate::request::Timings;
use crate::request_id::{self, RequestIdText};
use crate::response::{ContentType, ETag};
use crate::router::Route;
use crate::throttle::{Charged, Subject};
use crate::worker::{self, Worker};

/// Room for the head before the body, which is made first.
const HEAD_ROOM: usize = 1 << 10;
/// Larger buffers are not kept.
const LARGEST_KEPT: usize = 1 << 20;

/// Answers up to this are not counted as in flight: a connection has one of them at a time.
const LARGEST_UNCOUNTED: usize = 16 << 10;

/// A buffer for answers that is used again.
#[derive(Debug, Default)]
pub(crate) struct Spare(RefCell<Vec<u8>>);

impl Spare {
    fn take(&self) -> Vec<u8> {
        let mut buffer = self.0.take();
        buffer.clear();
        buffer
    }

    /// Keeps a buffer for the next answer.
    pub(crate) fn put(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST_KEPT {
            self.0.replace(buffer);
        }
    }
}

/// The date of answers, written anew once a second.
#[derive(Debug, Default)]
pub(crate) struct Date(Cell<(i64, [u8; 29])>);

impl Date {
    /// As HTTP writes it (RFC 9110 section 5.6.7); `now` in seconds since 1970.
    fn text(&self, now: i64) -> [u8; 29] {
        let (written, mut text) = self.0.get();
        if written != now || now == 0 {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(now.unsigned_abs());
            let date = httpdate::fmt_http_date(at);
            text.copy_from_slice(date.as_bytes().first_chunk::<29>().expect("dates have 29 bytes"));
            self.0.set((now, text));
        }
        text
    }
}

/// An answer.
pub(super) struct Made {
    /// It begins at `at`.
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) exchange: Exchange,
    pub(super) in_flight: Option<InFlight>,
}

/// The answer; `None` where hyper's side has to answer, and then nothing was done.
pub(super) fn make(
    worker: &Rc<Worker>,
    pulse: &Rc<Pulse>,
    request: &PlainRead<'_>,
    began: Instant,
) -> Option<Made> {
    let limits = &worker.limits;
    if request.url_length > limits.url || request.lines_length > limits.headers {
        return None;
    }
    let now = worker::now();
    let caller = auth::recent(worker, request.token, now)?;
    pulse.token_shown();
    let form = worker.graph.forms.borrow_mut().find(worker, request.version, request.query)?;
    let mut timings = Timings::default();
    let authorized = Instant::now();
    timings.stage("auth", authorized - began);
    let asked = Asked { version: request.version, caller: &caller, id: request.id, form: &form };
    let mut out = worker.spare.take();
    out.resize(HEAD_ROOM, 0);
    let is_known = |tag: ETag| request.if_none_match.is_some_and(|line| tag.is_named_in(line));
    let mut is_unchanged = false;
    let tag = plain::answer(
        worker,
        &asked,
        |tag| {
            is_unchanged = is_known(tag);
            is_unchanged
        },
        &mut out,
    );
    let Some(tag) = tag else {
        worker.spare.put(out);
        return None;
    };
    let in_flight = if out.len() > LARGEST_UNCOUNTED {
        let reader = Reader { caller: Some(Arc::clone(&caller)), peer: Arc::clone(pulse.peer()) };
        // The long way refuses it again, in words.
        Some(worker.shared.outflow.take(out.len() as u64, &reader).ok()?)
    } else {
        None
    };
    if let Some(throttle) = &worker.shared.throttle {
        let of = Subject::Record(request.id);
        let charged = Charged { tenant: &caller.tenant, application: &caller.app_id, of };
        // The long way refuses it again, in words.
        if throttle.admit(&charged, began).is_err() {
            worker.spare.put(out);
            return None;
        }
    }
    timings.stage("answer", authorized.elapsed());
    let mut exchange = Exchange::begin_at(Rc::clone(worker), Rc::clone(pulse), Method::GET, began);
    let status = if is_unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let id = worker.request_ids.next_text();
    exchange.answered(Route::CallRecord, status, id.as_str());
    exchange.sent(out.len() - HEAD_ROOM);
    let told = Told { tag, status, id: &id, client_id: request.client_request_id, now };
    let at = write_head(worker, &told, &timings, began.elapsed(), &mut out);
    Some(Made { bytes: out, at, exchange, in_flight })
}

/// What the head says.
struct Told<'a> {
    tag: ETag,
    status: StatusCode,
    id: &'a RequestIdText,
    client_id: Option<&'a [u8]>,
    now: i64,
}

/// Writes the head before the body; where it begins. The lines are those of `layers::answer`.
fn write_head(
    worker: &Worker,
    told: &Told<'_>,
    timings: &Timings,
    total: Duration,
    out: &mut [u8],
) -> usize {
    let (room, body) = out.split_at_mut(HEAD_ROOM);
    let mut head = Head { room: [0; HEAD_ROOM], length: 0 };
    if told.status == StatusCode::OK {
        head.push(b"HTTP/1.1 200 OK\r\ncontent-type: ");
        head.push(ContentType::Json(Format::default()).text().as_bytes());
        head.push(b"\r\n");
    } else {
        head.push(b"HTTP/1.1 304 Not Modified\r\n");
    }
    head.push(b"odata-version: 4.0\r\nvary: ");
    head.push(VARIES_BY.as_bytes());
    head.push(b"\r\nx-content-type-options: nosniff\r\nserver-timing: ");
    write_server_timing(timings, total, &mut |bytes| head.push(bytes));
    head.push(b"\r\ncache-control: private, no-cache\r\n");
    if worker.shared.options.tls.is_some() {
        head.push(b"strict-transport-security: ");
        head.push(STRICT_TRANSPORT.as_bytes());
        head.push(b"\r\n");
    }
    head.push(b"etag: ");
    head.push(&told.tag.text());
    head.push(b"\r\nrequest-id: ");
    head.push(told.id.as_str().as_bytes());
    head.push(b"\r\nclient-request-id: ");
    let client_id = told.client_id.filter(|id| request_id::is_echoed(id));
    head.push(client_id.unwrap_or(told.id.as_str().as_bytes()));
    if told.status == StatusCode::OK {
        head.push(b"\r\ncontent-length: ");
        head.push_number(body.len());
    }
    head.push(b"\r\ndate: ");
    head.push(&worker.date.text(told.now));
    head.push(b"\r\n\r\n");
    let at = HEAD_ROOM - head.length;
    room[at..].copy_from_slice(&head.room[..head.length]);
    at
}

/// A head in the making. All that can come into one is shorter than the room.
struct Head {
    room: [u8; HEAD_ROOM],
    length: usize,
}

impl Head {
    fn push(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.room[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }

    fn push_number(&mut self, number: usize) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }
}
