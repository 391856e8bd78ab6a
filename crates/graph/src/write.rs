//! One record comes in: `POST callRecords` and `PUT callRecords/{id}`.

use std::rc::Rc;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, LOCATION};
use model::{ShreddedRecord, TenantId};
use odata::bound::{Query, Resource, Step};
use odata::primitive::DateTimeOffset;
use store::{Outcome, WriteResult};
use web::body;
use web::negotiate::{AppliedPreferences, Returns};
use web::{Code, Problem, Response, elsewhere_if_large};

use crate::caller::role;
use crate::caller::tenant;
use crate::preconditions;
use crate::read_request::ReadRequest;
use crate::request::Request;
use crate::tag::TagOf;
use crate::target::RecordRef;
use crate::warning::WARNING_LINE;
use crate::worker::Worker;
use crate::{copy, large};

/// SizeLimits record that is taken, in bytes: a meeting of thousands of sessions has tens of MB.
pub(crate) const LARGEST_RECORD: usize = 128 * 1024 * 1024;

/// To check and shred a byte takes as long as to copy or compress so many.
const COST_OF_SHREDDING: usize = 4;

const RESULT: HeaderName = HeaderName::from_static("callvault-result");
const ENTITY_ID: HeaderName = HeaderName::from_static("odata-entityid");
const INCOMPLETE: HeaderName = HeaderName::from_static("callvault-incomplete");

/// `POST callRecords`: creates a record or a version of one, or merges into it.
pub(crate) async fn post(
    worker: &Rc<Worker>,
    request: &mut Request,
    roles: &[&str],
) -> Result<Response, Problem> {
    let caller = request.require(roles)?;
    let tenant = tenant(&caller)?;
    let shredded = receive(worker, request).await?;
    keep(worker, request, tenant, shredded).await
}

/// `PUT callRecords/{id}`: creates, merges or replaces the record whose id the address names.
pub(crate) async fn put(
    worker: &Rc<Worker>,
    request: &mut Request,
    roles: &[&str],
    id: &str,
) -> Result<Response, Problem> {
    let caller = request.require(roles)?;
    let tenant = tenant(&caller)?;
    let shredded = receive(worker, request).await?;
    if shredded.id_key != model::key(id) {
        let message = format!("The body's id '{}' is not the address's '{id}'.", shredded.id);
        return Err(Problem::bad_request(message).with_target("id"));
    }
    keep(worker, request, tenant, shredded).await
}

/// Reads, checks and shreds the body: a usual one here, a large one, which can take up to a second, on a
/// thread where nobody waits.
async fn receive(worker: &Rc<Worker>, request: &mut Request) -> Result<ShreddedRecord, Problem> {
    body::content_type(&request.headers, &["application/json"])?;
    let mut reservation = worker.web.shared.budget.reserve(0)?;
    let bytes = request.take_body().read(LARGEST_RECORD, Some(&mut reservation)).await?;
    let mut codec = worker.store.codec();
    let cost = COST_OF_SHREDDING * bytes.len();
    let work = move || {
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
        model::shred(text, &mut codec).map_err(|error| invalid(&error))
    };
    elsewhere_if_large(cost, work).await?
}

async fn keep(
    worker: &Rc<Worker>,
    request: &Request,
    tenant: TenantId,
    shredded: ShreddedRecord,
) -> Result<Response, Problem> {
    check_conditions(worker, request, &shredded)?;
    let said = shredded.undeclared.iter().map(|name| format!("{}: {name}", name.pointer));
    let warnings: Vec<HeaderValue> =
        said.filter_map(|text| HeaderValue::try_from(text).ok()).collect();
    let mut written = worker.store.write(&tenant, vec![shredded]).await?;
    let written = written.pop().ok_or_else(|| Problem::internal("the store gave no outcome"))?;
    if let Outcome::Conflict { pointer } = &written.outcome {
        return Err(conflict(&written, pointer));
    }
    worker.shared.records.count(outcome_name(&written.outcome));
    let response = match request.preferences.returns {
        Some(Returns::Minimal) => Response::empty(StatusCode::NO_CONTENT),
        _ => read_back(worker, request, &written).await?,
    };
    let is_created = matches!(written.outcome, Outcome::Created);
    let response = match (is_created, response.status) {
        (true, StatusCode::OK) => response.with_status(StatusCode::CREATED),
        _ => response,
    };
    let name = HeaderValue::from_static(outcome_name(&written.outcome));
    let mut response = response.with_header(RESULT, name).applied(AppliedPreferences {
        returns: request.preferences.returns,
        ..AppliedPreferences::default()
    });
    let incomplete = model::flags::incomplete(written.flags).join(", ");
    if let (false, Ok(value)) = (incomplete.is_empty(), HeaderValue::from_str(&incomplete)) {
        response = response.with_header(INCOMPLETE, value);
    }
    for warning in warnings {
        response = response.with_header(WARNING_LINE, warning);
    }
    let place =
        format!("{}{}", worker.urls().root(request.place.version), address(request, &written.id));
    if let Ok(place) = HeaderValue::from_str(&place) {
        if response.status == StatusCode::NO_CONTENT {
            // OData Protocol 8.3.4.
            response = response.with_header(ENTITY_ID, place.clone());
        }
        if is_created {
            response = response.with_header(LOCATION, place);
        }
    }
    Ok(response)
}

/// Checks the conditions of a change against the record as it is kept. A change that another one overtakes
/// behind this check is still kept as a version of its own.
fn check_conditions(
    worker: &Rc<Worker>,
    request: &Request,
    shredded: &ShreddedRecord,
) -> Result<(), Problem> {
    let resource = resource(request, &shredded.id)?;
    let query = Query::default();
    let read = ReadRequest::new(worker, request, &resource, &query, &[role::WRITE])?;
    preconditions::check(&read, &shredded.id_key)
}

fn resource(request: &Request, id: &str) -> Result<Resource, Problem> {
    let limits = odata::Limits::default();
    let now = DateTimeOffset::from_unix_seconds(web::unix_seconds());
    let model = request.place.version.model();
    Ok(odata::parse_request(model, &address(request, id), "", &limits, now)?.0)
}

/// The basic record as it is now kept, in the version that was written. Whoever may write is shown what
/// it has written.
async fn read_back(
    worker: &Rc<Worker>,
    request: &Request,
    written: &WriteResult,
) -> Result<Response, Problem> {
    let resource = resource(request, &written.id)?;
    let query = Query::default();
    let read = ReadRequest::new(worker, request, &resource, &query, &[role::WRITE])?;
    let record = RecordRef { id: written.id.clone(), version: Some(written.version) };
    match copy::answer(&read, TagOf::Record, &record) {
        Err(problem) if problem.is_of_size() => {
            match Box::pin(large::answer(&read, TagOf::Record, &record)).await {
                // It is written, whether there is room to show it or not.
                Err(problem) if problem.code() == Code::Unavailable => {
                    Ok(Response::empty(StatusCode::NO_CONTENT))
                }
                answer => answer,
            }
        }
        answer => answer,
    }
}

/// The address of a record: its id as a segment where that means it, else in parentheses.
fn address(request: &Request, id: &str) -> String {
    let segment = format!("/communications/callRecords/{id}");
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let limits = odata::Limits::default();
    let read = || {
        let model = request.place.version.model();
        odata::parse_request(model, &segment, "", &limits, DateTimeOffset(0)).ok()
    };
    let means_it = |(resource, _): (Resource, Query)| matches!(resource.steps.last(), Some(Step::Key(key)) if key == id);
    if is_plain && read().is_some_and(means_it) {
        return segment;
    }
    format!("/communications/callRecords{}", odata::key::in_parentheses(id))
}

/// How an outcome is called on the wire.
pub(crate) fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Replaced => "replaced",
        Outcome::Merged => "merged",
        Outcome::Unchanged => "unchanged",
        Outcome::Archived => "archived",
        Outcome::Conflict { .. } => "rejected",
    }
}

/// The problem of a record that can't be kept, with the place in it.
pub(crate) fn invalid(error: &model::Error) -> Problem {
    let problem = Problem::bad_request(error.to_string());
    match error.pointer() {
        "" => problem,
        pointer => problem.with_target(pointer.to_owned()),
    }
}

/// The message for a record that says something else than the one that is kept.
pub(crate) fn conflict_message(written: &WriteResult) -> String {
    format!(
        "The record '{}' is kept in version {} with another value here. Raise the version, or erase the \
         record first.",
        written.id, written.version
    )
}

fn conflict(written: &WriteResult, pointer: &str) -> Problem {
    Problem::conflict(conflict_message(written)).with_target(pointer.to_owned())
}
