//! JSON text as a tree that borrows from the input and keeps every number and string as written.
//!
//! A general JSON value type would turn `0.10` into `0.1` and lose what it does not model; a call
//! record must come out digit for digit as it went in, so numbers stay text and strings stay
//! escaped. A member name twice in one object is an error, since one of the two would be lost.
//! [`Scanner`] reads a value at a time, so that the items of a long array can be taken one by one.

mod pointer;
mod scanner;
mod write;

use std::borrow::Cow;
use std::fmt;

pub use pointer::Pointer;
pub use scanner::Scanner;
pub use write::{push_text, write_members, write_node};

/// Deepest nesting that is read (RFC 8259 section 9 lets a reader set a limit).
pub const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(Cow<'a, str>),
    /// A string.
    String(Text<'a>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, in the order of its members.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'a> {
    /// The name.
    pub name: Text<'a>,
    /// The value.
    pub value: Node<'a>,
}

/// The inside of a JSON string, still escaped.
#[derive(Clone)]
pub struct Text<'a> {
    raw: Cow<'a, str>,
    is_escaped: bool,
}

impl<'a> Text<'a> {
    /// A string that needs no escapes (no quote, backslash or control character).
    pub const fn plain(text: &'a str) -> Self {
        Self { raw: Cow::Borrowed(text), is_escaped: false }
    }

    /// Any string.
    pub fn of(text: &str) -> Text<'static> {
        let mut raw = Vec::with_capacity(text.len());
        push_text(&mut raw, text);
        let is_escaped = raw.len() != text.len();
        let raw = String::from_utf8(raw).expect("escaping keeps UTF-8 whole");
        Text { raw: Cow::Owned(raw), is_escaped }
    }

    /// A string that needs no escapes and borrows nothing.
    pub fn plain_owned(text: String) -> Text<'static> {
        Text { raw: Cow::Owned(text), is_escaped: false }
    }

    pub(crate) const fn from_source(raw: &'a str, is_escaped: bool) -> Self {
        Self { raw: Cow::Borrowed(raw), is_escaped }
    }

    /// As it stands between the quotes.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Its meaning. A lone surrogate, which JSON allows and UTF-8 does not, becomes U+FFFD.
    pub fn value(&self) -> Cow<'_, str> {
        if self.is_escaped { Cow::Owned(unescape(&self.raw)) } else { Cow::Borrowed(&self.raw) }
    }

    /// Whether it means `other`.
    pub fn is(&self, other: &str) -> bool {
        if self.is_escaped { self.value() == other } else { self.raw == other }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Text<'static> {
        Text { raw: Cow::Owned(self.raw.into_owned()), is_escaped: self.is_escaped }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
            || (self.is_escaped || other.is_escaped) && self.value() == other.value()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.raw)
    }
}

impl<'a> Node<'a> {
    /// Reads a whole text: one value and white space around it.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let mut scanner = Scanner::new(text);
        let node = scanner.value()?;
        scanner.end()?;
        Ok(node)
    }

    /// The member of that name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        match self {
            Self::Object(members) => {
                members.iter().find(|member| member.name.is(name)).map(|member| &member.value)
            }
            _ => None,
        }
    }

    /// Like [`Node::get`], to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node<'a>> {
        match self {
            Self::Object(members) => members
                .iter_mut()
                .find(|member| member.name.is(name))
                .map(|member| &mut member.value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_text(&self) -> Option<&Text<'a>> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Node<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&[Member<'a>]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Bool(value) => Node::Bool(value),
            Self::Number(text) => Node::Number(Cow::Owned(text.into_owned())),
            Self::String(text) => Node::String(text.into_owned()),
            Self::Array(items) => Node::Array(items.into_iter().map(Node::into_owned).collect()),
            Self::Object(members) => Node::Object(
                members
                    .into_iter()
                    .map(|member| Member {
                        name: member.name.into_owned(),
                        value: member.value.into_owned(),
                    })
                    .collect(),
            ),
        }
    }

    /// The word for this kind of value in error messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Text that is not JSON, or not JSON that can be kept whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Byte offset in the text.
    pub offset: usize,
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        let mut used = at + 2;
        out.push(match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (character, length) = unescape_unicode(&rest[at..]);
                used = at + length;
                character
            }
            other => other as char,
        });
        rest = rest.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character of a `\uXXXX` escape (or a pair of them) at the start of `text`, and its length.
fn unescape_unicode(text: &str) -> (char, usize) {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(escape, 16).ok()
    };
    let Some(first) = unit(0) else { return (char::REPLACEMENT_CHARACTER, 2) };
    if let Some(character) = char::from_u32(first) {
        return (character, 6);
    }
    if let Some(second @ 0xDC00..=0xDFFF) = unit(6)
        && first < 0xDC00
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::REPLACEMENT_CHARACTER, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        let mut out = Vec::new();
        write_node(&mut out, &Node::parse(text).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_digit_and_escape_comes_out_as_it_went_in() {
        for text in [
            r#"{"a":[0.10,-0,1E5,1e+05,12345678901234567890.123],"b":"\u00e9\/é\ud800","c":{}}"#,
            r#"[true,false,null,"",[]]"#,
        ] {
            assert_eq!(round_trip(text), text);
        }
        assert_eq!(round_trip(" { \"a\" :\t[ 1 ,\n2 ] } "), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn escaped_text_is_compared_by_meaning() {
        let node = Node::parse(r#""\u0041\n\ud83d\ude00\"""#).unwrap();
        let text = node.as_text().unwrap();
        assert_eq!(text.value(), "A\n\u{1F600}\"");
        assert_eq!(*text, Text::of("A\n\u{1F600}\""));
        assert!(Node::parse(r#"{"\u0061":1}"#).unwrap().get("a").is_some());
    }

    #[test]
    fn malformed_text_is_refused_with_its_place() {
        for (text, line, column) in [
            ("", 1, 1),
            ("{", 1, 2),
            ("[1,]", 1, 4),
            ("{\"a\":1,}", 1, 8),
            ("[01]", 1, 3),
            ("[1.]", 1, 4),
            ("[1]x", 1, 4),
            ("[\n  tru]", 2, 3),
            ("\"\u{1}\"", 1, 2),
            ("\"\\x\"", 1, 2),
            ("\"\\u12g4\"", 1, 2),
            ("\"abc", 1, 5),
            ("{\"é\":1,\"é\":2}", 1, 8),
            ("nul", 1, 1),
            ("[-]", 1, 3),
            ("[1e]", 1, 4),
        ] {
            let error = Node::parse(text).expect_err(text);
            assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
        }
    }

    #[test]
    fn nesting_beyond_the_limit_is_refused() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Node::parse(&deep(MAX_DEPTH)).is_ok());
        assert!(Node::parse(&deep(MAX_DEPTH + 1)).is_err());
        assert!(Node::parse(&deep(100_000)).is_err());
    }
}
