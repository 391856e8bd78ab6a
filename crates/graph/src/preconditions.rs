//! What a change makes a condition of being made: `If-Match` and `If-None-Match` (RFC 9110 sections 13.1.1
//! and 13.1.2).

use http::header::{IF_MATCH, IF_NONE_MATCH};
use web::Problem;

use crate::read_request::ReadRequest;
use crate::tag::TagOf;

/// Checks that the record with this key is in the state that the conditions name. `read` is the request, as
/// if it asked for the record.
///
/// # Errors
/// 412 if `If-Match` names another state than that of the record, or there is no record; or if
/// `If-None-Match` names its state, or any by `*`.
pub(crate) fn check(read: &ReadRequest<'_>, id_key: &[u8]) -> Result<(), Problem> {
    let headers = &read.request.headers;
    if ![IF_MATCH, IF_NONE_MATCH].iter().any(|name| headers.contains_key(name)) {
        return Ok(());
    }
    let found = read.reader().current(&read.scope.tenant, id_key, false)?;
    let tag = found.map(|record| read.tag(TagOf::Record, &record)).transpose()?;
    let is_named = |name| tag.is_some_and(|tag| tag.is_named_by(headers.get_all(name)));
    let is_other = headers.contains_key(IF_MATCH) && !is_named(IF_MATCH);
    if is_other || is_named(IF_NONE_MATCH) {
        return Err(Problem::modified());
    }
    Ok(())
}
