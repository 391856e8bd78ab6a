//! The answer to a plain read: looked up, and written into one buffer with its head.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode};
use web::answer_budget::{InFlight, Reader};
use web::header_lines::{KEPT, Line, NO_SNIFFING, ODATA_VERSION, SERVER_TIMING, STRICT_TRANSPORT};
use web::layers::write_server_timing;
use web::negotiate::Format;
use web::request_id::{self, RequestIdText};
use web::response::{ContentType, ETag};
use web::{Activity, Charge, Exchange, Subject, Timings, auth, unix_seconds};

use super::State;
use super::head::PlainRead;
use super::plain::{PlainRequest, answer};
use crate::label::Label;
use crate::worker::Worker;

/// Room for the head before the body, which is made first.
const HEAD_ROOM: usize = 1 << 10;
/// Larger buffers are not kept.
const LARGEST_KEPT: usize = 1 << 20;

/// Answers up to this are not counted as in flight: a connection has one of them at a time.
const LARGEST_UNCOUNTED: usize = 16 << 10;

/// A buffer for answers that is used again.
#[derive(Debug, Default)]
pub(super) struct SpareBuffer(RefCell<Vec<u8>>);

impl SpareBuffer {
    fn take(&self) -> Vec<u8> {
        let mut buffer = self.0.take();
        buffer.clear();
        buffer
    }

    /// Keeps a buffer for the next answer.
    pub(super) fn put(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST_KEPT {
            self.0.replace(buffer);
        }
    }
}

/// The date of answers, written anew once a second.
#[derive(Debug, Default)]
pub(super) struct Date(Cell<(i64, [u8; 29])>);

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
pub(super) struct DirectAnswer {
    /// It begins at `at`.
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) exchange: Exchange,
    pub(super) in_flight: Option<InFlight>,
}

/// The answer; `None` where hyper's side has to answer, and then nothing was done.
pub(super) fn make(
    worker: &Worker,
    state: &State,
    activity: &Rc<Activity>,
    request: &PlainRead<'_>,
) -> Option<DirectAnswer> {
    let began = Instant::now();
    let (web, limits) = (&worker.web, &worker.web.limits);
    if request.url_length > limits.url || request.lines_length > limits.headers {
        return None;
    }
    let now = unix_seconds();
    let caller = auth::recent(web, request.token, now)?;
    activity.token_shown();
    let form = state.forms.borrow_mut().find(worker, request.version, request.query)?;
    let mut timings = Timings::default();
    let authorized = Instant::now();
    timings.stage("auth", authorized - began);
    let plain =
        PlainRequest { version: request.version, caller: &caller, id: request.id, form: &form };
    let mut out = state.spare.take();
    out.resize(HEAD_ROOM, 0);
    let is_known = |tag: ETag| request.if_none_match.is_some_and(|line| tag.is_named_in(line));
    let mut is_unchanged = false;
    let tag = answer(
        worker,
        &mut state.answers.borrow_mut(),
        &plain,
        |tag| {
            is_unchanged = is_known(tag);
            is_unchanged
        },
        &mut out,
    );
    let Some(tag) = tag else {
        state.spare.put(out);
        return None;
    };
    let in_flight = if out.len() > LARGEST_UNCOUNTED {
        let reader =
            Reader { caller: Some(Arc::clone(&caller)), peer: Arc::clone(activity.peer()) };
        // The long way refuses it again, in words.
        Some(web.shared.answer_budget.take(out.len() as u64, &reader).ok()?)
    } else {
        None
    };
    if let Some(throttle) = &web.shared.throttle {
        let of = Subject::Record(request.id);
        let charge = Charge { tenant: &caller.tenant, application: &caller.app_id, of };
        // The long way refuses it again, in words.
        if throttle.admit(&charge, began).is_err() {
            state.spare.put(out);
            return None;
        }
    }
    timings.stage("answer", authorized.elapsed());
    let mut exchange = Exchange::begin_at(Rc::clone(web), Rc::clone(activity), Method::GET, began);
    let status = if is_unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let id = web.request_ids.next_text();
    exchange.answered(Label::CallRecord.into(), status, id.as_str());
    exchange.sent(out.len() - HEAD_ROOM);
    let fields = HeadFields {
        tag,
        status,
        id: &id,
        client_id: request.client_request_id,
        timings: &timings,
        total: began.elapsed(),
        date: state.date.text(now),
        is_secure: web.shared.options.tls.is_some(),
        varies_by: web.shared.options.cors.varies_by(),
    };
    let at = write_head(&fields, &mut out);
    Some(DirectAnswer { bytes: out, at, exchange, in_flight })
}

/// What the head says beside what every head says.
struct HeadFields<'a> {
    tag: ETag,
    status: StatusCode,
    id: &'a RequestIdText,
    client_id: Option<&'a [u8]>,
    timings: &'a Timings,
    total: Duration,
    date: [u8; 29],
    is_secure: bool,
    varies_by: &'static Line,
}

/// Writes the head before the body; where it begins. The lines are those of the layers.
fn write_head(fields: &HeadFields<'_>, out: &mut [u8]) -> usize {
    let (room, body) = out.split_at_mut(HEAD_ROOM);
    let mut head = Head { room: [0; HEAD_ROOM], length: 0 };
    if fields.status == StatusCode::OK {
        head.push(b"HTTP/1.1 200 OK\r\ncontent-type: ");
        head.push(ContentType::Json(Format::default()).text().as_bytes());
        head.push(b"\r\n");
    } else {
        head.push(b"HTTP/1.1 304 Not Modified\r\n");
    }
    for line in [&ODATA_VERSION, fields.varies_by, &NO_SNIFFING] {
        line.write(&mut |bytes| head.push(bytes));
    }
    head.push(SERVER_TIMING.as_str().as_bytes());
    head.push(b": ");
    write_server_timing(fields.timings, fields.total, &mut |bytes| head.push(bytes));
    head.push(b"\r\n");
    KEPT.write(&mut |bytes| head.push(bytes));
    if fields.is_secure {
        STRICT_TRANSPORT.write(&mut |bytes| head.push(bytes));
    }
    head.push(b"etag: ");
    head.push(&fields.tag.text());
    head.push(b"\r\nrequest-id: ");
    head.push(fields.id.as_str().as_bytes());
    head.push(b"\r\nclient-request-id: ");
    let client_id = fields.client_id.filter(|id| request_id::is_echoed(id));
    head.push(client_id.unwrap_or(fields.id.as_str().as_bytes()));
    if fields.status == StatusCode::OK {
        head.push(b"\r\ncontent-length: ");
        head.push_number(body.len());
    }
    head.push(b"\r\ndate: ");
    head.push(&fields.date);
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
