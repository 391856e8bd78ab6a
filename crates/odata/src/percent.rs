//! Percent-encoding of URL paths and queries (RFC 3986 section 2.1).

use std::borrow::Cow;

/// What `+` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plus {
    /// Itself, as in a path.
    Literal,
    /// A space, as forms and several OData clients write it in a query.
    Space,
}

/// Undoes percent-encoding. `Err` is the byte offset of a `%` without two hexadecimal digits, or
/// the length of the text when the bytes are not UTF-8.
pub fn decode(text: &str, plus: Plus) -> Result<Cow<'_, str>, usize> {
    let bytes = text.as_bytes();
    let is_plain = |byte: &u8| *byte != b'%' && (*byte != b'+' || plus == Plus::Literal);
    if bytes.iter().all(is_plain) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let digit = |offset: usize| {
                    bytes.get(at + offset).and_then(|byte| (*byte as char).to_digit(16))
                };
                let (Some(high), Some(low)) = (digit(1), digit(2)) else { return Err(at) };
                out.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            b'+' if plus == Plus::Space => out.push(b' '),
            other => out.push(*other),
        }
        at += 1;
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| text.len())
}

/// Encodes a value for a query, leaving what reads well and is allowed there: `$ ( ) , ; = / : @ '`
/// and the like. `&`, `+`, `#` and `%` are encoded, since they would mean something else.
pub fn encode_query(text: &str) -> String {
    encode(text, b"-._~!$'()*,;:@/?=")
}

/// Encodes one segment of a path.
pub fn encode_segment(text: &str) -> String {
    encode(text, b"-._~!$&'()*+,;:@=")
}

/// Encodes what can't stand in an address (RFC 3986 appendix A). What is encoded stays so.
pub fn encode_address(text: &str) -> String {
    encode(text, b"-._~:/?@!$&'()*+,;=%")
}

fn encode(text: &str, kept: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(DIGITS[usize::from(byte >> 4)] as char);
            out.push(DIGITS[usize::from(byte & 15)] as char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_decodes_to_itself() {
        for text in ["", "a b", "50%", "a+b&c=d#e", "Gülçin, 東京", "'x''y'", "\u{0}\\\"{}"] {
            assert_eq!(decode(&encode_query(text), Plus::Space).unwrap(), text);
            assert_eq!(decode(&encode_segment(text), Plus::Literal).unwrap(), text);
        }
    }

    #[test]
    fn a_plus_is_a_space_only_in_a_query() {
        assert_eq!(decode("a+b%2Bc", Plus::Space).unwrap(), "a b+c");
        assert_eq!(decode("a+b%2Bc", Plus::Literal).unwrap(), "a+b+c");
    }

    #[test]
    fn broken_escapes_and_bytes_that_are_not_utf8_are_refused() {
        assert_eq!(decode("ab%4", Plus::Literal), Err(2));
        assert_eq!(decode("%zz", Plus::Literal), Err(0));
        assert_eq!(decode("%é", Plus::Literal), Err(0));
        assert_eq!(decode("%ff", Plus::Literal), Err(3));
    }
}
