//! Every layer that a request passes, in order.

mod member;

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Version};
use hyper::body::Incoming;
use odata::ODataVersion;

use crate::activity::Activity;
use crate::answer_budget::{InFlight, Reader};
use crate::application::{Application, Entry};
use crate::body::Source;
use crate::clock::unix_seconds;
use crate::compression::Coding;
use crate::exchange::Exchange;
use crate::header_lines::{
    KEPT, NO_SNIFFING, NOT_KEPT, ODATA_VERSION, ODATA_VERSION_401, SERVER_TIMING, STRICT_TRANSPORT,
};
use crate::negotiate::{self, AppliedPreferences, Preferences};
use crate::problem::Problem;
use crate::request::{Arrival, Request};
use crate::request_id::RequestIds;
use crate::response::{Content, ContentType, ETag, Response};
use crate::response_body::{BodyContent, ResponseBody};
use crate::throttle::Charge;
use crate::timings::{Timings, Trace};
use crate::worker::Worker;
use crate::{auth, cors, framing, host, preconditions};

pub use member::{MemberAnswer, answer_member, refuse_member};

/// Methods that some resource answers to.
pub const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Answers a request: from the outermost layer inwards and out again. Never fails, so that every
/// answer on this port is ours.
pub(crate) async fn answer<A: Application>(
    app: Rc<A>,
    activity: Rc<Activity>,
    request: http::Request<Incoming>,
) -> Result<http::Response<ResponseBody>, Infallible> {
    let worker = app.worker();
    if request.version() == Version::HTTP_2 {
        activity.speaks_http2();
    }
    if activity.follows_another() {
        // Whoever sends many requests at once lets others have their turn between them.
        worker.turns.turn().await;
    }
    let (head, incoming) = request.into_parts();
    // 1. Counting and logging begin, and end when the exchange is dropped.
    let mut exchange =
        Exchange::begin(Rc::clone(worker), Rc::clone(&activity), head.method.clone());
    // 2. Ids, where it ends, and whom it is for.
    let for_us = framing::check(&head).and_then(|()| host::check(&head));
    let ids = RequestIds::new(&worker.request_ids, &head.headers);
    let version = negotiate::version(&head.headers);
    let coding = Coding::choose(&head.headers);
    let is_head = head.method == Method::HEAD;
    let cors = &worker.shared.options.cors;
    let origin = cors.allowed(head.uri.path(), &head.headers);
    let preflight = origin.as_ref().and_then(|_| cors::preflight(&head.method, &head.headers));
    let arrival = Arrival {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        source: Source::Wire(incoming, Rc::clone(&activity)),
        activity,
        member_of: None,
    };
    // 3. A panic of what lies within is a 500.
    let mut trace = Trace::default();
    let outcome = match (for_us, preflight) {
        (Err(problem), _) => Err(problem),
        (Ok(()), Some(answer)) => Ok(answer),
        (Ok(()), None) => guard(app.enter(arrival, &mut trace, &ids)).await,
    };
    // 4. Problems become answers.
    let Response { status, content, etag, applied, headers, in_flight } =
        outcome.unwrap_or_else(|problem| {
            problem.log(&ids);
            refusal(&problem, &ids)
        });
    // 5. Compression.
    let mut lines = HeaderMap::with_capacity(16);
    let content = encode(worker, content, in_flight, (coding, is_head), &mut lines).await;
    // 6. Header lines that every answer has.
    stamp(&mut lines, version, etag, applied);
    cors.varies_by().add_to(&mut lines);
    if let Some(origin) = origin {
        cors::stamp(origin, &mut lines);
    }
    NO_SNIFFING.add_to(&mut lines);
    lines.insert(SERVER_TIMING, server_timing(&trace.timings, exchange.elapsed()));
    if worker.shared.options.tls.is_some() {
        STRICT_TRANSPORT.add_to(&mut lines);
    }
    exchange.answered(trace.route, status, ids.request());
    ids.stamp(&mut lines);
    for (name, value) in headers {
        lines.insert(name, value);
    }
    let mut response = http::Response::new(ResponseBody::new(content, exchange));
    *response.status_mut() = status;
    *response.headers_mut() = lines;
    Ok(response)
}

/// What there is to send, in the coding that the client takes, with the lines that say so. To HEAD goes
/// nothing but its length.
async fn encode(
    worker: &Worker,
    content: Content,
    in_flight: Option<InFlight>,
    (coding, is_head): (Coding, bool),
    lines: &mut HeaderMap,
) -> BodyContent {
    match content {
        Content::Empty => BodyContent::Empty,
        Content::Stream(content_type, stream) => {
            lines.insert(CONTENT_TYPE, content_type.header());
            BodyContent::Stream(stream)
        }
        Content::Bytes(content_type, bytes) => {
            lines.insert(CONTENT_TYPE, content_type.header());
            let (coding, bytes) = worker.compressor.compress(coding, bytes).await;
            if let Some(coding) = coding.header() {
                lines.insert(CONTENT_ENCODING, coding);
            }
            body_of_bytes(count(bytes, in_flight), is_head, lines)
        }
    }
}

/// Has bytes count for as long as any of them are there.
fn count(bytes: Bytes, in_flight: Option<InFlight>) -> Bytes {
    let Some(mut in_flight) = in_flight else { return bytes };
    in_flight.become_size(bytes.len() as u64);
    in_flight.with(bytes)
}

/// Adds the lines that tell of what is answered, be it to a request or to a member of a batch.
pub(crate) fn stamp(
    lines: &mut HeaderMap,
    version: ODataVersion,
    etag: Option<ETag>,
    applied: AppliedPreferences,
) {
    match version {
        ODataVersion::V4 => ODATA_VERSION.add_to(lines),
        ODataVersion::V401 => ODATA_VERSION_401.add_to(lines),
    }
    if etag.is_some() {
        KEPT.add_to(lines);
    } else {
        NOT_KEPT.add_to(lines);
    }
    if let Some(etag) = etag {
        lines.insert(ETAG, etag.header());
    }
    applied.stamp(lines);
}

/// The layers that can refuse a request, and behind them what answers it.
///
/// # Errors
/// Those of the layers, and of the answer.
pub async fn admit<A: Application>(
    app: &Rc<A>,
    mut arrival: Arrival,
    trace: &mut Trace,
) -> Result<Response, Problem> {
    let worker = app.worker();
    // 1. Sizes and method.
    check_sizes(worker, &arrival)?;
    if !METHODS.contains(&arrival.method) {
        return Err(app.refuse_method(arrival.uri.path()));
    }
    if arrival.method == Method::HEAD {
        arrival.method = Method::GET;
    }
    preconditions::check(&arrival.headers)?;
    // 2. Where it leads.
    let (place, path_start, is_public) = match A::lead(arrival.uri.path())? {
        Entry::Resource { place, path_start, is_public } => (place, path_start, is_public),
        Entry::Special(special) => {
            return Box::pin(app.answer_special(special, arrival, trace)).await;
        }
    };
    // 3. Who asks, and whether it isn't too often.
    let began = Instant::now();
    let caller = match &arrival.member_of {
        _ if is_public => None,
        Some(caller) => Some(Arc::clone(caller)),
        None => Some(auth::authenticate(worker, &arrival.headers).await?),
    };
    if let (Some(throttle), Some(caller)) = (&worker.shared.throttle, &caller) {
        let path = &arrival.uri.path()[path_start..];
        let of = A::subject(&arrival.method, path, arrival.uri.query());
        let charge = Charge { tenant: &caller.tenant, application: &caller.app_id, of };
        throttle.admit(&charge, began).map_err(Problem::throttled)?;
    }
    if caller.is_some() {
        arrival.activity.token_shown();
    }
    trace.timings.stage("auth", began.elapsed());
    // 4. In which form.
    let preferences = Preferences::read(&arrival.headers, arrival.uri.query())?;
    // 5. What is asked for.
    let reader = Reader { caller: caller.clone(), peer: Arc::clone(arrival.activity.peer()) };
    let mut request = Request::new(worker, arrival, place, path_start, caller, preferences);
    request.timings = trace.timings;
    let outcome = app.answer(&mut request).await;
    *trace = Trace { route: request.route, timings: request.timings };
    // 6. Whether the client has it already.
    let response = outcome?;
    if request.method == Method::GET && response.status == StatusCode::OK {
        preconditions::check_match(&request.headers, response.etag)?;
    }
    if let Some(etag) = response.etag
        && request.method == Method::GET
        && response.status == StatusCode::OK
        && request.matches_none(&etag)
    {
        return Ok(Response::not_modified(etag).applied(response.applied));
    }
    // 7. Whether there is room for it on its way. What was carried out is answered in any case.
    if response.in_flight.is_some() || response.bytes() == 0 {
        return Ok(response);
    }
    let (answer_budget, bytes) = (&worker.shared.answer_budget, response.bytes());
    let in_flight = if request.method == Method::GET {
        answer_budget.take(bytes, &reader)?
    } else {
        answer_budget.take_anyway(bytes, &reader)
    };
    Ok(response.counted(in_flight))
}

fn check_sizes(worker: &Worker, arrival: &Arrival) -> Result<(), Problem> {
    let limits = &worker.limits;
    let url = arrival.uri.path().len() + arrival.uri.query().map_or(0, |query| query.len() + 1);
    if url > limits.url {
        return Err(Problem::uri_too_long(limits.url));
    }
    // Each line also has a colon, a space and a line end.
    let lines = arrival.headers.iter();
    let headers: usize =
        lines.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    if headers > limits.headers {
        return Err(Problem::headers_too_large(limits.headers));
    }
    Ok(())
}

/// Polls a future so that its panic is its outcome. Nothing that it touched is used again but the
/// worker's cells, which are whole between calls.
async fn guard<F>(future: F) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, Problem>>,
{
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Problem::internal(panic_text(&*panic)))))
    })
    .await
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a message"))
}

/// A problem as an answer.
pub fn refusal(problem: &Problem, ids: &RequestIds) -> Response {
    let body = problem.render(ids, unix_seconds());
    let mut response =
        Response::of(ContentType::PlainJson, body).with_status(problem.code().status());
    response.headers = problem.headers().to_vec();
    response
}

/// HEAD tells the length of what GET would send.
fn body_of_bytes(bytes: Bytes, is_head: bool, lines: &mut HeaderMap) -> BodyContent {
    if !is_head {
        return BodyContent::Bytes(bytes);
    }
    lines.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    BodyContent::Empty
}

fn server_timing(timings: &Timings, total: Duration) -> HeaderValue {
    let mut line = Vec::with_capacity(96);
    write_server_timing(timings, total, &mut |bytes| line.extend_from_slice(bytes));
    HeaderValue::from_maybe_shared(Bytes::from(line)).expect("names and digits are visible ASCII")
}

/// `auth;dur=0.002, store;dur=0.011, total;dur=0.020`, in milliseconds. WriteResult by hand, since it
/// is on every answer and formatting costs several times as much.
pub fn write_server_timing(timings: &Timings, total: Duration, write: &mut impl FnMut(&[u8])) {
    for (place, (name, took)) in timings.stages().iter().chain([&("total", total)]).enumerate() {
        if place > 0 {
            write(b", ");
        }
        write(name.as_bytes());
        write(b";dur=");
        let micros = took.as_micros() as u64;
        let (milliseconds, rest) = (micros / 1_000, micros % 1_000);
        write_decimal(milliseconds, write);
        write(&[b'.', digit(rest / 100), digit(rest / 10 % 10), digit(rest % 10)]);
    }
}

fn write_decimal(number: u64, write: &mut impl FnMut(&[u8])) {
    if number >= 10 {
        write_decimal(number / 10, write);
    }
    write(&[digit(number % 10)]);
}

fn digit(number: u64) -> u8 {
    b'0' + number as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timings_are_told_in_milliseconds() {
        let mut timings = Timings::default();
        timings.stage("auth", Duration::from_nanos(2_900));
        timings.stage("store", Duration::from_micros(1_234));
        assert_eq!(
            server_timing(&timings, Duration::from_secs(1)),
            "auth;dur=0.002, store;dur=1.234, total;dur=1000.000"
        );
    }

    #[tokio::test]
    async fn a_panic_is_a_500_whose_text_the_client_does_not_see() {
        let problem = guard(async { panic!("at {}", "the disco") }).await.unwrap_err();
        assert_eq!(problem.code().status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!problem.to_string().contains("disco"));
        assert!(format!("{problem:?}").contains("disco"));
    }
}
