//! The one error at the HTTP border, and its form in JSON.
//!
//! A [`Problem`] knows what the client is told and, apart from it, the cause that only the log is
//! told. Request ids and the date are stamped when it is rendered, so constructors stay pure.

mod code;
mod conversions;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::Method;
use http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

pub use code::Code;
pub use code::special;

use crate::request_id::RequestIds;

type Text = Cow<'static, str>;
type Cause = Box<dyn Error + Send + Sync>;

/// The challenge that Graph sends with every 401, letter for letter.
const CHALLENGE: HeaderValue = HeaderValue::from_static(
    "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/\
     authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
);

/// One of several faults of a request (OData JSON Format 4.01 section 21.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// A word for what is wrong.
    pub code: &'static str,
    /// A sentence about it.
    pub message: String,
    /// Where it is.
    pub target: String,
}

/// A request that ends early. One word wide, since every fallible step carries it.
pub struct Problem(Box<Parts>);

struct Parts {
    code: Code,
    /// Instead of the code's own name.
    name: Option<&'static str>,
    message: Text,
    target: Option<Text>,
    details: Vec<Detail>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Cause>,
    /// Something that is kept can't be read.
    is_damage: bool,
}

impl Problem {
    fn new(code: Code, message: impl Into<Text>) -> Self {
        Self(Box::new(Parts {
            code,
            name: None,
            message: message.into(),
            target: None,
            details: Vec::new(),
            headers: Vec::new(),
            cause: None,
            is_damage: false,
        }))
    }

    /// 400: the request can't be understood or contradicts itself.
    pub fn bad_request(message: impl Into<Text>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// 401 with Graph's challenge.
    pub fn unauthenticated(message: impl Into<Text>) -> Self {
        Self::new(Code::Unauthenticated, message).with_header(WWW_AUTHENTICATE, CHALLENGE)
    }

    /// 403, with the empty message that Graph sends.
    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "")
    }

    /// 403 with a reason.
    pub fn forbidden_because(message: impl Into<Text>) -> Self {
        Self::new(Code::Forbidden, message)
    }

    /// 404 with a reason.
    pub fn not_there(message: impl Into<Text>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// 404 for a URL that leads nowhere.
    pub fn no_such_route() -> Self {
        Self::new(Code::NotFound, "There is no resource at this path.")
    }

    /// 405 with the methods that do work, in this order.
    pub fn method_not_allowed<'m>(methods: impl IntoIterator<Item = &'m Method>) -> Self {
        let methods: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
        let allow = HeaderValue::from_str(&methods.join(", ")).expect("methods are visible ASCII");
        Self::new(Code::MethodNotAllowed, "The method is not allowed for this resource.")
            .with_header(ALLOW, allow)
    }

    /// 406.
    pub fn not_acceptable(message: impl Into<Text>) -> Self {
        Self::new(Code::NotAcceptable, message)
    }

    /// 408: the body stopped arriving.
    pub fn request_timeout() -> Self {
        Self::new(Code::RequestTimeout, "The body of the request did not arrive in time.")
    }

    /// 409.
    pub fn conflict(message: impl Into<Text>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// 412.
    pub fn precondition_failed(message: impl Into<Text>) -> Self {
        Self::new(Code::PreconditionFailed, message)
    }

    /// 410: what a link goes on with was erased.
    pub fn gone(message: impl Into<Text>) -> Self {
        Self::new(Code::ResyncRequired, message)
    }

    /// 412: the resource is not in the state that `If-Match` names.
    pub fn modified() -> Self {
        Self::new(
            Code::PreconditionFailed,
            "The resource is not in the state that the request names.",
        )
    }

    /// 413. `limit` in bytes.
    pub fn too_large(limit: u64) -> Self {
        Self::new(Code::TooLarge, format!("The body is larger than {limit} bytes."))
    }

    /// 414. `limit` in bytes.
    pub fn uri_too_long(limit: usize) -> Self {
        Self::new(
            Code::UriTooLong,
            format!("The URL is longer than {limit} bytes. POST …/$query takes more."),
        )
    }

    /// 415.
    pub fn unsupported_media_type(message: impl Into<Text>) -> Self {
        Self::new(Code::UnsupportedMediaType, message)
    }

    /// 424: a member of a batch that this one depends on failed.
    pub fn failed_dependency(id: &str) -> Self {
        Self::new(
            Code::FailedDependency,
            format!("The request '{id}', which this one depends on, failed."),
        )
    }

    /// 429.
    pub fn throttled(wait: Duration) -> Self {
        Self::new(Code::Throttled, "Please retry again later.").with_retry_after(wait)
    }

    /// 431. `limit` in bytes.
    pub fn headers_too_large(limit: usize) -> Self {
        Self::new(
            Code::HeadersTooLarge,
            format!("The header lines are longer than {limit} bytes in all."),
        )
    }

    /// 500. The client learns nothing but the request id.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(Code::Internal, "An internal error occurred. The request id names it in the log.")
            .with_cause(cause)
    }

    /// 500 as well: what is kept of something can't be read. In a list it costs no more than its own row.
    pub fn damaged(cause: impl Into<Cause>) -> Self {
        let mut problem = Self::internal(cause);
        problem.0.is_damage = true;
        problem
    }

    /// 501. `message` names what isn't built.
    pub fn not_supported(message: impl Into<Text>) -> Self {
        Self::new(Code::NotSupported, message)
    }

    /// 503: can't be done now, may well be done after `wait`.
    pub fn unavailable(cause: impl Into<Cause>, wait: Duration) -> Self {
        Self::new(Code::Unavailable, "The service is temporarily unavailable. Please retry later.")
            .with_retry_after(wait)
            .with_cause(cause)
    }

    /// 503: the query has taken all the time that it may take.
    pub fn out_of_time(cause: impl Into<Cause>) -> Self {
        let message = "The query takes longer than it may (limits.query_milliseconds). Narrow it, or \
                       retry later.";
        Self::new(Code::Unavailable, message)
            .with_retry_after(Duration::from_secs(5))
            .with_cause(cause)
    }

    /// Goes by another name than its code has; see [`code::special`].
    #[must_use]
    pub fn named(mut self, name: &'static str) -> Self {
        self.0.name = Some(name);
        self
    }

    /// Names the place: an option (`$filter`), a header, a JSON pointer.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<Text>) -> Self {
        self.0.target = Some(target.into());
        self
    }

    /// Names every fault by itself.
    #[must_use]
    pub fn with_details(mut self, details: Vec<Detail>) -> Self {
        self.0.details = details;
        self
    }

    /// Adds a sentence to what the client is told.
    #[must_use]
    pub fn adding(mut self, sentence: &str) -> Self {
        if !sentence.is_empty() {
            self.0.message = format!("{} {sentence}", self.0.message).into();
        }
        self
    }

    /// Says where in the query the budget ran out, if it is the query's that did.
    #[must_use]
    pub fn in_calculation(mut self, place: &str) -> Self {
        if self.0.code == Code::BadRequest {
            self.0.message = format!("{} It ran out in {place}.", self.0.message).into();
        }
        self
    }

    /// Adds a header line.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// What the log is told and nobody else.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Whole seconds, at least one, since the header has no finer unit.
    fn with_retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Which of the registry's codes it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether it is [`Problem::damaged`].
    pub fn is_damage(&self) -> bool {
        self.0.is_damage
    }

    /// The place, if one was named.
    pub fn target(&self) -> Option<&str> {
        self.0.target.as_deref()
    }

    /// Whether it says that something is too large to be read on the thread of a worker.
    pub fn is_of_size(&self) -> bool {
        let cause = self.0.cause.as_ref().and_then(|cause| cause.downcast_ref::<store::Error>());
        matches!(cause, Some(store::Error::Large))
    }

    /// Its header lines.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// Writes the cause to the log where no ids of a request are at hand.
    pub fn log_cause(&self) {
        let Some(cause) = &self.0.cause else { return };
        let cause = Chain(cause.as_ref());
        if self.0.code.status().is_server_error() {
            tracing::error!(code = self.0.code.name(), cause = %cause, "a page has no answer");
        }
    }

    /// Writes the cause to the log: once, when the answer is made. What has none has no line of its own,
    /// the access log has it.
    pub fn log(&self, ids: &RequestIds) {
        let Some(cause) = &self.0.cause else { return };
        let chain = Chain(cause.as_ref());
        if self.0.code.status().is_server_error() {
            tracing::error!(request_id = ids.request(), code = self.0.code.name(), cause = %chain);
        } else {
            tracing::info!(request_id = ids.request(), code = self.0.code.name(), cause = %chain);
        }
    }

    /// Graph's error JSON. `now` is Unix seconds.
    pub fn render(&self, ids: &RequestIds, now: i64) -> Vec<u8> {
        let mut out = Vec::with_capacity(384);
        out.extend_from_slice(b"{\"error\":{");
        let name = self.0.name.unwrap_or(self.0.code.name());
        push_members(&mut out, name, &self.0.message, self.target());
        push_details(&mut out, &self.0.details);
        out.extend_from_slice(b",\"innerError\":{\"date\":\"");
        // Graph writes the date without zone and fraction.
        out.extend_from_slice(&date_time(now));
        out.extend_from_slice(b"\",");
        odata::json::push_member(&mut out, "request-id", ids.request());
        out.push(b',');
        odata::json::push_member(&mut out, "client-request-id", ids.client());
        out.extend_from_slice(b"}}}");
        out
    }
}

fn push_members(out: &mut Vec<u8>, code: &str, message: &str, target: Option<&str>) {
    let members = [("code", Some(code)), ("message", Some(message)), ("target", target)];
    let given = members.into_iter().filter_map(|(name, text)| Some((name, text?)));
    for (index, (name, text)) in given.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        odata::json::push_member(out, name, text);
    }
}

fn push_details(out: &mut Vec<u8>, details: &[Detail]) {
    for (index, Detail { code, message, target }) in details.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b",\"details\":[{" } else { b",{" });
        push_members(out, code, message, Some(target));
        out.push(b'}');
    }
    if !details.is_empty() {
        out.push(b']');
    }
}

/// `2026-11-23T12:00:00`, UTC.
fn date_time(unix_seconds: i64) -> Vec<u8> {
    let mut text = odata::primitive::DateTimeOffset::from_unix_seconds(unix_seconds).to_string();
    text.truncate("2026-11-23T12:00:00".len());
    text.into_bytes()
}

/// Says only what the client may know.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.code.status().as_u16(), self.0.code.name(), self.0.message)
    }
}

/// Says the cause as well.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.0.cause {
            Some(cause) => write!(f, " ({})", Chain(cause.as_ref())),
            None => Ok(()),
        }
    }
}

/// An error and everything below it.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut below = self.0.source();
        while let Some(cause) = below {
            write!(f, ": {cause}")?;
            below = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> RequestIds {
        RequestIds::for_test("0a0a0a0a-0000-4000-8000-000000000001", "client \"1\"")
    }

    #[test]
    fn rendered_in_graphs_order_with_a_date_without_zone() {
        let problem =
            Problem::bad_request("Not \"this\".\n").with_target("$filter").with_cause("secret");
        let text = String::from_utf8(problem.render(&ids(), 1_795_435_200)).unwrap();
        assert_eq!(
            text,
            r#"{"error":{"code":"BadRequest","message":"Not \"this\".\n","target":"$filter","#
                .to_owned()
                + r#""innerError":{"date":"2026-11-23T12:00:00","#
                + r#""request-id":"0a0a0a0a-0000-4000-8000-000000000001","#
                + r#""client-request-id":"client \"1\""}}}"#
        );
    }

    #[test]
    fn details_stand_behind_the_target() {
        let detail = |target: &str| Detail {
            code: "notABit",
            message: "\"x\" is neither.".to_owned(),
            target: target.to_owned(),
        };
        let problem = Problem::bad_request("Two.").with_details(vec![detail("1"), detail("2")]);
        let text = String::from_utf8(problem.render(&ids(), 0)).unwrap();
        let expected = r#""message":"Two.","details":[{"code":"notABit","message":"\"x\" is neither.","target":"1"},{"code":"notABit","message":"\"x\" is neither.","target":"2"}],"innerError""#;
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn the_cause_is_in_debug_only() {
        let problem = Problem::internal("disk on fire");
        assert!(!problem.to_string().contains("fire"));
        assert!(!String::from_utf8(problem.render(&ids(), 0)).unwrap().contains("fire"));
        assert!(format!("{problem:?}").contains("fire"));
    }

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        for (wait, expected) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (2_128, "3")] {
            let problem = Problem::throttled(Duration::from_millis(wait));
            assert_eq!(problem.headers()[0], (RETRY_AFTER, expected.parse().unwrap()), "{wait}");
        }
    }

    #[test]
    fn a_denied_token_becomes_401_403_or_503() {
        use identity::Denial;
        let cases = [
            (Denial::Empty, Code::Unauthenticated),
            (Denial::Expired, Code::Unauthenticated),
            (Denial::Delegated, Code::Forbidden),
            (Denial::KeysUnavailable, Code::Unavailable),
        ];
        for (denied, code) in cases {
            assert_eq!(Problem::from(denied).code(), code, "{denied:?}");
        }
    }

    #[test]
    fn a_401_carries_graphs_challenge_letter_for_letter() {
        let problem = Problem::from(identity::Denial::Empty);
        assert_eq!(
            problem.headers()[0].1,
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/\
             oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\""
        );
    }
}
