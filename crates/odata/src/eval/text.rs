//! Functions of text. Characters are Unicode scalar values.

use std::borrow::Cow;

/// The lower-case text.
pub(super) fn to_lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text;
    }
    Cow::Owned(text.to_lowercase())
}

/// The upper-case text.
pub(super) fn to_upper(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase()) {
        return text;
    }
    Cow::Owned(text.to_uppercase())
}

/// Text without white space around it.
pub(super) fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// How many characters there are.
pub(super) fn length(text: &str) -> i64 {
    text.chars().count() as i64
}

/// Where a text stands in another, in characters; -1 when it doesn't.
pub(super) fn index_of(text: &str, part: &str) -> i64 {
    text.find(part).map_or(-1, |at| length(&text[..at]))
}

/// The characters from `start` on, `count` at most. A negative start counts from the end, and from the
/// beginning if there are not as many; no text has a negative count.
pub(super) fn substring(
    text: Cow<'_, str>,
    start: i64,
    count: Option<i64>,
) -> Option<Cow<'_, str>> {
    let start = if start < 0 { length(&text).saturating_add(start).max(0) } else { start };
    let at = offset(&text, usize::try_from(start).ok()?);
    let end = match count {
        None => text.len(),
        Some(count) => at + offset(&text[at..], usize::try_from(count).ok()?),
    };
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[at..end]),
        Cow::Owned(text) => Cow::Owned(text[at..end].to_owned()),
    })
}

/// Byte offset of the character with that index; the end when there are fewer.
fn offset(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        assert_eq!(length("a😀é"), 3);
        assert_eq!(index_of("a😀é", "é"), 2);
        assert_eq!(index_of("a😀é", ""), 0);
        assert_eq!(index_of("a😀é", "x"), -1);
        for (start, count, expected) in [
            (1, None, Some("😀é")),
            (1, Some(1), Some("😀")),
            (-1, None, Some("é")),
            (-2, Some(1), Some("😀")),
            (-3, None, Some("a😀é")),
            (-5, Some(1), Some("a")),
            (3, None, Some("")),
            (99, Some(2), Some("")),
            (i64::MAX, Some(i64::MAX), Some("")),
            (i64::MIN, Some(i64::MIN), None),
            (0, Some(-1), None),
        ] {
            let text = substring("a😀é".into(), start, count);
            assert_eq!(text.as_deref(), expected, "{start} {count:?}");
            assert_eq!(substring("a😀é".to_owned().into(), start, count).as_deref(), expected);
        }
    }

    #[test]
    fn case_and_space_are_those_of_unicode() {
        assert_eq!(to_lower("ÄB".into()), "äb");
        assert_eq!(to_upper("straße".into()), "STRASSE");
        assert!(matches!(to_lower("abc-1".into()), Cow::Borrowed(_)));
        assert_eq!(trim("\u{3000}a\u{a0}\t".into()), "a");
    }
}
