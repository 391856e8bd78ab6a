//! Many records come in: the bound action `callvault.import`.
//!
//! NDJSON is read as it comes, checked and shredded by the batch on other threads, and written in
//! groups; after each commit goes out a line for every line of the batch. At most
//! [`BATCHES_IN_FLIGHT`] batches are under way, so a slow disk slows the sender down and memory
//! stays bounded. A line once answered with a status other than `rejected` is durable.

mod backlog;

use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use model::{Shredded, TenantId};
use odata::json::{Scanner, push_text};
use store::{Outcome, Pending, Store, Written};
use tokio::sync::mpsc;

use backlog::Backlog;

use super::ask::tenant;
use super::write::{LARGEST_RECORD, conflict_message, outcome_name};
use crate::auth::role;
use crate::body::{self, Reservation};
use crate::problem::Problem;
use crate::request::Request;
use crate::response::{ContentType, Response};
use crate::worker::Worker;

/// Batches between the socket and the answer.
const BATCHES_IN_FLIGHT: usize = 2;
/// Lines in a batch at most.
const LINES_PER_BATCH: usize = 256;
/// Bytes in a batch at most, unless one line has more.
const BYTES_PER_BATCH: usize = 4 * 1024 * 1024;

const NDJSON: &[&str] =
    &["application/json", "application/x-ndjson", "application/ndjson", "application/jsonl"];

/// `POST callRecords/callvault.import`
pub(super) async fn run(worker: &Rc<Worker>, request: &mut Request) -> Result<Response, Problem> {
    let caller = request.require(&[role::WRITE])?;
    let tenant = tenant(&caller)?;
    let is_json = body::content_type(&request.headers, NDJSON)? == 0;
    if is_json {
        return import_collection(worker, request, tenant).await;
    }
    let body = request.take_body();
    let (sender, stream) = body::stream();
    let (queue, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
    let reading = Rc::clone(worker);
    tokio::task::spawn_local(async move { read_lines(&reading, body, &queue).await });
    let writing = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        answer_lines(&writing, tenant, batches, Backlog::before(sender)).await;
    });
    Ok(Response::stream(ContentType::Ndjson, stream))
}

/// A line of the import, by its number from 1.
struct Line {
    number: u64,
    text: LineText,
}

enum LineText {
    Bytes(Bytes),
    TooLong,
}

struct Batch {
    lines: Vec<Line>,
    /// Given back when the batch is done.
    _memory: Option<Reservation>,
}

/// What became of a line.
struct LineResult {
    number: u64,
    result: Result<Written, Rejection>,
}

struct Rejection {
    code: &'static str,
    message: String,
    target: String,
    id: Option<String>,
    version: Option<i64>,
}

/// Cuts the body into batches of lines. Ends silently when nobody takes them any more.
async fn read_lines(
    worker: &Rc<Worker>,
    mut body: body::Body,
    queue: &mpsc::Sender<Result<Batch, Problem>>,
) {
    let mut splitter = LineSplitter::default();
    loop {
        let chunk = match body.chunk().await {
            Ok(chunk) => chunk,
            Err(problem) => {
                let _ = queue.send(Err(problem)).await;
                return;
            }
        };
        let is_last = chunk.is_none();
        splitter.push(chunk.as_deref().unwrap_or_default(), is_last);
        while let Some(lines) = splitter.take_batch(is_last) {
            let bytes = lines.iter().map(Line::len).sum::<usize>() as u64;
            let memory = loop {
                match worker.budget.reserve(bytes) {
                    Ok(memory) => break memory,
                    // The sender waits with us: back-pressure rather than refusal.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                }
            };
            if queue.send(Ok(Batch { lines, _memory: Some(memory) })).await.is_err() {
                return;
            }
        }
        if is_last {
            return;
        }
    }
}

impl Line {
    fn len(&self) -> usize {
        match &self.text {
            LineText::Bytes(bytes) => bytes.len(),
            LineText::TooLong => 0,
        }
    }
}

/// Lines out of chunks.
#[derive(Default)]
struct LineSplitter {
    rest: BytesMut,
    searched: usize,
    number: u64,
    is_skipping: bool,
    ready: Vec<Line>,
    ready_bytes: usize,
}

impl LineSplitter {
    fn push(&mut self, chunk: &[u8], is_last: bool) {
        self.rest.extend_from_slice(chunk);
        while let Some(at) = self.rest[self.searched..].iter().position(|byte| *byte == b'\n') {
            let line = self.rest.split_to(self.searched + at + 1);
            self.searched = 0;
            self.line(line.freeze());
        }
        self.searched = self.rest.len();
        if self.rest.len() > LARGEST_RECORD {
            self.rest.clear();
            self.searched = 0;
            self.is_skipping = true;
        }
        if is_last && (!self.rest.is_empty() || self.is_skipping) {
            let line = self.rest.split().freeze();
            self.searched = 0;
            self.line(line);
        }
    }

    fn line(&mut self, bytes: Bytes) {
        self.number += 1;
        let number = self.number;
        if std::mem::take(&mut self.is_skipping) || bytes.len() > LARGEST_RECORD {
            self.ready.push(Line { number, text: LineText::TooLong });
        } else if !bytes.trim_ascii().is_empty() {
            self.ready_bytes += bytes.len();
            self.ready.push(Line { number, text: LineText::Bytes(bytes) });
        }
    }

    /// A full batch, or at the end what is left.
    fn take_batch(&mut self, is_last: bool) -> Option<Vec<Line>> {
        let is_full = self.ready.len() >= LINES_PER_BATCH || self.ready_bytes >= BYTES_PER_BATCH;
        if self.ready.is_empty() || !(is_full || is_last) {
            return None;
        }
        let mut bytes = 0;
        let fitting = self
            .ready
            .iter()
            .take(LINES_PER_BATCH)
            .take_while(|line| {
                bytes += line.len();
                bytes <= BYTES_PER_BATCH
            })
            .count()
            .max(1);
        let batch: Vec<Line> = self.ready.drain(..fitting).collect();
        self.ready_bytes -= batch.iter().map(Line::len).sum::<usize>();
        Some(batch)
    }
}

/// Shreds and writes batch by batch; the next one is shredded while the last one is written.
async fn answer_lines(
    worker: &Rc<Worker>,
    tenant: TenantId,
    mut batches: mpsc::Receiver<Result<Batch, Problem>>,
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
                .and_then(|text| model::shred(text, &mut codec).map_err(Rejection::invalid)),
        };
        (line.number, result)
    });
    (checked.collect(), batch)
}

impl Rejection {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), target: String::new(), id: None, version: None }
    }

    fn invalid(error: model::Error) -> Self {
        let target = error.pointer().to_owned();
        Self { target, ..Self::new("BadRequest", error.to_string()) }
    }
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
            let result = result.and_then(|written| match &written.outcome {
                Outcome::Conflict { pointer } => Err(Rejection {
                    target: pointer.clone(),
                    id: Some(written.id.clone()),
                    version: Some(written.version),
                    ..Rejection::new("Conflict", conflict_message(&written))
                }),
                _ => Ok(written),
            });
            let name = result.as_ref().map_or("rejected", |written| outcome_name(&written.outcome));
            worker.metrics.record(name);
            LineResult { number, result }
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
    match &result.result {
        Ok(written) => {
            push_string(out, "id", &written.id);
            out.extend_from_slice(format!(",\"version\":{}", written.version).as_bytes());
            push_string(out, "status", outcome_name(&written.outcome));
            let incomplete = model::flags::incomplete(written.flags);
            if !incomplete.is_empty() {
                let names = incomplete.join("\",\"");
                out.extend_from_slice(format!(",\"incomplete\":[\"{names}\"]").as_bytes());
            }
        }
        Err(rejection) => {
            if let Some(id) = &rejection.id {
                push_string(out, "id", id);
            }
            if let Some(version) = rejection.version {
                out.extend_from_slice(format!(",\"version\":{version}").as_bytes());
            }
            push_string(out, "status", "rejected");
            out.extend_from_slice(b",\"error\":{\"code\":\"");
            out.extend_from_slice(rejection.code.as_bytes());
            out.push(b'"');
            push_string(out, "message", &rejection.message);
            if !rejection.target.is_empty() {
                push_string(out, "target", &rejection.target);
            }
            out.push(b'}');
        }
    }
    out.push(b'}');
}

fn push_string(out: &mut Vec<u8>, name: &str, text: &str) {
    out.extend_from_slice(format!(",\"{name}\":\"").as_bytes());
    push_text(out, text);
    out.push(b'"');
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
    let lines = split_records(&bytes)?;
    let mut out = Vec::new();
    let context = "Collection(callvault.importResult)";
    let metadata = worker.urls.context(request.version);
    out.extend_from_slice(
        format!("{{\"@odata.context\":\"{metadata}{context}\",\"value\":[").as_bytes(),
    );
    let mut is_first = true;
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        let batch = Batch { lines: lines.by_ref().take(LINES_PER_BATCH).collect(), _memory: None };
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

/// The texts of the records of `{"records":[…]}`, numbered from 1.
fn split_records(bytes: &Bytes) -> Result<Vec<Line>, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
    let mut lines = Vec::new();
    let mut scan = || -> Result<(), odata::json::Error> {
        let mut scanner = Scanner::new(text);
        scanner.enter_object()?;
        let mut is_first = true;
        while let Some(name) = scanner.next_member(is_first)? {
            is_first = false;
            if !name.is("records") || !lines.is_empty() {
                return Err(scanner.error("expected one member, 'records'"));
            }
            scanner.enter_array()?;
            while scanner.next_item(lines.is_empty())? {
                let start = scanner.offset();
                scanner.value()?;
                let record = bytes.slice(start..scanner.offset());
                lines.push(Line { number: lines.len() as u64 + 1, text: LineText::Bytes(record) });
            }
        }
        scanner.end()
    };
    scan().map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(lines)
}
