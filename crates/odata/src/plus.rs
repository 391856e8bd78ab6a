//! What a raw `+` in the query of a URL stands for.
//!
//! By the grammar a `+` is itself: a character of text, or the sign of a number or of a time's offset,
//! and white space is a space, a tab, `%20` or `%09`. Clients that encode a query as HTML forms are
//! encoded write `+` for each space, and `%2B` for a plus. Both kinds of client are told apart by the
//! whole query: if a `+` outside quotes stands where the grammar has room for white space only, the query
//! was encoded as a form, and every `+` in it is a space; otherwise every `+` is literal. A sign before
//! digits behind a time of day or an exponent's `e` is a sign in either case: no space can stand there.

use std::borrow::Cow;

use crate::percent::{Plus, decode};
use crate::system_option::SystemOption;

/// What `+` stands for in this query (the text behind `?`).
pub fn of_query(query: &str) -> Plus {
    let is_form = query.contains('+') && query.split('&').any(shows_form_encoding);
    if is_form { Plus::Space } else { Plus::Literal }
}

/// Undoes the percent-encoding of an option's value, given what `+` stands for in its query.
///
/// # Errors
/// As [`decode`].
pub fn decode_value(value: &str, plus: Plus) -> Result<Cow<'_, str>, usize> {
    if plus == Plus::Literal || !value.contains('+') {
        return decode(value, Plus::Literal);
    }
    let marked = Marked::decode(value)?;
    let mut bytes = marked.text.into_bytes();
    for at in marked.pluses {
        if !is_sign_of_offset_or_exponent(&bytes, at) {
            bytes[at] = b' ';
        }
    }
    // Only ASCII was put in place of ASCII.
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| value.len())
}

/// Whether a pair of name and value has a `+` where only white space can stand.
fn shows_form_encoding(pair: &str) -> bool {
    let Some((name, value)) = pair.split_once('=').filter(|(_, value)| value.contains('+')) else {
        return false;
    };
    let Ok(name) = decode(name, Plus::Space) else { return false };
    let (rule, quotes): (Rule, &[u8]) = match SystemOption::from_name(&name) {
        Some(SystemOption::Search) => (is_beside_operator, b"\""),
        // Of these the value is no text of the query language.
        Some(
            SystemOption::Format
            | SystemOption::SchemaVersion
            | SystemOption::SkipToken
            | SystemOption::DeltaToken,
        ) => return false,
        None if !name.starts_with('@') => return false,
        // Text stands in single quotes, in JSON in double ones.
        _ => (is_no_sign, b"'\""),
    };
    let Ok(marked) = Marked::decode(value) else { return false };
    let text = marked.text.as_bytes();
    let outside = outside_quotes(text, quotes);
    marked.pluses.iter().any(|at| outside[*at] && rule(text, *at))
}

/// Whether the `+` at a position can only be white space.
type Rule = fn(&[u8], usize) -> bool;

/// Text without percent-encoding, and where the `+` stand in it that were not encoded.
struct Marked {
    text: String,
    pluses: Vec<usize>,
}

impl Marked {
    fn decode(value: &str) -> Result<Self, usize> {
        let mut marked = Self { text: String::with_capacity(value.len()), pluses: Vec::new() };
        for (number, part) in value.split('+').enumerate() {
            if number > 0 {
                marked.pluses.push(marked.text.len());
                marked.text.push('+');
            }
            let before = part.as_ptr() as usize - value.as_ptr() as usize;
            marked.text += &decode(part, Plus::Literal).map_err(|byte| before + byte)?;
        }
        Ok(marked)
    }
}

/// For each byte of a text, whether it stands outside quotes. A doubled quote closes and opens again.
fn outside_quotes(text: &[u8], quotes: &[u8]) -> Vec<bool> {
    let mut open = None;
    let mut is_escaped = false;
    let is_outside = |byte: &u8| {
        match open {
            _ if is_escaped => is_escaped = false,
            Some(b'"') if *byte == b'\\' => is_escaped = true,
            Some(quote) if quote == *byte => open = None,
            None if quotes.contains(byte) => open = Some(*byte),
            _ => {}
        }
        open.is_none()
    };
    text.iter().map(is_outside).collect()
}

/// In an expression or a list of names `+` is the sign of a number, or else white space.
fn is_no_sign(text: &[u8], at: usize) -> bool {
    let is_before_number = matches!(text.get(at + 1), Some(b'0'..=b'9' | b'.'));
    let begins = match at.checked_sub(1).map(|before| text[before]) {
        None => true,
        Some(before) => matches!(before, b' ' | b'\t' | b'(' | b',' | b'=' | b':' | b'[' | b';'),
    };
    !(is_before_number && begins || is_sign_of_offset_or_exponent(text, at))
}

/// In `$search` a `+` is a character of a word, but beside an operator, which stands between spaces.
fn is_beside_operator(text: &[u8], at: usize) -> bool {
    let operators = [&b"AND"[..], b"OR", b"NOT"];
    let ends =
        |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b'+' | b' ' | b'(' | b')'));
    let (before, after) = (&text[..at], &text[at + 1..]);
    operators.iter().any(|operator| {
        let follows = after.strip_prefix(*operator).is_some_and(|rest| ends(rest.first()));
        let precedes = before.strip_suffix(*operator).is_some_and(|rest| ends(rest.last()));
        follows || precedes
    })
}

/// Whether `+03:00` behind a time of day begins at a position, or `+3` behind the `e` of a number.
fn is_sign_of_offset_or_exponent(text: &[u8], at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at + 1..]);
    is_offset(after) && ends_with_time(before)
        || after.first().is_some_and(u8::is_ascii_digit) && ends_with_exponent(before)
}

fn is_offset(after: &[u8]) -> bool {
    matches!(after, [b'0'..=b'9', b'0'..=b'9', b':', b'0'..=b'9', b'0'..=b'9', ..])
}

/// Whether a text ends with `T12:30`, `T12:30:59` or `T12:30:59.123`.
fn ends_with_time(text: &[u8]) -> bool {
    let is_of_time = |byte: &&u8| matches!(byte, b'0'..=b'9' | b':' | b'.');
    let length = text.iter().rev().take_while(is_of_time).count();
    let (before, time) = text.split_at(text.len() - length);
    let is_clock = time.len() >= 5 && time[2] == b':' && is_offset(time);
    is_clock && matches!(before.last(), Some(b'T' | b't'))
}

/// Whether a text ends with the `e` of a number with an exponent.
fn ends_with_exponent(text: &[u8]) -> bool {
    let [mantissa @ .., b'e' | b'E'] = text else { return false };
    let is_of_number = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.');
    let digits = mantissa.iter().rev().take_while(is_of_number).count();
    let (before, digits) = mantissa.split_at(mantissa.len() - digits);
    let is_name = before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    digits.iter().any(u8::is_ascii_digit) && !is_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_is_a_space_if_one_stands_where_only_white_space_can() {
        for form in [
            "$filter=version+eq+1",
            "%24filter=version+eq%201",
            "filter=id%20eq+'a'",
            "$orderby=startDateTime+desc",
            "$select=id,+type",
            "$expand=sessions($filter=isTest+eq+true)",
            "$apply=groupby((type),+aggregate($count+as+n))",
            "$compute=version+mul+2+as+n",
            "$filter=@p&@p=version+eq+1",
            "$filter=version+eq+1&$search=a+b",
            "$search=a+AND+b",
            "$search=NOT+a",
            "$search=\"a\"+OR+(b)",
            "$filter=name+3",
            "$filter=1+5",
            "$filter=%27a%27+eq%20id",
        ] {
            assert_eq!(of_query(form), Plus::Space, "{form}");
        }
    }

    #[test]
    fn plus_is_itself_where_the_grammar_has_one() {
        for literal in [
            "$filter=participants_v2/any(p:p/id%20eq%20'+15550101771')",
            "$filter=startswith(callerNumber,'+')",
            "$filter=startswith(callerNumber,%27+%27)",
            "$filter=startDateTime%20le%202026-10-16T12:08:39.6469153+03:00",
            "$filter=startDateTime%20le%202026-10-16T12%3A08+03%3A00",
            "$filter=version%20eq%201e+3",
            "$filter=version%20eq%20+3",
            "$filter=version%20in%20(1,+2)",
            "$filter=id%20eq%20'it''s%20a+b'",
            "$search=+15550101771",
            "$search=a+b",
            "$search=\"a+AND+b\"",
            "$search=BAND+b",
            "$filter=hassubset(labels,[\"it's+a\\\"+b\"])",
            "$format=a/b+json",
            "$skiptoken=a+b",
            "custom=a+b",
            "$top=5",
        ] {
            assert_eq!(of_query(literal), Plus::Literal, "{literal}");
        }
    }

    #[test]
    fn signs_behind_times_and_exponents_stay_in_a_form() {
        let decoded = |value| decode_value(value, Plus::Space).unwrap();
        assert_eq!(decoded("a+le+2026-10-16T12:08:39+03:00"), "a le 2026-10-16T12:08:39+03:00");
        assert_eq!(
            decoded("a+le+2026-10-16T12%3A08%3A39%2B03:00"),
            "a le 2026-10-16T12:08:39+03:00"
        );
        assert_eq!(decoded("a+eq+1e+3"), "a eq 1e+3");
        assert_eq!(decoded("a+eq+'b+c%2B'"), "a eq 'b c+'");
        assert_eq!(decode_value("a+b%4", Plus::Space), Err(3));
    }
}
