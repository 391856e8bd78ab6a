//! The layers of a server that misbehaves on demand: around all others, and only there when an
//! emulator was given at the start.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use emulator::{Emulator, Refusal};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
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
    let outcome = match fault.status {
        Some(refused) => Ok(refused_with(&refused, ids)),
        None => admit(app, arrival, trace).await,
    };
    tell(emulator, number, &outcome);
    match fault.truncate {
        Some(at) => outcome.map(|response| cut(response, at)),
        None => outcome,
    }
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
    let wait = refused.retry_after.map(u64::from);
    let problem = match refused.status {
        404 => record::not_found(),
        429 => return refusal(&Problem::throttled(Duration::from_secs(wait.unwrap_or(1))), ids),
        500 => Problem::internal("a rule of the emulator"),
        503 => {
            Problem::unavailable("a rule of the emulator", Duration::from_secs(wait.unwrap_or(1)))
        }
        _ => Problem::bad_request("").named(UNKNOWN),
    };
    let mut response = refusal(&problem, ids);
    response.headers.retain(|(name, _)| *name != RETRY_AFTER);
    if let Some(wait) = wait {
        response.headers.push((RETRY_AFTER, HeaderValue::from(wait)));
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
