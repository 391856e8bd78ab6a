//! Many records come in: the bound action `callvault.import`.
//!
//! NDJSON is read as it comes, checked and shredded by the batch on other threads, and written in
//! groups; after each commit goes out a line for every line of the batch. A line once answered with
//! a status other than `rejected` is durable.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use model::{Shredded, TenantId};
use store::{Outcome, Pending, Store, Written};

use super::ask::tenant;
use super::ndjson::{self, Backlog, Batch, Batches, LineText, Rejection, push_string};
use super::write::{LARGEST_RECORD, conflict_message, outcome_name};
use crate::auth::role;
use crate::body;
use crate::outflow::Reader;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::{ContentType, Response};
use crate::worker::Worker;

/// `POST callRecords/callvault.import`
pub(super) async fn run(worker: &Rc<Worker>, request: &mut Request) -> Result<Response, Problem> {
    let caller = request.require(&[role::WRITE])?;
    let tenant = tenant(&caller)?;
    let is_json = body::content_type(&request.headers, ndjson::MEDIA_TYPES)? == 0;
    if is_json {
        return import_collection(worker, request, tenant).await;
    }
    let body = request.take_body();
    let (sender, stream) = body::stream();
    let reader = Reader { caller: Some(caller), peer: Arc::clone(request.peer()) };
    let answers = Backlog::before(sender, worker.shared.outflow.clone(), reader);
    let batches = ndjson::batches(worker, body, LARGEST_RECORD);
    let writing = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        answer_lines(&writing, tenant, batches, answers).await;
    });
    Ok(Response::stream(ContentType::Ndjson, stream))
}

/// What became of a line.
struct LineResult {
    number: u64,
    /// The record's id and version, if the line was read.
    record: Option<(String, i64)>,
    result: Result<Written, Rejection>,
}

/// Shreds and writes batch by batch; the next one is shredded while the last one is written.
async fn answer_lines(
    worker: &Rc<Worker>,
    tenant: TenantId,
    mut batches: Batches,
    answers: Backlog,
) {
    let mut in_writing: Option<Writing> = None;
    while let Some(batch) = batches.recv().await {
        let Ok(batch) = batch else {
            // The body broke off. What was taken in is answered; then the answer breaks off too.
            if let Some(writing) = in_writing {
                answers.put(print_lines(&writing.finish(worker).await)).await;
            }
            return;
        };
        let store = worker.store.clone();
        let work = tokio::task::spawn_blocking(move || shred_batch(&store, batch)).await;
        let Ok(shredded) = work else { return };
        let writing = Writing::begin(&worker.store, &tenant, shredded);
        if let Some(before) = in_writing.replace(writing) {
            let lines = print_lines(&before.finish(worker).await);
            if !answers.put(lines).await {
                return;
            }
        }
        // Nothing more to read at the moment: don't keep the sender waiting for its lines.
        if batches.is_empty()
            && let Some(writing) = in_writing.take()
            && !answers.put(print_lines(&writing.finish(worker).await)).await
        {
            return;
        }
    }
    if let Some(writing) = in_writing {
        answers.put(print_lines(&writing.finish(worker).await)).await;
    }
    answers.finish();
}

type Checked = Vec<(u64, Result<Shredded, Rejection>)>;

fn shred_batch(store: &Store, batch: Batch) -> (Checked, Batch) {
    let mut codec = store.codec();
    let checked = batch.lines.iter().map(|line| {
        let result = match &line.text {
            LineText::TooLong => {
                Err(Rejection::new("requestTooLarge", "a record has at most 128 MiB"))
            }
            LineText::Bytes(bytes) => std::str::from_utf8(bytes)
                .map_err(|_| Rejection::new("BadRequest", "the line is not UTF-8 text"))
                .and_then(|text| model::shred(text, &mut codec).map_err(invalid)),
        };
        (line.number, result)
    });
    (checked.collect(), batch)
}

fn invalid(error: model::Error) -> Rejection {
    let target = error.pointer().to_owned();
    Rejection { target, ..Rejection::new("BadRequest", error.to_string()) }
}

/// A batch that the store is writing.
struct Writing {
    lines: Vec<(u64, Option<Rejection>)>,
    pending: Pending<Vec<Written>>,
    _batch: Batch,
}

impl Writing {
    fn begin(store: &Store, tenant: &TenantId, (checked, batch): (Checked, Batch)) -> Self {
        let mut records = Vec::with_capacity(checked.len());
        let mut lines = Vec::with_capacity(checked.len());
        for (number, result) in checked {
            match result {
                Ok(shredded) => {
                    records.push(shredded);
                    lines.push((number, None));
                }
                Err(rejection) => lines.push((number, Some(rejection))),
            }
        }
        Self { lines, pending: store.write(tenant, records), _batch: batch }
    }

    async fn finish(self, worker: &Rc<Worker>) -> Vec<LineResult> {
        let written = self.pending.await;
        let failed = written.as_ref().err().map(ToString::to_string);
        if let Some(cause) = &failed {
            tracing::error!(cause, "an import batch could not be written");
        }
        let mut written = written.unwrap_or_default().into_iter();
        let lines = self.lines.into_iter().map(|(number, rejection)| {
            let result = match rejection {
                Some(rejection) => Err(rejection),
                None => written.next().ok_or_else(|| {
                    Rejection::new(
                        "serviceNotAvailable",
                        "the store could not keep the record; send it again",
                    )
                }),
            };
            let record = result.as_ref().ok().map(|it| (it.id.clone(), it.version));
            let result = result.and_then(|written| match &written.outcome {
                Outcome::Conflict { pointer } => Err(Rejection {
                    target: pointer.clone(),
                    ..Rejection::new("Conflict", conflict_message(&written))
                }),
                _ => Ok(written),
            });
            let name = result.as_ref().map_or("rejected", |written| outcome_name(&written.outcome));
            worker.metrics.record(name);
            LineResult { number, record, result }
        });
        lines.collect()
    }
}

fn print_lines(results: &[LineResult]) -> Bytes {
    let mut out = Vec::with_capacity(results.len() * 96);
    for result in results {
        push_result(&mut out, result);
        out.push(b'\n');
    }
    out.into()
}

fn push_result(out: &mut Vec<u8>, result: &LineResult) {
    out.extend_from_slice(format!("{{\"line\":{}", result.number).as_bytes());
    if let Some((id, version)) = &result.record {
        push_string(out, "id", id);
        out.extend_from_slice(format!(",\"version\":{version}").as_bytes());
    }
    match &result.result {
        Ok(written) => {
            push_string(out, "status", outcome_name(&written.outcome));
            let incomplete = model::flags::incomplete(written.flags);
            if !incomplete.is_empty() {
                let names = incomplete.join("\",\"");
                out.extend_from_slice(format!(",\"incomplete\":[\"{names}\"]").as_bytes());
            }
        }
        Err(rejection) => rejection.push(out),
    }
    out.push(b'}');
}

/// The form that `$metadata` declares: `{"records":[…]}` in, a collection of results out.
async fn import_collection(
    worker: &Rc<Worker>,
    request: &mut Request,
    tenant: TenantId,
) -> Result<Response, Problem> {
    let format = request.preferences.json()?;
    let mut memory = worker.budget.reserve(0)?;
    let bytes = request.take_body().read(LARGEST_RECORD, Some(&mut memory)).await?;
    let lines = ndjson::split_items(&bytes, "records")?;
    let mut out = Vec::new();
    let context = "Collection(callvault.importResult)";
    let metadata = worker.urls.context(request.version);
    out.extend_from_slice(
        format!("{{\"@odata.context\":\"{metadata}{context}\",\"value\":[").as_bytes(),
    );
    let mut is_first = true;
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        let batch = Batch::of(lines.by_ref().take(ndjson::LINES_PER_BATCH).collect());
        let store = worker.store.clone();
        let shredded = tokio::task::spawn_blocking(move || shred_batch(&store, batch))
            .await
            .map_err(Problem::internal)?;
        for result in Writing::begin(&worker.store, &tenant, shredded).finish(worker).await {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            push_result(&mut out, &result);
        }
    }
    out.extend_from_slice(b"]}");
    drop(memory);
    Ok(Response::json(format, out))
}
