//! The text of JSON strings: their escapes, and what they mean.

use std::borrow::Cow;
use std::fmt;

use super::write::{first_to_escape, push_text};

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
        if first_to_escape(text.as_bytes()).is_none() {
            return Text { raw: Cow::Owned(text), is_escaped: false };
        }
        let mut raw = Vec::with_capacity(text.len() + 8);
        push_text(&mut raw, &text);
        let raw = String::from_utf8(raw).expect("escaping keeps UTF-8 whole");
        Text { raw: Cow::Owned(raw), is_escaped: true }
    }

    pub(super) const fn from_source(raw: &'a str, is_escaped: bool) -> Self {
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

    /// Keeps only the escapes that are needed, since names are compared by their text in many
    /// places. A lone surrogate stays as it is.
    pub(super) fn in_plain_form(self) -> Self {
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

/// The escape `\uXXXX` at the start of `text`, or a pair of them, and its length.
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
