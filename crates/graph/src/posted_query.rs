//! `POST …/$query`: options in the body, for queries that are too long for an address (OData Protocol
//! section 11.2.7.3; URL Conventions section 2).

use std::borrow::Cow;

use odata::Limits;
use web::{Problem, body};

use crate::request::Request;
use crate::worker::Worker;

/// Most bytes of the options that a body brings.
const LARGEST: usize = 1 << 20;
/// And nodes of their expressions, for chains of `or`; a list behind `in` may be as long as the body.
const MOST_NODES: usize = 1 << 16;

/// Turns the request into the GET that it stands for.
pub(crate) async fn take(worker: &Worker, request: &mut Request) -> Result<(), Problem> {
    body::content_type(&request.headers, &["text/plain"])?;
    let mut reservation = worker.web.shared.budget.reserve(0)?;
    let bytes = request.take_body().read(LARGEST, Some(&mut reservation)).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
    request.become_query(text.trim())
}

/// The limits of options that came in a body.
pub(crate) fn limits(limits: &Limits) -> Limits {
    Limits {
        url: limits.url + LARGEST,
        filter: limits.filter.max(LARGEST),
        nodes: limits.nodes.max(MOST_NODES),
        in_list: limits.in_list.max(LARGEST),
        ..limits.clone()
    }
}

/// The limits of the options of a request. Those of a link may have been posted first.
pub(crate) fn limits_of<'l>(request: &Request, own: &'l Limits) -> Cow<'l, Limits> {
    if request.has_posted_query() {
        return Cow::Owned(limits(own));
    }
    let query = request.query().unwrap_or_default();
    if query.contains("skiptoken=") || query.contains("deltatoken=") {
        return Cow::Owned(Limits { url: own.url, ..limits(own) });
    }
    Cow::Borrowed(own)
}

/// Says of options in an address that are too long where there is more room.
pub(crate) fn hint(request: &Request, error: &odata::Error) -> &'static str {
    let is_length = match error.kind {
        odata::error::Kind::TooMuch { what, .. } => {
            ["bytes", "items of a list", "nodes of expressions"].contains(&what)
        }
        _ => false,
    };
    if is_length && !request.has_posted_query() { "POST …/$query takes more." } else { "" }
}
