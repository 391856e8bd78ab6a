//! The token inside an Authorization header (RFC 6750, section 2.1).

use crate::denial::Denial;

/// Takes the token out of the value of an Authorization header.
///
/// The scheme is compared without regard to case. A header that came twice is the caller's to
/// refuse, as is a token in the query, which isn't looked at.
///
/// # Errors
/// [`Denial::Empty`] without a header, with another scheme or with no token; [`Denial::Malformed`]
/// when the rest holds anything but visible ASCII without spaces.
pub fn bearer(header: Option<&[u8]>) -> Result<&str, Denial> {
    let value = header.unwrap_or_default().trim_ascii();
    let (scheme, rest) = match value.iter().position(|&byte| byte == b' ') {
        Some(end) => value.split_at(end),
        None => (value, &[][..]),
    };
    let token = rest.trim_ascii();
    if !scheme.eq_ignore_ascii_case(b"bearer") || token.is_empty() {
        return Err(Denial::Empty);
    }
    if !token.iter().all(u8::is_ascii_graphic) {
        return Err(Denial::Malformed);
    }
    str::from_utf8(token).map_err(|_| Denial::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_follows_the_scheme() {
        for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c ", " Bearer a.b.c"] {
            assert_eq!(bearer(Some(header.as_bytes())), Ok("a.b.c"), "{header:?}");
        }
    }

    #[test]
    fn no_token_is_empty() {
        assert_eq!(bearer(None), Err(Denial::Empty));
        for header in ["", "Bearer", "Bearer ", "Basic YTpi", "Bearera.b.c", "a.b.c", "DPoP a.b.c"]
        {
            assert_eq!(bearer(Some(header.as_bytes())), Err(Denial::Empty), "{header:?}");
        }
    }

    #[test]
    fn bytes_that_no_token_has_are_malformed() {
        for header in [&b"Bearer a.b.c d"[..], b"Bearer a\0b", b"Bearer \xff\xfe", b"Bearer a\tb"] {
            assert_eq!(bearer(Some(header)), Err(Denial::Malformed), "{header:?}");
        }
    }
}
