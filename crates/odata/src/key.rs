//! Keys of entities in addresses and contexts (URL Conventions section 4.3.1).
//!
//! Nothing that is written here needs an escape in JSON or a header line: quotes are doubled, and
//! whatever an address can't hold is percent-encoded.

use std::borrow::Cow;

use crate::percent::encode_segment;

/// A key in parentheses, as contexts write it: `('…')`.
pub fn in_parentheses(key: &str) -> String {
    format!("('{}')", between_quotes(key))
}

/// A key behind the name of a collection, as addresses write it: a segment of its own where that
/// can't be read as anything else, else in parentheses.
pub fn in_path(key: &str) -> String {
    if is_plain(key) { format!("/{key}") } else { in_parentheses(key) }
}

/// Appends a key as it stands between the quotes.
pub fn push(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(between_quotes(key).as_bytes());
}

fn between_quotes(key: &str) -> Cow<'_, str> {
    if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Cow::Borrowed(key);
    }
    Cow::Owned(encode_segment(&key.replace('\'', "''")))
}

/// Whether a key can't be taken for a name and needs no encoding.
fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && (key.contains('-') || key.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::percent::{Plus, decode};

    #[test]
    fn a_key_is_written_so_that_it_is_read_back() {
        for key in
            ["a", "it's", "a\",\"b\":\"c", "..", "a/b", "a%2Fb", "\u{0}\n\\", "\u{202e}é", "('"]
        {
            for text in [in_parentheses(key), in_path(key)] {
                assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
                assert!(!text.contains(['"', '\\']), "{text}");
                let inside = text.strip_prefix("('").and_then(|text| text.strip_suffix("')"));
                let inside = decode(inside.unwrap(), Plus::Literal).unwrap();
                assert_eq!(inside.replace("''", "'"), key);
            }
        }
        assert_eq!(in_path("3cf3bbc8-a"), "/3cf3bbc8-a");
        assert_eq!(in_parentheses("3cf3bbc8-a"), "('3cf3bbc8-a')");
    }
}
