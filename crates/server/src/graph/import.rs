//! Many records come in: the bound action `callvault.import`.
//!
//! NDJSON is read as it comes, checked and shredded by the batch on other threads, and written in
//! groups; after each commit goes out a line for every line of the batch. A line once answered with
//! a status other than `rejected` is durable.

use std::rc::Rc;
use std::sync::Arc;

use model::{ShreddedRecord, TenantId};
use store::{Outcome, Pending, Store, WriteResult};

use super::ask::tenant;
use super::ndjson::{
    self, Answer, Answers, Batch, Batches, Coming, Largest, LineText, Rejection, Rejections,
    push_string,
};
use super::write::{LARGEST_RECORD, conflict_message, outcome_name};
use crate::auth::role;
use crate::outflow::Reader;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::worker::Worker;

const LARGEST: Largest = Largest { line: LARGEST_RECORD, object: LARGEST_RECORD };

/// `POST callRecords/callvault.import`
pub(super) async fn run(worker: &Rc<Worker>, request: &mut Request) -> Result<Response, Problem> {
    let caller = request.require(&[role::WRITE])?;
    let tenant = tenant(&caller)?;
    let result = "Collection(callvault.importResult)";
    let reader = Reader { caller: Some(caller), peer: Arc::clone(request.peer()) };
    let coming = ndjson::open(worker, request, ("records", result), LARGEST, reader).await?;
    let Coming { batches, answers, response } = coming;
    let writing = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        answer_lines(&writing, tenant, batches, answers).await;
    });
    Ok(response)
}

/// What became of a line.
struct LineResult {
    number: u64,
    /// The record's id and version, if the line was read.
    record: Option<(String, i64)>,
    result: Result<WriteResult, Rejection>,
}

/// Shreds and writes batch by batch; the next one is shredded while the last one is written.
async fn answer_lines(
    worker: &Rc<Worker>,
    tenant: TenantId,
    mut batches: Batches,
    mut answers: Answers,
) {
    let mut in_writing: Option<Writing> = None;
    let mut rejections = answers.rejections();
    while let Some(batch) = batches.recv().await {
        let Ok(batch) = batch else {
            // The body broke off. What was taken in is answered; then the answer breaks off too.
            if let Some(writing) = in_writing {
                let _ = answers.put(writing.finish(worker).await).await;
            }
            return;
        };
        let store = worker.store.clone();
        let work = move || shred_batch(&store, batch, rejections);
        let Ok(shredded) = tokio::task::spawn_blocking(work).await else { return };
        let is_cut = shredded.is_cut;
        rejections = shredded.rejections;
        let writing = Writing::begin(&worker.store, &tenant, shredded);
        if let Some(before) = in_writing.replace(writing)
            && answers.put(before.finish(worker).await).await.is_break()
        {
            return;
        }
        let are_enough = rejections.are_enough() || answers.are_enough();
        // Nothing more to read at the moment: don't keep the sender waiting for its lines.
        if (batches.is_empty() || are_enough)
            && let Some(writing) = in_writing.take()
            && answers.put(writing.finish(worker).await).await.is_break()
        {
            return;
        }
        if are_enough || answers.are_enough() {
            return answers.give_up(is_cut, batches).await;
        }
    }
    if let Some(writing) = in_writing {
        let _ = answers.put(writing.finish(worker).await).await;
    }
    answers.finish().await;
}

/// A batch whose lines were checked.
struct ShreddedBatch {
    lines: Vec<(u64, Result<ShreddedRecord, Rejection>)>,
    /// Too many lines in a row were rejected, and the last of them are missing.
    is_cut: bool,
    rejections: Rejections,
    batch: Batch,
}

fn shred_batch(store: &Store, batch: Batch, mut rejections: Rejections) -> ShreddedBatch {
    let mut codec = store.codec();
    let mut lines = Vec::with_capacity(batch.lines.len());
    for line in &batch.lines {
        let result = match &line.text {
            LineText::TooLong => {
                Err(Rejection::new("requestTooLarge", "a record has at most 128 MiB"))
            }
            LineText::Bytes(bytes) => std::str::from_utf8(bytes)
                .map_err(|_| Rejection::new("BadRequest", "the line is not UTF-8 text"))
                .and_then(|text| model::shred(text, &mut codec).map_err(invalid)),
        };
        let flow = rejections.note(result.is_err());
        lines.push((line.number, result));
        if flow.is_break() {
            break;
        }
    }
    ShreddedBatch { is_cut: lines.len() < batch.lines.len(), lines, rejections, batch }
}

fn invalid(error: model::Error) -> Rejection {
    let target = error.pointer().to_owned();
    Rejection { target, ..Rejection::new("BadRequest", error.to_string()) }
}

/// A batch that the store is writing.
struct Writing {
    lines: Vec<(u64, Option<Rejection>)>,
    pending: Pending<Vec<WriteResult>>,
    _batch: Batch,
}

impl Writing {
    fn begin(store: &Store, tenant: &TenantId, shredded: ShreddedBatch) -> Self {
        let ShreddedBatch { lines: checked, batch, .. } = shredded;
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

    async fn finish(self, worker: &Rc<Worker>) -> Vec<Answer> {
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
            print(&LineResult { number, record, result })
        });
        lines.collect()
    }
}

fn print(result: &LineResult) -> Answer {
    let mut out = format!("{{\"line\":{}", result.number).into_bytes();
    if let Some((id, version)) = &result.record {
        push_string(&mut out, "id", id);
        out.extend_from_slice(format!(",\"version\":{version}").as_bytes());
    }
    match &result.result {
        Ok(written) => {
            push_string(&mut out, "status", outcome_name(&written.outcome));
            let incomplete = model::flags::incomplete(written.flags);
            if !incomplete.is_empty() {
                let names = incomplete.join("\",\"");
                out.extend_from_slice(format!(",\"incomplete\":[\"{names}\"]").as_bytes());
            }
        }
        Err(rejection) => rejection.push(&mut out),
    }
    out.push(b'}');
    Answer { number: result.number, is_rejected: result.result.is_err(), text: out }
}
