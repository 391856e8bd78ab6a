//! `DELETE callRecords/{id}`: erases a record, with all its versions.

use http::StatusCode;
use http::header::IF_MATCH;
use web::{Code, Problem, Response};

use crate::read_request::ReadRequest;
use crate::tag::TagOf;

/// Erases a record: 204, whether it was there or not. `read` is the request, as if it asked for the
/// record.
///
/// # Errors
/// 403 that names the role, and 412 if `If-Match` names another state than that of the record, or there
/// is none (RFC 9110 section 13.1.1).
pub(crate) async fn answer(
    read: Result<ReadRequest<'_>, Problem>,
    id: &str,
) -> Result<Response, Problem> {
    let read = read.map_err(|problem| match problem.code() {
        Code::Forbidden => {
            let message = "Erasing a record takes the application role Callvault.Admin.";
            Problem::forbidden_because(message)
        }
        _ => problem,
    })?;
    let (worker, tenant, id_key) = (read.worker, &read.scope.tenant, model::key(id));
    if read.request.headers.contains_key(IF_MATCH) {
        let found = read.reader().current(tenant, &id_key, false)?;
        let tag = found.map(|record| read.tag(TagOf::Record, &record)).transpose()?;
        let lines = read.request.headers.get_all(IF_MATCH);
        if !tag.is_some_and(|tag| tag.is_named_by(lines)) {
            return Err(Problem::modified());
        }
    }
    let were_there = worker.store.erase(tenant, vec![id_key]).await?;
    if were_there == [true] {
        worker.shared.records.count("erased");
        tracing::info!(tenant = tenant.as_str(), application = read.caller.app_id, "record erased");
    }
    Ok(Response::empty(StatusCode::NO_CONTENT))
}
