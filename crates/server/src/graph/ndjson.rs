//! Lines that come in and are answered by a line each.
//!
//! The body is cut as it comes; at most [`BATCHES_IN_FLIGHT`] batches of lines are under way, so
//! whoever is slow behind them slows the sender down and memory stays bounded.

mod backlog;

use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use odata::json::{Scanner, push_text};
use tokio::sync::mpsc;

use crate::body::{self, Reservation};
use crate::problem::Problem;
use crate::worker::Worker;

pub(super) use backlog::Backlog;

/// What bodies of lines, and of one JSON object in their place, may be called; the object first.
pub(super) const MEDIA_TYPES: &[&str] =
    &["application/json", "application/x-ndjson", "application/ndjson", "application/jsonl"];

/// Batches between the socket and the answer.
const BATCHES_IN_FLIGHT: usize = 2;
/// Lines in a batch at most.
pub(super) const LINES_PER_BATCH: usize = 256;
/// Bytes in a batch at most, unless one line has more.
const BYTES_PER_BATCH: usize = 4 * 1024 * 1024;

/// Batches of lines, or why no more come.
pub(super) type Batches = mpsc::Receiver<Result<Batch, Problem>>;

/// Cuts a body into lines of at most `largest` bytes, in a task of its own.
pub(super) fn batches(worker: &Rc<Worker>, body: body::Body, largest: usize) -> Batches {
    let (queue, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move { read_lines(&worker, body, largest, &queue).await });
    batches
}

/// A line, by its number from 1.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) text: LineText,
}

/// What a line holds.
pub(super) enum LineText {
    Bytes(Bytes),
    TooLong,
}

/// Lines that are worked on together.
pub(super) struct Batch {
    pub(super) lines: Vec<Line>,
    /// Given back when the batch is done.
    _memory: Option<Reservation>,
}

impl Batch {
    /// Lines of a body that was read whole.
    pub(super) fn of(lines: Vec<Line>) -> Self {
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
struct LineSplitter {
    largest: usize,
    rest: BytesMut,
    searched: usize,
    number: u64,
    is_skipping: bool,
    ready: Vec<Line>,
    ready_bytes: usize,
}

impl LineSplitter {
    fn new(largest: usize) -> Self {
        Self {
            largest,
            rest: BytesMut::new(),
            searched: 0,
            number: 0,
            is_skipping: false,
            ready: Vec::new(),
            ready_bytes: 0,
        }
    }

    fn push(&mut self, chunk: &[u8], is_last: bool) {
        self.rest.extend_from_slice(chunk);
        while let Some(at) = self.rest[self.searched..].iter().position(|byte| *byte == b'\n') {
            let line = self.rest.split_to(self.searched + at + 1);
            self.searched = 0;
            self.line(line.freeze());
        }
        self.searched = self.rest.len();
        if self.rest.len() > self.largest {
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
        if std::mem::take(&mut self.is_skipping) || bytes.len() > self.largest {
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

/// Why a line was rejected.
pub(super) struct Rejection {
    pub(super) code: &'static str,
    pub(super) message: String,
    /// JSON Pointer; empty when no place in the line is at fault.
    pub(super) target: String,
}

impl Rejection {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), target: String::new() }
    }

    /// Ends the result of a line that has a member already.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        push_string(out, "status", "rejected");
        out.extend_from_slice(b",\"error\":{\"code\":\"");
        out.extend_from_slice(self.code.as_bytes());
        out.push(b'"');
        push_string(out, "message", &self.message);
        if !self.target.is_empty() {
            push_string(out, "target", &self.target);
        }
        out.push(b'}');
    }
}

/// Adds a member with text to an object that has one already.
pub(super) fn push_string(out: &mut Vec<u8>, name: &str, text: &str) {
    out.extend_from_slice(format!(",\"{name}\":\"").as_bytes());
    push_text(out, text);
    out.push(b'"');
}

/// The items of an object with one member, an array, as lines numbered from 1. The member may also be
/// `value`, with annotations around it, as in answers.
pub(super) fn split_items(bytes: &Bytes, member: &str) -> Result<Vec<Line>, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
    let mut lines = Vec::new();
    let mut scan = || -> Result<(), odata::json::Error> {
        let mut scanner = Scanner::new(text);
        scanner.enter_object()?;
        let mut is_first = true;
        while let Some(name) = scanner.next_member(is_first)? {
            is_first = false;
            if name.raw().contains('@') {
                scanner.value()?;
                continue;
            }
            if !(name.is(member) || name.is("value")) || !lines.is_empty() {
                return Err(scanner.error(format!("expected one member, '{member}'")));
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
