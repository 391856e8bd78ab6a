//! Lines that come in and are answered by a line each.
//!
//! The body is cut as it comes; at most [`BATCHES_IN_FLIGHT`] batches of lines are under way, so
//! whoever is slow behind them slows the sender down and memory stays bounded.

mod answers;
mod backlog;
pub(crate) mod items;

use std::borrow::Cow;
use std::rc::Rc;

use ingest::{Line, LineSplitter};
use odata::json::push_member;
use tokio::sync::mpsc;
use web::answer_budget::Reader;
use web::body::{self, Reservation};
use web::response::ContentType;
use web::{Problem, Response, stream};

use crate::request::Request;
use crate::worker::Worker;
pub(crate) use answers::{Answer, Answers, Rejections};
use backlog::Backlog;

/// What bodies of lines, and of one JSON object in their place, may be called; the object first.
const MEDIA_TYPES: &[&str] =
    &["application/json", "application/x-ndjson", "application/ndjson", "application/jsonl"];

/// Batches between the socket and the answer.
const BATCHES_IN_FLIGHT: usize = 2;
/// Bytes of a chunk that are cut into lines at once.
const BYTES_AT_ONCE: usize = 64 * 1024;
/// Bytes of a message, or of a pointer, that an answer repeats: they can hold a name that came in.
const LONGEST_MESSAGE: usize = 1_024;

/// Batches of lines, or why no more come.
pub(crate) type Batches = mpsc::Receiver<Result<Batch, Problem>>;

/// Most bytes of what comes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeLimits {
    /// Of a line.
    pub(crate) line: usize,
    /// Of a body that is one object.
    pub(crate) object: usize,
}

impl SizeLimits {
    /// Where lines are rows or events.
    pub(crate) const OF_ROWS: Self = Self { line: 1 << 20, object: 64 << 20 };
}

/// What comes in, and where its answers go.
pub(crate) struct LineExchange {
    pub(crate) batches: Batches,
    pub(crate) answers: Answers,
    /// What the client is answered; its body is made of the answers.
    pub(crate) response: Response,
}

/// Opens the body of a request: lines, which are answered by lines, or the object that `$metadata`
/// declares, with the lines in the member of that name, or that list alone, which are answered by a collection
/// of that type.
/// `misplaced` says of the context of such an object why its items can't be taken.
pub(crate) async fn open(
    worker: &Rc<Worker>,
    request: &mut Request,
    (member, result): (&'static str, &str),
    misplaced: fn(&str) -> Option<String>,
    largest: SizeLimits,
    reader: Reader,
) -> Result<LineExchange, Problem> {
    let rejections = Rejections::new(worker.web.limits.rejections);
    if body::content_type(&request.headers, MEDIA_TYPES)? != 0 {
        let batches = batches(worker, request.take_body(), largest.line);
        let (sender, stream) = stream::stream();
        let backlog = Backlog::before(sender, worker.web.shared.answer_budget.clone(), reader);
        let answers = Answers::lines(backlog, rejections);
        let response = Response::stream(ContentType::Ndjson, stream);
        return Ok(LineExchange { batches, answers, response });
    }
    let format = request.preferences.json()?;
    let mut memory = worker.web.shared.budget.reserve(0)?;
    let bytes = request.take_body().read(largest.object, Some(&mut memory)).await?;
    let batches = items::batches(bytes, member, misplaced, memory).await?;
    let (sender, stream) = stream::stream();
    let context = [&**worker.urls().context(request.place.version), result];
    let backlog = Backlog::before(sender, worker.web.shared.answer_budget.clone(), reader);
    let answers = Answers::collection(backlog, rejections, &context);
    let response = Response::stream(ContentType::Json(format), stream);
    Ok(LineExchange { batches, answers, response })
}

/// Cuts a body into lines of at most `largest` bytes, in a task of its own.
fn batches(worker: &Rc<Worker>, body: body::Body, largest: usize) -> Batches {
    let (queue, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move { read_lines(&worker, body, largest, &queue).await });
    batches
}

/// Lines that are worked on together.
pub(crate) struct Batch {
    pub(crate) lines: Vec<Line>,
    /// Given back when the batch is done.
    _memory: Option<Reservation>,
}

impl Batch {
    /// Lines of a body that was read whole.
    pub(crate) fn of(lines: Vec<Line>) -> Self {
        Self { lines, _memory: None }
    }
}

/// Cuts the body into batches of lines. Ends silently when nobody takes them any more.
async fn read_lines(
    worker: &Rc<Worker>,
    mut body: body::Body,
    largest: usize,
    queue: &mpsc::Sender<Result<Batch, Problem>>,
) {
    let mut splitter = LineSplitter::new(largest);
    loop {
        let chunk = match body.chunk().await {
            Ok(chunk) => chunk,
            Err(problem) => {
                // Lines that have come whole are taken in.
                while let Some(lines) = splitter.take_batch(true) {
                    let memory = reserve(worker, &lines).await;
                    if queue.send(Ok(Batch { lines, _memory: Some(memory) })).await.is_err() {
                        return;
                    }
                }
                let _ = queue.send(Err(problem)).await;
                return;
            }
        };
        let is_last = chunk.is_none();
        let mut rest = chunk.unwrap_or_default();
        loop {
            // A chunk can hold millions of lines, each of which takes more here than there.
            let piece = rest.split_to(rest.len().min(BYTES_AT_ONCE));
            let is_end = is_last && rest.is_empty();
            splitter.push(&piece, is_end);
            while let Some(lines) = splitter.take_batch(is_end) {
                let memory = reserve(worker, &lines).await;
                if queue.send(Ok(Batch { lines, _memory: Some(memory) })).await.is_err() {
                    return;
                }
            }
            if rest.is_empty() {
                break;
            }
        }
        if is_last {
            return;
        }
    }
}

/// Waits for memory, and the sender with us: back-pressure rather than refusal.
async fn reserve(worker: &Worker, lines: &[Line]) -> Reservation {
    let bytes = lines.iter().map(|line| line.bytes() + size_of::<Line>()).sum::<usize>() as u64;
    loop {
        match worker.web.shared.budget.reserve(bytes) {
            Ok(memory) => return memory,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

/// Why a line was rejected.
pub(crate) struct Rejection {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// JSON Pointer; empty when no place in the line is at fault.
    pub(crate) target: String,
}

impl Rejection {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), target: String::new() }
    }

    /// Ends the result of a line that has a member already.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        push_string(out, "status", "rejected");
        out.extend_from_slice(b",\"error\":{");
        push_member(out, "code", self.code);
        push_string(out, "message", &shortened(&self.message));
        if !self.target.is_empty() {
            push_string(out, "target", &shortened(&self.target));
        }
        out.push(b'}');
    }
}

/// What bytes that are no UTF-8 are, as a message says it.
pub(crate) fn not_utf8(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x1F, 0x8B, ..] => "is gzip: say so with Content-Encoding: gzip",
        [b'P', b'K', 3, 4, ..] => "is a ZIP archive: send the files in it",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "is UTF-16: convert it to UTF-8",
        _ => "is not UTF-8 text",
    }
}

fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_MESSAGE {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(LONGEST_MESSAGE)]))
}

/// Adds a member with text to an object that has one already.
fn push_string(out: &mut Vec<u8>, name: &str, text: &str) {
    out.push(b',');
    push_member(out, name, text);
}
