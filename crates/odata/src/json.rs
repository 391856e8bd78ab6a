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
pub use write::{push_member, push_string, push_text, write_members, write_node};

/// Deepest nesting of what comes in (RFC 8259 section 9 lets a reader set limits). An answer puts less
/// than 16 levels around it (a batch, a list, the row of a log, the place of a computed member), and so
/// stays within the 64 that readers take which know no better.
pub const MAX_DEPTH: usize = 48;

/// Deepest nesting of text of our own. An earlier version took 64 levels.
const OWN_DEPTH: usize = 64 + 32;

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

/// The inside of a JSON string, still escaped: what may be copied between quotes. Any other text is
/// escaped on its way into JSON, by [`Text::of`] or [`push_text`].
#[derive(Clone)]
pub struct Text<'a> {
    raw: Cow<'a, str>,
    is_escaped: bool,
}

impl<'a> Text<'a> {
    /// A name or a word of the program's own, which needs no escapes (no quote, backslash or control
    /// character).
    pub const fn plain(text: &'static str) -> Self {
        Self { raw: Cow::Borrowed(text), is_escaped: false }
    }

    /// Any string.
    pub fn of(text: &str) -> Text<'static> {
        Self::owned(text.to_owned())
    }

    /// Any string, which is kept if it needs no escapes.
    pub fn owned(text: String) -> Text<'static> {
        if write::first_to_escape(text.as_bytes()).is_none() {
            return Text { raw: Cow::Owned(text), is_escaped: false };
        }
        let mut raw = Vec::with_capacity(text.len() + 8);
        push_text(&mut raw, &text);
        let raw = String::from_utf8(raw).expect("escaping keeps UTF-8 whole");
        Text { raw: Cow::Owned(raw), is_escaped: true }
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

    /// The same written with the escapes that are needed, and no others: names are compared by their
    /// text in many places. A lone surrogate stays as it is.
    pub(crate) fn in_plain_form(self) -> Self {
        if !self.is_escaped {
            return self;
        }
        let mut plain = Vec::with_capacity(self.raw.len());
        for part in parts(&self.raw) {
            match part {
                Part::Text(text) => push_text(&mut plain, text),
                Part::Char(meant) => push_text(&mut plain, meant.encode_utf8(&mut [0; 4])),
                Part::Lone(escape) => plain.extend_from_slice(escape.as_bytes()),
            }
        }
        let raw = String::from_utf8(plain).expect("escaping keeps UTF-8 whole");
        let is_escaped = raw.contains('\\');
        Self { raw: Cow::Owned(raw), is_escaped }
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

/// A JSON text, told from other text by its type: it may be copied into an answer as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// The text of a value.
    pub fn of(node: &Node<'_>) -> Self {
        let mut out = Vec::new();
        write_node(&mut out, node);
        Self::from_written(out)
    }

    /// What the functions of this module have written.
    pub fn from_written(bytes: Vec<u8>) -> Self {
        Self(String::from_utf8(bytes).expect("JSON is written from text"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> Node<'a> {
    /// Reads a whole text that we made or kept: one value and white space around it.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        Scanner::new(text).whole()
    }

    /// The same of a text that comes from somebody else, within limits: of depth, and of values for
    /// its length, since a value of two bytes takes thirty times that here.
    pub fn parse_foreign(text: &'a str) -> Result<Self, Error> {
        Scanner::foreign(text).whole()
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
    for part in parts(raw) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Char(meant) => out.push(meant),
            Part::Lone(_) => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    out
}

/// What the inside of a JSON string is made of.
enum Part<'a> {
    /// Characters that mean themselves.
    Text(&'a str),
    /// An escape, or a pair of them, by what it means.
    Char(char),
    /// An escape of a surrogate without the other one, which means no character.
    Lone(&'a str),
}

fn parts(raw: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let (part, length) = match rest.find('\\') {
            _ if rest.is_empty() => return None,
            Some(0) => escape(rest),
            found => {
                let length = found.unwrap_or(rest.len());
                (Part::Text(&rest[..length]), length)
            }
        };
        rest = rest.get(length..).unwrap_or_default();
        Some(part)
    })
}

/// The escape at the start of `text`, and its length.
fn escape(text: &str) -> (Part<'_>, usize) {
    let meant = match text.as_bytes().get(1).copied().unwrap_or(b'\\') {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return escape_of_unit(text),
        other => other as char,
    };
    (Part::Char(meant), 2)
}

/// The same of `\uXXXX`, or a pair of them.
fn escape_of_unit(text: &str) -> (Part<'_>, usize) {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(escape, 16).ok()
    };
    let Some(first) = unit(0) else { return (Part::Lone(text.get(..2).unwrap_or_default()), 2) };
    if let Some(character) = char::from_u32(first) {
        return (Part::Char(character), 6);
    }
    if let Some(second @ 0xDC00..=0xDFFF) = unit(6)
        && first < 0xDC00
        && let Some(pair) = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    {
        return (Part::Char(pair), 12);
    }
    (Part::Lone(&text[..6]), 6)
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
    fn whatever_a_text_holds_it_is_one_string_in_json() {
        let long = "x".repeat(40);
        for text in
            ["", "a\",\"b\":\"c", "\\", "\u{0}\u{1f}\n\r\t\u{8}", "\u{2028}\u{202e}&<>%'é", &long]
                .into_iter()
                .flat_map(|text| {
                    ["", "1234567890123456", "\"", "12345678901234567"]
                        .map(|end| format!("{text}{end}{text}"))
                })
        {
            let mut out = Vec::new();
            push_member(&mut out, &text, &text);
            let object = format!("{{{}}}", String::from_utf8(out).unwrap());
            let node = Node::parse(&object).unwrap();
            let [member] = node.as_object().unwrap() else { panic!("{object}") };
            assert_eq!(member.name.value(), text);
            assert_eq!(member.value.as_text().unwrap().value(), text);
            assert_eq!(Text::of(&text).value(), text);
        }
    }

    #[test]
    fn names_are_kept_with_the_escapes_they_need() {
        let node = Node::parse(
            r#"{"\u0069d":1,"\u0040odata\u002econtext":2,"\u0022\/\ud83d\ude00\ud800":3}"#,
        );
        let node = node.unwrap();
        let names: Vec<&str> =
            node.as_object().unwrap().iter().map(|member| member.name.raw()).collect();
        assert_eq!(names, ["id", "@odata.context", "\\\"/\u{1F600}\\ud800"]);
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
        assert!(Node::parse_foreign(&deep(MAX_DEPTH)).is_ok());
        assert!(Node::parse_foreign(&deep(MAX_DEPTH + 1)).is_err());
        assert!(Node::parse(&deep(64 + 16)).is_ok(), "an earlier version took it, and it is shown");
        assert!(Node::parse(&deep(100_000)).is_err());
    }

    #[test]
    fn values_of_nothing_are_refused_and_usual_ones_are_not() {
        let many = |item: &str, count: usize| format!("[{}0]", format!("{item},").repeat(count));
        for item in ["0", "{}", "[]", "\"\"", "[{}]"] {
            assert!(Node::parse_foreign(&many(item, 8_000)).is_ok(), "{item}");
            assert!(Node::parse_foreign(&many(item, 100_000)).is_err(), "{item}");
            assert!(Node::parse(&many(item, 100_000)).is_ok(), "{item}");
        }
        assert!(
            Node::parse_foreign(&many(
                r#"{"averageJitter":null,"hops":[],"wasMediaBypassed":true}"#,
                100_000
            ))
            .is_ok()
        );
    }
}
