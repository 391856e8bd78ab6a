//! How far a value or name reaches in the text, and what it says.

use crate::literal::Literal;
use crate::primitive::{DateTimeOffset, Fine, Moment, parse_guid};

/// Bytes of the identifier at the front (ABNF `odataIdentifier`), 0 when there is none.
pub(super) fn identifier(text: &str) -> usize {
    let mut chars = text.char_indices();
    match chars.next() {
        Some((_, first)) if first.is_alphabetic() || first == '_' => {}
        _ => return 0,
    }
    chars
        .find(|(_, c)| !(c.is_alphanumeric() || *c == '_'))
        .map_or(text.len(), |(offset, _)| offset)
}

/// Bytes of identifiers joined by dots.
pub(super) fn qualified_name(text: &str) -> usize {
    let mut length = identifier(text);
    while length > 0 && text[length..].starts_with('.') {
        match identifier(&text[length + 1..]) {
            0 => break,
            more => length += 1 + more,
        }
    }
    length
}

/// Bytes of `@name`, `@Namespace.Term` or `@Namespace.Term#Qualifier`.
pub(super) fn annotation(text: &str) -> usize {
    let length = 1 + qualified_name(&text[1..]);
    if length > 1 && text[length..].starts_with('#') {
        match identifier(&text[length + 1..]) {
            0 => length,
            more => length + 1 + more,
        }
    } else {
        length
    }
}

/// The text in single quotes at the front and the bytes it takes; a doubled quote stands for one.
pub(super) fn quoted(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut at = 1;
    loop {
        let close = at + text.get(at..)?.find('\'')?;
        out.push_str(&text[at..close]);
        if !text[close + 1..].starts_with('\'') {
            return Some((out, close + 1));
        }
        out.push('\'');
        at = close + 2;
    }
}

/// The JSON string at the front, its escapes undone, and the bytes it takes.
pub(super) fn json_string(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut rest = text.get(1..)?;
    loop {
        let stop = rest.find(['"', '\\'])?;
        out.push_str(&rest[..stop]);
        let is_end = rest[stop..].starts_with('"');
        rest = &rest[stop + 1..];
        if is_end {
            return Some((out, text.len() - rest.len()));
        }
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        out.push(match escape {
            '"' | '\\' | '/' => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (c, used) = unicode_escape(rest)?;
                rest = &rest[used..];
                c
            }
            _ => return None,
        });
    }
}

/// The character of the four digits behind `\u`, or of two such escapes, and the bytes they take.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits = text.get(from..from + 4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        u32::from_str_radix(digits, 16).ok()
    };
    let high = unit(0)?;
    if !(0xD800..0xDC00).contains(&high) {
        return Some((char::from_u32(high)?, 4));
    }
    text.get(4..6).filter(|escape| *escape == "\\u")?;
    let low = unit(6)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)?, 10))
}

/// The bytes of a GUID at the front that no letter, digit or dash follows.
pub(super) fn guid(text: &str) -> Option<usize> {
    parse_guid(text.get(..36)?)?;
    let next = text[36..].chars().next();
    (!next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))).then_some(36)
}

/// The date, date and time or time of day at the front: how long it is, and what it says, if what
/// has the form also has a meaning.
pub(super) fn temporal(text: &str) -> Option<(usize, Option<Literal>)> {
    let mut at = Cursor { text: text.as_bytes(), at: 0 };
    if at.digits(2) && at.byte(b':') && at.digits(2) {
        at.seconds();
        let literal = Literal::TimeOfDay(text[..at.at].to_owned());
        let valid = text[..2] < *"24" && text[3..5] < *"60" && (at.at < 8 || text[6..8] < *"60");
        return Some((at.at, valid.then_some(literal)));
    }
    at.at = 0;
    at.byte(b'-');
    let year = at.at;
    while at.digits(1) {}
    if at.at - year < 4 || !(at.byte(b'-') && at.digits(2) && at.byte(b'-') && at.digits(2)) {
        return None;
    }
    let date = at.at;
    if at.text.get(date).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if !((at.byte(b'T') || at.byte(b't')) && at.digits(2)) {
        let day = &text[..date];
        let literal = DateTimeOffset::parse(day).map(|_| Literal::Date(day.to_owned()));
        return Some((date, literal));
    }
    let mut valid = at.byte(b':') && at.digits(2);
    at.seconds();
    if !(at.byte(b'Z') || at.byte(b'z')) {
        valid &= (at.byte(b'+') || at.byte(b'-')) && at.digits(2) && at.byte(b':') && at.digits(2);
    }
    let instant = Moment::parse(&text[..at.at]).filter(|_| valid);
    Some((at.at, instant.map(Literal::DateTimeOffset)))
}

/// The number at the front and its bytes.
pub(super) fn number(text: &str) -> Option<(usize, Literal)> {
    let mut at = Cursor { text: text.as_bytes(), at: 0 };
    if !at.byte(b'-') {
        at.byte(b'+');
    }
    if at.at == 1 && text.starts_with("-INF") && identifier(&text[1..]) == 3 {
        return Some((4, Literal::Number("-INF".to_owned())));
    }
    if !at.digits(1) {
        return None;
    }
    while at.digits(1) {}
    let mut is_whole = true;
    let whole = at.at;
    if at.byte(b'.') {
        if at.digits(1) {
            is_whole = false;
            while at.digits(1) {}
        } else {
            at.at = whole;
        }
    }
    let mantissa = at.at;
    if at.byte(b'e') || at.byte(b'E') {
        if !at.byte(b'-') {
            at.byte(b'+');
        }
        if at.digits(1) {
            is_whole = false;
            while at.digits(1) {}
        } else {
            at.at = mantissa;
        }
    }
    let written = &text[..at.at];
    let literal = match written.parse() {
        Ok(value) if is_whole => Literal::Integer(value),
        _ => Literal::Number(written.strip_prefix('+').unwrap_or(written).to_owned()),
    };
    Some((at.at, literal))
}

/// What a quoted text means behind a name: a duration, binary, geography, geometry, or a member of
/// the enumeration of that name.
pub(super) fn prefixed(name: &str, text: String) -> Option<Literal> {
    if name.eq_ignore_ascii_case("duration") {
        return Fine::parse_duration(&text).map(Literal::Duration);
    }
    if name.eq_ignore_ascii_case("binary") {
        let digits = text.trim_end_matches('=');
        let is_base64url =
            digits.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        return (is_base64url && digits.len() % 4 != 1 && text.len() - digits.len() < 3)
            .then_some(Literal::Binary(text));
    }
    if name.eq_ignore_ascii_case("geography") || name.eq_ignore_ascii_case("geometry") {
        let is_plain = text.starts_with("SRID=") && !text.contains('\'');
        return is_plain.then(|| Literal::Geo(format!("{}'{text}'", name.to_ascii_lowercase())));
    }
    Some(Literal::Enum { ty: name.to_owned(), members: text })
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// Moves behind exactly `count` digits, or stays.
    fn digits(&mut self, count: usize) -> bool {
        let found = self
            .text
            .get(self.at..self.at + count)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
        self.at += if found { count } else { 0 };
        found
    }

    /// Moves behind `:ss` and its fraction, if they are there.
    fn seconds(&mut self) {
        let before = self.at;
        if !(self.byte(b':') && self.digits(2)) {
            self.at = before;
            return;
        }
        let before = self.at;
        if !(self.byte(b'.') && self.digits(1)) {
            self.at = before;
            return;
        }
        while self.digits(1) {}
    }
}
