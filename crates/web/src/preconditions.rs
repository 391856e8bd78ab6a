//! What a request makes a condition of being answered at all.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, IF_MATCH};

use crate::problem::Problem;
use crate::response::ETag;

const ISOLATION: [HeaderName; 2] =
    [HeaderName::from_static("isolation"), HeaderName::from_static("odata-isolation")];

/// 412 for a client that wants all pages of one snapshot (OData Protocol 8.2.4): each page shows what is
/// there when it is asked for.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    for name in ISOLATION {
        let Some(value) = headers.get(&name) else { continue };
        if value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"snapshot") {
            let message = "Answers over several requests are not isolated from changes.";
            return Err(Problem::precondition_failed(message).with_target("Isolation"));
        }
        let message = "Isolation can be 'snapshot' only.";
        return Err(Problem::bad_request(message).with_target("Isolation"));
    }
    Ok(())
}

/// 412 for an answer whose tag `If-Match` does not name (RFC 9110 section 13.1.1). Tags are compared
/// weakly, since all of ours are weak.
pub(crate) fn check_match(headers: &HeaderMap, etag: Option<ETag>) -> Result<(), Problem> {
    if !headers.contains_key(IF_MATCH) {
        return Ok(());
    }
    let mut lines = headers.get_all(IF_MATCH).iter().map(HeaderValue::as_bytes);
    let is_named = match etag {
        Some(etag) => etag.is_named_by(headers.get_all(IF_MATCH)),
        None => lines.any(|line| line.trim_ascii() == b"*"),
    };
    if is_named {
        return Ok(());
    }
    let message = "What If-Match names is not what is there now.";
    Err(Problem::precondition_failed(message).with_target("If-Match"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), value.parse().unwrap())])
    }

    #[test]
    fn a_snapshot_is_refused_under_both_names() {
        for name in &ISOLATION {
            for (value, code) in [
                ("snapshot", Code::PreconditionFailed),
                ("Snapshot", Code::PreconditionFailed),
                ("x", Code::BadRequest),
            ] {
                assert_eq!(check(&headers(name, value)).unwrap_err().code(), code, "{value}");
            }
        }
        assert!(check(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_tag_that_is_not_there_is_refused() {
        let etag = ETag::new(7);
        let own = String::from_utf8_lossy(&etag.text()).into_owned();
        for (line, tag, is_taken) in [
            (own.as_str(), Some(etag), true),
            ("\"x\"", Some(etag), false),
            ("*", Some(etag), true),
            ("*", None, true),
            ("\"x\"", None, false),
        ] {
            let checked = check_match(&headers(&IF_MATCH, line), tag);
            assert_eq!(checked.is_ok(), is_taken, "{line}");
        }
        assert!(check_match(&HeaderMap::new(), None).is_ok());
    }
}
