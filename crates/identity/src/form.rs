//! Form bodies (`application/x-www-form-urlencoded`, as in RFC 6749, appendix B).

/// The fields of a form in their order; `None` when an escape is broken or the text is no UTF-8.
pub(crate) fn fields(body: &[u8]) -> Option<Vec<(String, String)>> {
    body.split(|&byte| byte == b'&')
        .filter(|field| !field.is_empty())
        .map(|field| {
            let end = field.iter().position(|&byte| byte == b'=').unwrap_or(field.len());
            let value = field.get(end + 1..).unwrap_or_default();
            Some((decode(&field[..end])?, decode(value)?))
        })
        .collect()
}

/// One name or value, with `+` and `%XX` undone.
pub(crate) fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_in_order() {
        let found = fields(b"a=1&b=x%20y+z&&c&d=%C3%A9%3d=&a=2").expect("a form");
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "\u{e9}=="), ("a", "2")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(fields(b"").expect("an empty form"), []);
    }

    #[test]
    fn broken_escapes_are_no_form() {
        for body in [&b"a=%"[..], b"a=%2", b"a=%zz", b"%=1", b"a=%ff", b"a=\xff", b"a=%+1"] {
            assert_eq!(fields(body), None, "{body:?}");
        }
    }
}
