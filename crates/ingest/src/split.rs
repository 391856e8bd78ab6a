//! Cuts a stream of bytes into the JSON texts of records, whatever stands around them.
//!
//! A stream may hold records one on a line, records printed over many lines, arrays of them and
//! lists as an API answers or takes them (`{"value":[…]}`, `{"records":[…]}`), also one behind the
//! other. Nothing but the record at hand is kept in memory.
//!
//! Only as much of JSON is looked at as it takes to find where a record ends; whoever reads the
//! record checks the rest. A record that is cut off must not take its successors along: where a
//! line end stands at a place at which no JSON text goes on, what began on the value's first line
//! is refused, and reading goes on with the next line that begins with `{` or `[`. A nested value
//! never begins a line in printed JSON, so a session is never taken for a record. In a list the line
//! has to be indented as its items are, which nested values never are, or to end the list. Lines that
//! are passed over on the way and are no part of printed JSON are refused, all together; so is the rest
//! of a list in which no such line comes.

mod list;
mod nesting;
mod recovery;

use std::sync::Arc;

use odata::json::Node;

use list::Head;
use nesting::{Ending, Nesting};
use recovery::StrayLines;

/// The text of one record and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The JSON text of an object, not checked otherwise.
    pub text: String,
    /// Line on which it begins, from 1.
    pub line: u64,
    /// JSON Pointer to it in the value that it stands in; empty for one that stands alone.
    pub pointer: String,
    /// The context of the answer that it stands in, which says what its items are.
    pub context: Option<Arc<str>>,
}

/// A part of the stream in which no record could be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// Like [`Record::pointer`].
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// What a stream is cut into.
pub type Piece = Result<Record, Refusal>;

/// What becomes of the records behind one of a list that breaks off.
const IN_LIST: &str = "; the list is read on from the next of its records that begins a line";

/// Bytes given away that are kept in the buffer before the rest is moved to its front.
const SLACK: usize = 256 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte, where a byte order mark may stand.
    Start,
    /// Between top-level values.
    Between,
    /// In an object that may be a record or a list.
    Undecided,
    /// In a record.
    Value,
    /// Between the items of a list.
    Items,
    /// Behind the items, in the rest of the object around them.
    Tail,
    /// Looking for a line that begins a value.
    Lost,
    /// At the end of all that can be read.
    Done,
}

enum Step {
    Found(Piece),
    Go,
    Starved,
}

/// The list that is being read.
#[derive(Debug)]
struct List {
    /// The member whose items they are; none in a bare array.
    member: Option<&'static str>,
    index: usize,
    /// What the answer around them says that they are.
    context: Option<Arc<str>>,
    /// Blanks before the last item that began a line.
    indent: Option<usize>,
    /// An item broke off, so its end may have been passed over.
    has_broken: bool,
}

impl List {
    fn new(member: Option<&'static str>, context: Option<Arc<str>>) -> Self {
        Self { member, index: 0, context, indent: None, has_broken: false }
    }

    /// Counts an item that broke off.
    fn pass_broken(&mut self) {
        self.index += 1;
        self.has_broken = true;
    }

    /// Whether one of its items, or its end, begins on a line with so many blanks before this byte.
    fn goes_on(&self, blanks: usize, first: u8) -> bool {
        let indent = self.indent.unwrap_or(0);
        first == b'{' && blanks == indent || first == b']' && blanks <= indent
    }
}

/// Takes bytes in pieces of any size and gives back records.
#[derive(Debug)]
pub struct Splitter {
    limit: usize,
    buffer: Vec<u8>,
    /// Where the value at hand begins, else the same as `at`.
    start: usize,
    /// The next byte to look at.
    at: usize,
    /// Line of `at`.
    line: u64,
    /// Line of `start`.
    start_line: u64,
    is_finished: bool,
    /// The value at hand was too large and is skipped.
    is_skipping: bool,
    state: State,
    nesting: Nesting,
    list: Option<List>,
    /// Since a value was last looked for.
    stray: Option<StrayLines>,
    /// The first line of a list, since an item was last looked for, that may hold items unread.
    unread: Option<u64>,
    /// Blanks before `at`, if nothing else stands before it on its line.
    blanks: Option<usize>,
}

impl Splitter {
    /// Reads records of up to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: Vec::new(),
            start: 0,
            at: 0,
            line: 1,
            start_line: 1,
            is_finished: false,
            is_skipping: false,
            state: State::Start,
            nesting: Nesting::default(),
            list: None,
            stray: None,
            unread: None,
            blanks: Some(0),
        }
    }

    /// Adds bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > SLACK && self.start * 2 > self.buffer.len() {
            self.buffer.drain(..self.start);
            self.at -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that the stream has ended.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Whether the stream has ended.
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The line up to which it was read, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next record or refusal; `None` when more bytes are needed, or after
    /// [`Splitter::finish`] when there is nothing more.
    pub fn take(&mut self) -> Option<Piece> {
        loop {
            let step = match self.state {
                State::Start => self.start(),
                State::Between => self.between(),
                State::Undecided => self.decide(),
                State::Value => self.value(),
                State::Items => self.items(),
                State::Tail => self.tail(),
                State::Lost => self.find_line(),
                State::Done => Step::Starved,
            };
            match step {
                Step::Found(piece) => return Some(piece),
                Step::Go => {}
                Step::Starved => return None,
            }
        }
    }

    fn start(&mut self) -> Step {
        if self.buffer.len() < 3 && !self.is_finished {
            return Step::Starved;
        }
        if self.buffer.starts_with(b"\xFF\xFE") || self.buffer.starts_with(b"\xFE\xFF") {
            self.state = State::Done;
            return Step::Found(self.refusal("the text is UTF-16; convert it to UTF-8"));
        }
        if self.buffer.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        self.go(State::Between)
    }

    fn between(&mut self) -> Step {
        // Commas stand between the items of an array that was cut out of it.
        match self.skip_space(b" \t\r,") {
            Some(b'{') => self.enter(State::Undecided),
            Some(b'[') => {
                self.at += 1;
                self.list = Some(List::new(None, None));
                self.go(State::Items)
            }
            Some(_) => {
                self.pass_over();
                self.go(State::Lost)
            }
            None => Step::Starved,
        }
    }

    /// Remembers that a value begins here.
    fn enter(&mut self, state: State) -> Step {
        self.start = self.at;
        self.start_line = self.line;
        self.nesting = Nesting::default();
        self.is_skipping = false;
        self.blanks = None;
        self.state = state;
        Step::Go
    }

    /// Goes on here outside of values.
    fn go(&mut self, state: State) -> Step {
        self.start = self.at;
        self.start_line = self.line;
        self.blanks = None;
        self.state = state;
        Step::Go
    }

    fn decide(&mut self) -> Step {
        match list::head(&self.buffer[self.start..]) {
            Head::Unclear if !self.is_finished => Step::Starved,
            Head::List { member, items_at } => {
                let end = self.start + items_at;
                self.line +=
                    self.buffer[self.start..end].split(|byte| *byte == b'\n').count() as u64 - 1;
                self.at = end;
                let context = context(&self.buffer[self.start..end]);
                self.list = Some(List::new(Some(member), context));
                self.go(State::Items)
            }
            Head::Record | Head::Unclear => {
                self.state = State::Value;
                Step::Go
            }
        }
    }

    fn value(&mut self) -> Step {
        // One byte beyond the limit at most, so that what is too large is found at the same byte
        // however the stream was cut.
        let end = if self.is_skipping {
            self.buffer.len()
        } else {
            self.buffer.len().min(self.start + self.limit + 1)
        };
        let (used, lines, ending) = self.nesting.advance(&self.buffer[self.at..end]);
        self.at += used;
        self.line += lines;
        if self.is_skipping {
            self.start = self.at;
        } else if self.at - self.start > self.limit {
            self.is_skipping = true;
            let message = format!("the record is larger than {} bytes", self.limit);
            return Step::Found(self.refusal(&message));
        }
        match ending {
            Ending::Closed => self.close(),
            Ending::Broken => self.cut_off(),
            Ending::Open if self.at < self.buffer.len() => Step::Go,
            Ending::Open if self.is_finished => self.cut_off(),
            Ending::Open => Step::Starved,
        }
    }

    fn close(&mut self) -> Step {
        let place = (self.start_line, self.pointer());
        let text = std::str::from_utf8(&self.buffer[self.start..self.at]).map(str::to_owned);
        let was_skipped = std::mem::take(&mut self.is_skipping);
        let context = self.list.as_ref().and_then(|list| list.context.clone());
        let next = match &mut self.list {
            Some(list) => {
                list.index += 1;
                State::Items
            }
            None => State::Between,
        };
        self.go(next);
        let (line, pointer) = place;
        match text {
            _ if was_skipped => Step::Go,
            Ok(text) => Step::Found(Ok(Record { text, line, pointer, context })),
            Err(_) => {
                let message = "the text is not UTF-8".to_owned();
                Step::Found(Err(Refusal { line, pointer, message }))
            }
        }
    }

    /// The value at hand cannot go on here.
    fn cut_off(&mut self) -> Step {
        if std::mem::take(&mut self.is_skipping) {
            self.list.iter_mut().for_each(List::pass_broken);
            return self.go(State::Lost);
        }
        let text = &self.buffer[self.start..self.at];
        // At the end of a line in the middle of the text, most often that of a comma.
        let has_more = self.at < self.buffer.len() && !self.nesting.is_in_string();
        let message = self.describe_break(text.trim_ascii_end(), has_more);
        let in_list = if self.list.is_some() { IN_LIST } else { "" };
        let refusal = self.refusal(&format!("{message}{in_list}"));
        self.list.iter_mut().for_each(List::pass_broken);
        // Back to the second line of what was taken for one value.
        if let Some(newline) = text.iter().position(|byte| *byte == b'\n') {
            self.at = self.start + newline;
            self.line = self.start_line;
        }
        self.go(State::Lost);
        Step::Found(refusal)
    }

    fn describe_break(&self, text: &[u8], has_more: bool) -> String {
        let Ok(Err(error)) = std::str::from_utf8(text).map(Node::parse) else {
            return "the record breaks off".to_owned();
        };
        let what = match error.offset {
            offset if offset >= text.len() && has_more => "the record breaks off, or lacks a ','",
            offset if offset >= text.len() => "the record breaks off",
            _ => error.message.as_str(),
        };
        let line = self.start_line + error.line as u64 - 1;
        format!("{what} at line {line}, column {}", error.column)
    }

    fn items(&mut self) -> Step {
        let has_member = self.list.as_ref().is_some_and(|list| list.member.is_some());
        match self.skip_space(b" \t\r,") {
            Some(b'{') => {
                if let (Some(list), Some(blanks)) = (&mut self.list, self.blanks) {
                    list.indent = Some(blanks);
                }
                self.enter(State::Value)
            }
            Some(b']') => {
                self.at += 1;
                self.list = None;
                if has_member { self.enter(State::Tail) } else { self.go(State::Between) }
            }
            Some(_) => self.lose("expected a record or ']'"),
            None if self.is_finished => self.end_inside(),
            None => Step::Starved,
        }
    }

    fn tail(&mut self) -> Step {
        if self.at == self.start {
            self.nesting = Nesting::behind_member();
        }
        let (used, lines, ending) = self.nesting.advance(&self.buffer[self.at..]);
        self.at += used;
        self.line += lines;
        match ending {
            Ending::Closed => self.go(State::Between),
            Ending::Broken => {
                self.list = None;
                self.lose("expected ',' or '}' behind the list")
            }
            Ending::Open if self.is_finished => self.end_inside(),
            Ending::Open => Step::Starved,
        }
    }

    fn end_inside(&mut self) -> Step {
        self.state = State::Done;
        if self.list.as_ref().is_some_and(|list| list.has_broken && list.indent.is_none()) {
            return Step::Starved;
        }
        Step::Found(self.refusal("the text ends inside a list of records"))
    }

    /// Refuses what stands here and looks for the next value.
    fn lose(&mut self, message: &str) -> Step {
        let refusal = self.refusal_at(self.line, message);
        self.list = self.list.take().filter(|list| list.indent.is_some());
        self.go(State::Lost);
        Step::Found(refusal)
    }

    /// The next byte that is neither a line end nor one of `space`.
    fn skip_space(&mut self, space: &[u8]) -> Option<u8> {
        while let Some(byte) = self.buffer.get(self.at).copied() {
            if byte == b'\n' {
                self.line += 1;
                self.blanks = Some(0);
            } else if !space.contains(&byte) {
                return Some(byte);
            } else if byte == b',' {
                self.blanks = None;
            } else {
                self.blanks = self.blanks.map(|blanks| blanks + 1);
            }
            self.at += 1;
            self.start = self.at;
        }
        None
    }

    fn pointer(&self) -> String {
        match &self.list {
            None => String::new(),
            Some(List { member: None, index, .. }) => format!("/{index}"),
            Some(List { member: Some(member), index, .. }) => format!("/{member}/{index}"),
        }
    }

    fn refusal(&self, message: &str) -> Piece {
        self.refusal_at(self.start_line, message)
    }

    fn refusal_at(&self, line: u64, message: &str) -> Piece {
        Err(Refusal { line, pointer: self.pointer(), message: message.to_owned() })
    }
}

/// The context of an answer that begins with these bytes, up to the `[` of its items.
fn context(head: &[u8]) -> Option<Arc<str>> {
    let text = format!("{}]}}", std::str::from_utf8(head).ok()?);
    let node = Node::parse(&text).ok()?;
    let context = node.get("@odata.context").or_else(|| node.get("@context"))?;
    Some(context.as_text()?.value().into())
}

#[cfg(test)]
mod tests;
