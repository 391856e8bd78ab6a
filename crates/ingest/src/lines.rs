//! Cuts a stream of bytes into lines, numbered from 1, and these into batches.
//!
//! Unlike [`crate::Splitter`], which finds records whatever stands around them, this goes by line ends
//! alone: a sender that is answered line by line has to know which line is meant. What an array that was cut
//! into lines leaves is no part of them: the comma behind a value, and lines of a bracket alone. Nor is a byte
//! order mark.

use bytes::{Bytes, BytesMut};
use odata::json::Scanner;

/// What may stand before a text in UTF-8 (RFC 3629 section 6).
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Lines in a batch at most.
pub(crate) const LINES_PER_BATCH: usize = 256;
/// Bytes in a batch at most, unless one line has more.
pub(crate) const BYTES_PER_BATCH: usize = 4 * 1024 * 1024;

/// A line, by its number from 1.
#[derive(Debug)]
pub struct Line {
    /// Its number; empty lines count, and are not given.
    pub number: u64,
    /// The line of the whole text on which it begins: its number, unless it is an item of an array.
    pub begins: u64,
    /// What it holds.
    pub text: LineText,
}

/// What a line holds.
#[derive(Debug)]
pub enum LineText {
    /// Its bytes, not checked in any way.
    Bytes(Bytes),
    /// More bytes than a line may have.
    TooLong,
}

impl Line {
    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        match &self.text {
            LineText::Bytes(bytes) => bytes.len(),
            LineText::TooLong => 0,
        }
    }
}

/// Cuts a stream into lines, and these into batches.
#[derive(Debug)]
pub struct LineSplitter {
    largest: usize,
    rest: BytesMut,
    searched: usize,
    number: u64,
    is_skipping: bool,
    ready: Vec<Line>,
    ready_bytes: usize,
}

impl LineSplitter {
    /// Reads lines of up to `largest` bytes.
    pub fn new(largest: usize) -> Self {
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

    /// Adds bytes of the stream; `is_last` says that it ends with them.
    pub fn push(&mut self, chunk: &[u8], is_last: bool) {
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
        let push = |ready: &mut Vec<Line>, text| ready.push(Line { number, begins: number, text });
        if std::mem::take(&mut self.is_skipping) || bytes.len() > self.largest {
            return push(&mut self.ready, LineText::TooLong);
        }
        let bytes = value_of(&bytes, number == 1);
        if !bytes.is_empty() {
            self.ready_bytes += bytes.len();
            push(&mut self.ready, LineText::Bytes(bytes));
        }
    }

    /// A full batch, or, if nothing is behind it, what is left.
    pub fn take_batch(&mut self, is_last: bool) -> Option<Vec<Line>> {
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
                bytes += line.bytes();
                bytes <= BYTES_PER_BATCH
            })
            .count()
            .max(1);
        let batch: Vec<Line> = self.ready.drain(..fitting).collect();
        self.ready_bytes -= batch.iter().map(Line::bytes).sum::<usize>();
        Some(batch)
    }
}

/// A line without what stands behind its value, and before that of the first one.
fn value_of(line: &Bytes, is_first: bool) -> Bytes {
    let text = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first).unwrap_or(line);
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(b",").map_or(text, <[u8]>::trim_ascii_end);
    line.slice_ref(if matches!(text.trim_ascii_start(), b"[" | b"]") { b"" } else { text })
}

/// Whether a line is no whole JSON value, or more than one: then the text was not cut where its values end.
/// A value with a fault inside is neither.
pub fn is_cut_elsewhere(line: &str) -> bool {
    let mut scanner = Scanner::foreign(line);
    match scanner.value() {
        Ok(_) => scanner.end().is_err(),
        Err(error) => error.offset == 0 || line.len() == error.offset,
    }
}
