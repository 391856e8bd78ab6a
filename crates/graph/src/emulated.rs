//! The layers of a server that misbehaves on demand: around all others, and only there when an
//! emulator was given at the start.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use emulator::{AnswerChange, Emulator, Refusal};
use http::StatusCode;
use http::header::{DATE, HeaderValue, RETRY_AFTER};
use odata::primitive::DateTimeOffset;
use store::clock;
use web::layers::{admit, refusal};
use web::request_id::RequestIds;
use web::response::Content;
use web::{Application, Arrival, Problem, Response, Trace, auth, stream};

use crate::emulation;
use crate::record;
use crate::version::ApiVersion;

/// The name of errors of which Graph's gateway knows no more.
const UNKNOWN: &str = "UnknownError";

/// Has a request pass the layers as [`admit`] does, with faults on the way in and out.
pub(crate) async fn admit_emulated<A: Application>(
    app: &Rc<A>,
    emulator: &Arc<Emulator>,
    arrival: Arrival,
    trace: &mut Trace,
    ids: &RequestIds,
) -> Result<Response, Problem> {
    let worker = app.worker();
    if arrival.member_of.is_none() && arrival.uri.path().starts_with(emulation::PREFIX) {
        return Box::pin(emulation::answer(worker, emulator, arrival)).await;
    }
    let path = arrival.uri.path();
    let (version, below) = match path[1.min(path.len())..].split_once('/') {
        Some((version, _)) => (version, &path[1 + version.len()..]),
        None => return admit(app, arrival, trace).await,
    };
    if ApiVersion::of_segment(version).is_none() {
        return admit(app, arrival, trace).await;
    }
    let caller = match &arrival.member_of {
        Some(caller) => Some(Arc::clone(caller)),
        None => auth::authenticate(worker, &arrival.headers).await.ok(),
    };
    let asked = format!("{}{}", worker.shared.public_url, arrival.uri);
    let (number, fault) = emulator.arrive(&emulator::Request {
        at: clock::system(),
        method: arrival.method.as_str(),
        path: below,
        query: arrival.uri.query(),
        version,
        application: caller.as_ref().map(|caller| caller.app_id.as_str()),
    });
    if !fault.latency.is_zero() {
        tokio::time::sleep(fault.latency).await;
    }
    let outcome = match &fault.status {
        Some(refused) => Ok(refused_with(refused, ids)),
        None => admit(app, arrival, trace).await,
    };
    let outcome = match &fault.change {
        Some(change) => outcome.map(|response| changed(response, change, &asked)),
        None => outcome,
    };
    tell(emulator, number, &outcome);
    let outcome = outcome.map(dated);
    match fault.truncate {
        Some(at) => outcome.map(|response| cut(response, at)),
        None => outcome,
    }
}

/// An answer with the date that the clock of the store has, which can be moved.
fn dated(mut response: Response) -> Response {
    let seconds = DateTimeOffset(clock::now()).unix_seconds().max(0);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds as u64));
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers.push((DATE, date));
    }
    response
}

/// An answer whose body a rule has changed.
fn changed(response: Response, change: &AnswerChange, asked: &str) -> Response {
    let Response { content: Content::Bytes(content_type, bytes), .. } = &response else {
        return response;
    };
    let body = change.apply(bytes, asked, clock::now());
    let content = Content::Bytes(*content_type, body.into());
    Response { content, etag: None, ..response }
}

fn tell(emulator: &Emulator, number: u64, outcome: &Result<Response, Problem>) {
    let (status, headers) = match outcome {
        Ok(response) => (response.status, &response.headers[..]),
        Err(problem) => (problem.code().status(), problem.headers()),
    };
    let wait = headers.iter().find(|(name, _)| *name == RETRY_AFTER);
    let retry_after = wait.and_then(|(_, value)| value.to_str().ok()?.parse().ok());
    let body: &[u8] = match outcome {
        Ok(Response { content: Content::Bytes(_, bytes), .. }) => bytes,
        _ => &[],
    };
    emulator.answered(
        number,
        &emulator::Answer { at: clock::system(), status: status.as_u16(), retry_after, body },
    );
}

/// What a rule answers in place of the resource, in Graph's words where it has some.
fn refused_with(refused: &Refusal, ids: &RequestIds) -> Response {
    let wait = Duration::from_secs(1);
    let problem = match refused.status {
        404 => record::not_found(),
        429 => Problem::throttled(wait),
        500 => Problem::internal("a rule of the emulator"),
        503 => Problem::unavailable("a rule of the emulator", wait),
        _ => Problem::bad_request("").named(UNKNOWN),
    };
    let mut response = refusal(&problem, ids);
    response.headers.retain(|(name, _)| *name != RETRY_AFTER);
    let wait = refused.retry_after.as_deref();
    if let Some(Ok(wait)) = wait.map(HeaderValue::from_str) {
        response.headers.push((RETRY_AFTER, wait));
    }
    let status = StatusCode::from_u16(refused.status);
    response.with_status(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An answer of which only so many bytes arrive before the connection breaks.
fn cut(response: Response, at: usize) -> Response {
    let Response { content: Content::Bytes(content_type, bytes), .. } = &response else {
        return response;
    };
    if bytes.len() <= at {
        return response;
    }
    let (front, content_type) = (bytes.slice(..at), *content_type);
    let (sender, stream) = stream::stream();
    tokio::task::spawn_local(async move {
        // The front has to be on its way before the end that breaks off.
        let _ = sender.send(front).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    Response { content: Content::Stream(content_type, stream), ..response }
}
