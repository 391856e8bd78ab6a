//! Answers for scripts of other origins in a browser (Fetch standard, "CORS protocol"): off unless origins
//! are named. Callers show a token in a header line, so that no credentials of the browser are needed.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
};
use http::{HeaderMap, Method, StatusCode};

use crate::header_lines::{Line, VARIES_BY, VARIES_BY_ORIGIN};
use crate::response::Response;

/// Header lines of answers that scripts may read.
const EXPOSED: &str = "ETag, Location, Preference-Applied, Retry-After, OData-Version, OData-EntityId, \
                       request-id, client-request-id, Server-Timing, Callvault-Result, \
                       Callvault-Incomplete, Callvault-Warning, Callvault-Records-Lacking-Columns";
/// Methods that scripts may use.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// Seconds for which a browser may remember what it was told.
const REMEMBERED: &str = "3600";

/// Whose scripts may read answers.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    origins: Vec<String>,
    is_any: bool,
}

impl Cors {
    /// For these origins (`https://app.contoso.com`), or for any (`*`).
    ///
    /// # Errors
    /// With the first that is no origin.
    pub fn new(origins: Vec<String>) -> Result<Self, String> {
        match origins.iter().find(|origin| *origin != "*" && !is_origin(origin)) {
            Some(wrong) => Err(wrong.clone()),
            None => Ok(Self { is_any: origins.iter().any(|origin| origin == "*"), origins }),
        }
    }

    /// What answers depend on beside the address.
    pub fn varies_by(&self) -> &'static Line {
        if self.origins.is_empty() || self.is_any { &VARIES_BY } else { &VARIES_BY_ORIGIN }
    }

    /// The value that lets the script of a request read its answer. What is ours and no address of Graph
    /// never has one.
    pub(crate) fn allowed(&self, path: &str, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let is_below = |root: &str| {
            path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_below("/ui") || is_below("/callvault") {
            return None;
        }
        if self.is_any {
            return Some(HeaderValue::from_static("*"));
        }
        let is_known = self.origins.iter().any(|known| known.as_bytes() == origin.as_bytes());
        is_known.then(|| origin.clone())
    }
}

/// The answer to a browser that asks whether it may send what it says, from an origin that is allowed;
/// `None` for any other request.
pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    if method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let response = Response::empty(StatusCode::NO_CONTENT)
        .with_header(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS))
        .with_header(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
    Some(match headers.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|it| is_list(it)) {
        Some(asked) => response.with_header(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone()),
        None => response,
    })
}

/// Adds the lines that let a script of an allowed origin read an answer.
pub(crate) fn stamp(origin: HeaderValue, lines: &mut HeaderMap) {
    lines.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    lines.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// Whether a text is a scheme and a host, perhaps with a port, as browsers write them (RFC 6454 section
/// 6.2).
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or(text.strip_prefix("http://"));
    host.is_some_and(|host| {
        crate::host::is_host(host.as_bytes()) && !host.bytes().any(|byte| byte.is_ascii_uppercase())
    })
}

/// Whether a line is a list of names of header lines.
fn is_list(line: &HeaderValue) -> bool {
    line.as_bytes()
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b',' | b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        Cors::new(origins.iter().map(|origin| (*origin).to_owned()).collect()).unwrap()
    }

    fn from(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
    }

    #[test]
    fn only_named_origins_are_let_in_and_nowhere_else() {
        let app = "https://app.contoso.com";
        for (origins, path, origin, expected) in [
            (&[][..], "/v1.0", app, None),
            (&[app][..], "/v1.0/communications", app, Some(app)),
            (&[app], "/v1.0", "https://app.contoso.com.x", None),
            (&[app], "/v1.0", "http://app.contoso.com", None),
            (&[app], "/v1.0", "null", None),
            (&["*"], "/v1.0", "null", Some("*")),
            (&["*"], "/ui", app, None),
            (&["*"], "/ui/x", app, None),
            (&["*"], "/callvault/lake/", app, None),
            (&["*"], "/uix", app, Some("*")),
        ] {
            let found = cors(origins).allowed(path, &from(origin));
            let found = found.as_ref().map(|origin| origin.to_str().unwrap());
            assert_eq!(found, expected, "{origins:?} {path} {origin}");
        }
    }

    #[test]
    fn a_browser_that_asks_first_is_told_what_it_may_send() {
        let mut asked = from("https://app.contoso.com");
        assert!(preflight(&Method::OPTIONS, &asked).is_none());
        asked.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("GET"));
        let names = HeaderValue::from_static("authorization, prefer");
        asked.insert(ACCESS_CONTROL_REQUEST_HEADERS, names.clone());
        assert!(preflight(&Method::GET, &asked).is_none());
        let allowed = |asked: &HeaderMap| {
            let lines = preflight(&Method::OPTIONS, asked).unwrap().headers;
            lines.into_iter().find(|(name, _)| *name == ACCESS_CONTROL_ALLOW_HEADERS)
        };
        assert_eq!(allowed(&asked).map(|(_, value)| value), Some(names));
        asked.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("a\"b"));
        assert_eq!(allowed(&asked), None);
    }

    #[test]
    fn origins_have_no_path() {
        for wrong in
            ["", "app.contoso.com", "https://app.contoso.com/", "ftp://a", "https://A", "null"]
        {
            assert_eq!(Cors::new(vec![wrong.to_owned()]).err().as_deref(), Some(wrong));
        }
        for origin in ["*", "http://localhost:3000", "https://[::1]:8080"] {
            assert!(Cors::new(vec![origin.to_owned()]).is_ok(), "{origin}");
        }
    }
}
