//! Events of calls come in: the bound action `callvault.callEvents`.
//!
//! As with the import of records, an event once answered with `accepted` is durable.

use std::rc::Rc;

use bytes::Bytes;
use calls::{Event, EventError};
use http::Method;
use model::TenantId;
use store::{CallEventRow, KeptEvent, Store};

use super::ask::tenant;
use super::ndjson::{self, Backlog, Batch, Batches, Line, LineText, Rejection, push_string};
use crate::auth::role;
use crate::body;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::{ContentType, Response};
use crate::router::Route;
use crate::worker::Worker;

/// Most bytes of an event.
const LARGEST_EVENT: usize = 1 << 20;
/// Most bytes of a body that is not cut into lines.
const LARGEST_COLLECTION: usize = 64 << 20;

/// `POST communications/callvault.callEvents`
pub(super) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
) -> Result<Response, Problem> {
    request.route = Route::CallEvents;
    if request.method != Method::POST {
        return Err(Problem::method_not_allowed("POST"));
    }
    let caller = request.require(&[role::WRITE])?;
    let tenant = tenant(&caller)?;
    if body::content_type(&request.headers, ndjson::MEDIA_TYPES)? == 0 {
        return keep_collection(worker, request, &tenant).await;
    }
    let batches = ndjson::batches(worker, request.take_body(), LARGEST_EVENT);
    let (sender, stream) = body::stream();
    let store = worker.store.clone();
    tokio::task::spawn_local(async move {
        answer_lines(&store, &tenant, batches, Backlog::before(sender)).await;
    });
    Ok(Response::stream(ContentType::Ndjson, stream))
}

async fn answer_lines(store: &Store, tenant: &TenantId, mut batches: Batches, answers: Backlog) {
    while let Some(batch) = batches.recv().await {
        // A body that broke off: so does the answer, behind what was taken in.
        let Ok(batch) = batch else { return };
        let Ok(lines) = keep(store, tenant, batch).await else { return };
        if !answers.put(lines.concat().into()).await {
            return;
        }
    }
    answers.finish();
}

/// The form that `$metadata` declares: `{"events":[…]}` in, a collection of results out.
async fn keep_collection(
    worker: &Rc<Worker>,
    request: &mut Request,
    tenant: &TenantId,
) -> Result<Response, Problem> {
    let format = request.preferences.json()?;
    let mut memory = worker.budget.reserve(0)?;
    let bytes = request.take_body().read(LARGEST_COLLECTION, Some(&mut memory)).await?;
    let mut lines = ndjson::split_items(&bytes, "events")?.into_iter().peekable();
    let metadata = worker.urls.context(request.version);
    let context = "Collection(callvault.callEventResult)";
    let mut results = Vec::new();
    while lines.peek().is_some() {
        let batch = Batch::of(lines.by_ref().take(ndjson::LINES_PER_BATCH).collect());
        let kept = keep(&worker.store, tenant, batch).await?;
        results.extend(kept.into_iter().map(|line| line.trim_ascii_end().to_vec()));
    }
    let mut out = format!("{{\"@odata.context\":\"{metadata}{context}\",\"value\":[").into_bytes();
    out.extend_from_slice(&results.join(&b','));
    out.extend_from_slice(b"]}");
    Ok(Response::json(format, out))
}

/// An event that came in, or why it can't be kept, with the number of its line.
struct Checked {
    number: u64,
    id: Option<String>,
    result: Result<CallEventRow, Rejection>,
}

/// Checks and keeps events, and answers each with a line.
async fn keep(store: &Store, tenant: &TenantId, batch: Batch) -> Result<Vec<Vec<u8>>, Problem> {
    let check = move || batch.lines.iter().map(check).collect::<Vec<_>>();
    let checked = tokio::task::spawn_blocking(check).await.map_err(Problem::internal)?;
    let events = checked.iter().filter_map(|line| line.result.as_ref().ok().cloned()).collect();
    let kept = store.keep_call_events(tenant, events).await;
    if let Err(cause) = &kept {
        tracing::error!(%cause, "events of calls could not be kept");
    }
    let mut kept = kept.unwrap_or_default().into_iter();
    Ok(checked.into_iter().map(|line| print(line, &mut kept)).collect())
}

fn check(line: &Line) -> Checked {
    let number = line.number;
    let rejected = |rejection| Checked { number, id: None, result: Err(rejection) };
    let bytes: &Bytes = match &line.text {
        LineText::Bytes(bytes) => bytes,
        LineText::TooLong => {
            return rejected(Rejection::new("requestTooLarge", "an event has at most 1 MiB"));
        }
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return rejected(Rejection::new("BadRequest", "the line is not UTF-8 text"));
    };
    match Event::check(text) {
        Ok((event, row)) => Checked { number, id: Some(event.id), result: Ok(row) },
        Err(EventError { pointer: target, message, id }) => {
            let rejection = Rejection { target, ..Rejection::new("BadRequest", message) };
            Checked { number, id, result: Err(rejection) }
        }
    }
}

/// The answer to an event. `kept` has what became of those that could be kept.
fn print(line: Checked, kept: &mut impl Iterator<Item = KeptEvent>) -> Vec<u8> {
    let conflict = |target: &str, message: String| {
        let target = target.to_owned();
        Err(Rejection { target, ..Rejection::new("Conflict", message) })
    };
    let status = match line.result {
        Err(rejection) => Err(rejection),
        Ok(_) => match kept.next() {
            Some(KeptEvent::New) => Ok("accepted"),
            Some(KeptEvent::Known) => Ok("duplicate"),
            Some(KeptEvent::Conflict) => {
                conflict("/eventId", "another event of this id was kept before".to_owned())
            }
            Some(KeptEvent::OtherChain(chain)) => {
                conflict("/callChainId", format!("the call belongs to the chain '{chain}'"))
            }
            None => {
                let message = "the store could not keep the event; send it again";
                Err(Rejection::new("serviceNotAvailable", message))
            }
        },
    };
    let mut out = format!("{{\"line\":{}", line.number).into_bytes();
    if let Some(id) = &line.id {
        push_string(&mut out, "eventId", id);
    }
    match status {
        Ok(status) => push_string(&mut out, "status", status),
        Err(rejection) => rejection.push(&mut out),
    }
    out.extend_from_slice(b"}\n");
    out
}
