//! How the body of a request is framed. What two readers could frame differently would be two requests
//! to one of them (RFC 9112 section 6.3): it is refused, and the connection ends.

use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderValue, Version};

use crate::problem::Problem;

/// 400 for a request that says more than once how its body is transferred.
pub(crate) fn check(head: &Parts) -> Result<(), Problem> {
    let mut lines = head.headers.get_all(TRANSFER_ENCODING).iter().map(HeaderValue::as_bytes);
    let is_plain = match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(line), None) => {
            head.version == Version::HTTP_11 && line.trim_ascii().eq_ignore_ascii_case(b"chunked")
        }
        (Some(_), Some(_)) => false,
    };
    if is_plain {
        return Ok(());
    }
    let problem = Problem::bad_request("The request does not say in one way where its body ends.");
    Err(problem
        .with_target("Transfer-Encoding")
        .with_header(CONNECTION, HeaderValue::from_static("close")))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn one_way_is_understood_and_no_other_beside_it() {
        for (version, lines, expected) in [
            (Version::HTTP_11, &[][..], true),
            (Version::HTTP_11, &["chunked"], true),
            (Version::HTTP_11, &[" Chunked "], true),
            (Version::HTTP_11, &["chunked", "chunked"], false),
            (Version::HTTP_11, &["chunked, chunked"], false),
            (Version::HTTP_11, &["gzip, chunked"], false),
            (Version::HTTP_10, &["chunked"], false),
        ] {
            let mut request = Request::post("/").version(version);
            for line in lines {
                request = request.header(TRANSFER_ENCODING, *line);
            }
            let head = request.body(()).unwrap().into_parts().0;
            assert_eq!(check(&head).is_ok(), expected, "{version:?} {lines:?}");
        }
    }
}
