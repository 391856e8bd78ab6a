//! Reading JSON a value at a time (RFC 8259).

use std::borrow::Cow;

use super::{Error, MAX_DEPTH, Member, Node, OWN_DEPTH, Text};

/// Objects with more members than this get a sorted copy of their names to find repeated ones.
const FEW_MEMBERS: usize = 48;

/// A place in a JSON text from which values are read.
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    most_depth: usize,
    /// Whether values are limited by the length of their text.
    is_limited: bool,
    values: usize,
    /// Where the first of these stands.
    since: usize,
}

/// Values of any length that a foreign text may have.
const FREE_VALUES: usize = 16 * 1024;
/// Beside these, a value for so many bytes: those of records take at least 25 on average.
const BYTES_PER_VALUE: usize = 8;
/// And no more than so many at once, which are 64 MiB at most.
const MOST_VALUES: usize = 1 << 20;

impl<'a> Scanner<'a> {
    /// At the start of a text that we made or kept.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            most_depth: OWN_DEPTH,
            is_limited: false,
            values: 0,
            since: 0,
        }
    }

    /// At the start of a text that comes from somebody else; see [`Node::parse_foreign`].
    pub fn foreign(text: &'a str) -> Self {
        Self { most_depth: MAX_DEPTH, is_limited: true, ..Self::new(text) }
    }

    /// Where another scanner of a text from somebody else stood, `depth` levels deep.
    pub fn resume(text: &'a str, at: usize, depth: usize) -> Self {
        Self { at, since: at, depth, ..Self::foreign(text) }.around(depth)
    }

    /// Takes so many levels around what is limited.
    #[must_use]
    pub fn around(mut self, levels: usize) -> Self {
        self.most_depth += levels;
        self
    }

    /// Forgets the values that were read, when their reader has dropped them.
    pub fn let_go(&mut self) {
        self.since = self.at;
        self.values = 0;
    }

    /// Reads the whole text as one value.
    pub(super) fn whole(mut self) -> Result<Node<'a>, Error> {
        let node = self.value()?;
        self.end()?;
        Ok(node)
    }

    /// Byte offset of the next character to be read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Reads one value.
    pub fn value(&mut self) -> Result<Node<'a>, Error> {
        self.skip_space();
        self.values += 1;
        if self.values > FREE_VALUES && self.is_limited {
            self.check_values()?;
        }
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => Ok(Node::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(b'\'') => Err(self.error("expected a JSON value: text stands in double quotes")),
            Some(_) => Err(self.error("expected a JSON value")),
            None => Err(self.error("the text ends where a JSON value should stand")),
        }
    }

    /// Enters an object; [`Scanner::next_member`] then gives its members' names.
    pub fn enter_object(&mut self) -> Result<(), Error> {
        self.enter(b'{', "expected an object")
    }

    /// Enters an array; [`Scanner::next_item`] then says whether an item follows.
    pub fn enter_array(&mut self) -> Result<(), Error> {
        self.enter(b'[', "expected an array")
    }

    /// Whether an array starts here.
    pub fn at_array(&mut self) -> bool {
        self.skip_space();
        self.peek() == Some(b'[')
    }

    /// The name of the next member of the object that was entered, or `None` past its end. The
    /// caller reads the value. `is_first` is whether no member was read before.
    pub fn next_member(&mut self, is_first: bool) -> Result<Option<Text<'a>>, Error> {
        if !self.next(b'}', is_first)? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a member name in double quotes"));
        }
        let name = self.string()?.in_plain_form();
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.error("expected ':' after the member name"));
        }
        self.at += 1;
        Ok(Some(name))
    }

    /// Whether another item of the array that was entered follows; the caller reads it.
    pub fn next_item(&mut self, is_first: bool) -> Result<bool, Error> {
        self.next(b']', is_first)
    }

    /// Checks that nothing but white space follows.
    pub fn end(&mut self) -> Result<(), Error> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.error("text behind the value")) }
    }

    /// An error at this place.
    pub fn error(&self, message: impl Into<String>) -> Error {
        self.error_at(self.at, message)
    }

    /// An error at a byte offset.
    pub fn error_at(&self, offset: usize, message: impl Into<String>) -> Error {
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Error {
            message: message.into(),
            line: 1 + before.bytes().filter(|byte| *byte == b'\n').count(),
            column: 1 + before[line_start..].chars().count(),
            offset,
        }
    }

    #[cold]
    fn check_values(&self) -> Result<(), Error> {
        let allowed = FREE_VALUES + (self.at - self.since) / BYTES_PER_VALUE;
        if self.values <= allowed.min(MOST_VALUES) {
            return Ok(());
        }
        let bytes = self.at - self.since;
        let message = format!("{} values in {bytes} bytes are too many", self.values);
        Err(self.error(message))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn enter(&mut self, open: u8, expected: &str) -> Result<(), Error> {
        self.skip_space();
        if self.peek() != Some(open) {
            return Err(self.error(expected));
        }
        if self.depth == self.most_depth {
            return Err(self.error(format!("nested deeper than {} levels", self.most_depth)));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn next(&mut self, close: u8, is_first: bool) -> Result<bool, Error> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                return Ok(false);
            }
            Some(b',') if !is_first => self.at += 1,
            Some(_) if is_first => return Ok(true),
            Some(_) => return Err(self.error(format!("expected ',' or '{}'", close as char))),
            None => return Err(self.error(format!("the text ends before '{}'", close as char))),
        }
        self.skip_space();
        if self.peek() == Some(close) {
            let close = char::from(close);
            return Err(self.error(format!("a ',' too many stands before the '{close}'")));
        }
        Ok(true)
    }

    fn object(&mut self) -> Result<Node<'a>, Error> {
        self.enter_object()?;
        let mut members: Vec<Member<'a>> = Vec::new();
        loop {
            self.skip_space();
            let mut name_at = self.at;
            if self.peek() == Some(b',') {
                name_at += 1;
            }
            let Some(name) = self.next_member(members.is_empty())? else { break };
            if members.len() < FEW_MEMBERS && members.iter().any(|member| member.name == name) {
                return Err(self.repeated(name_at, &name));
            }
            let value = self.value()?;
            members.push(Member { name, value });
        }
        if members.len() > FEW_MEMBERS {
            let mut names: Vec<_> = members.iter().map(|member| member.name.value()).collect();
            names.sort_unstable();
            if let Some([name, ..]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(self.error(format!("the member '{name}' stands twice")));
            }
        }
        Ok(Node::Object(members))
    }

    fn repeated(&self, at: usize, name: &Text<'_>) -> Error {
        let spaces = self.text[at..].len() - self.text[at..].trim_start().len();
        self.error_at(at + spaces, format!("the member '{}' stands twice", name.value()))
    }

    fn array(&mut self) -> Result<Node<'a>, Error> {
        self.enter_array()?;
        let mut items = Vec::new();
        while self.next_item(items.is_empty())? {
            items.push(self.value()?);
        }
        Ok(Node::Array(items))
    }

    fn string(&mut self) -> Result<Text<'a>, Error> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut at = start;
        let mut is_escaped = false;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    at += self.escape_length(at)?;
                }
                Some(0..=0x1F) => {
                    return Err(self.error_at(at, "a control character must be escaped"));
                }
                Some(_) => at += 1,
                None => return Err(self.error_at(at, "the text ends inside a string")),
            }
        }
        self.at = at + 1;
        Ok(Text::from_source(&self.text[start..at], is_escaped))
    }

    fn escape_length(&self, at: usize) -> Result<usize, Error> {
        let bytes = self.text.as_bytes();
        match bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u')
                if bytes
                    .get(at + 2..at + 6)
                    .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                Ok(6)
            }
            _ => Err(self.error_at(at, "not an escape that JSON knows")),
        }
    }

    fn number(&mut self) -> Result<Node<'a>, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if let Some(b'0'..=b'9') = self.peek() {
                return Err(self.error("a number must not begin with 0"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Node::Number(Cow::Borrowed(&self.text[start..self.at])))
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.error("expected a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, node: Node<'a>) -> Result<Node<'a>, Error> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("expected a JSON value"));
        }
        self.at += word.len();
        Ok(node)
    }
}
