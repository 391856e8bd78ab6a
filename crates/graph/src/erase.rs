//! `DELETE callRecords/{id}`: erases a record, with all its versions.

use http::StatusCode;
use web::{Code, Problem, Response};

use crate::preconditions;
use crate::read_request::ReadRequest;

/// Erases a record: 204, whether it was there or not. `read` is the request, as if it asked for the
/// record.
///
/// # Errors
/// 403 that names the role, and 412 if its conditions are not met.
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
    preconditions::check(&read, &id_key)?;
    let were_there = worker.store.erase(tenant, vec![id_key]).await?;
    if were_there == [true] {
        worker.shared.records.count("erased");
        tracing::info!(tenant = tenant.as_str(), application = read.caller.app_id, "record erased");
    }
    Ok(Response::empty(StatusCode::NO_CONTENT))
}
