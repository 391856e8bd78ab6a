//! The telephone logs (Graph, "getPstnCalls" and its sisters): functions bound to the call records
//! that read a log's rows of a range of time, and actions that fill it.
//!
//! A request without options is answered as Graph does: a thousand rows a page, `$skip` in the link,
//! and the number of the page's rows as `@odata.count`. With options our query language works on the
//! rows, unless `graph.strict` is on: Graph ignores them.

mod join;
mod report;
mod rows;

use std::rc::Rc;

use http::Method;
use model::TenantId;
use model::log::{CALL_RECORD, Log, LogRow};
use odata::bound::{Query, Resource, Step};
use odata::edm::StructuredType;
use odata::json::Json;
use odata::literal::Literal;
use odata::primitive::TICKS_PER_DAY;
use store::{LogRowOutcome, LogRange, Pending, Reader, Store};

use super::ask::Ask;
use super::intake::{self, Intake};
use super::lister;
use super::ndjson::Rejection;
use super::paging::{MOST_SESSIONS, Page};
use super::shown::{self, Shown};
use crate::auth::role;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::router::{ApiVersion, Route};
use crate::worker::Worker;
use rows::Rows;

/// Rows on a page at most, and with their records.
const MOST_ROWS: usize = 1_000;
const MOST_WITH_RECORDS: usize = MOST_SESSIONS;

/// The log that a path reads or fills, if it leads to one.
pub(super) fn of(resource: &Resource) -> Option<(Log, &Step)> {
    let [_, Step::Navigation(records), step @ Step::Operation { operation, .. }] =
        resource.steps.as_slice()
    else {
        return None;
    };
    let log = Log::of_function(operation.name).or_else(|| Log::of_action(operation.name));
    log.filter(|_| records.name == "callRecords").map(|log| (log, step))
}

/// Answers a request for a path that leads here.
pub(super) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
    (log, step): (Log, &Step),
    resource: &Resource,
    query: &Query,
) -> Result<Response, Problem> {
    let Step::Operation { operation, arguments, .. } = step else {
        return Err(Problem::no_such_route());
    };
    if operation.is_action {
        request.route = Route::LogImport;
        super::by_itself(request)?;
        if request.method != Method::POST {
            return Err(Problem::method_not_allowed("POST"));
        }
        return intake::answer(worker, request, RowsIn(log)).await;
    }
    request.route = Route::Log;
    if request.method != Method::GET {
        return Err(Problem::method_not_allowed("GET, HEAD"));
    }
    // Graph looks at no option here, so neither do we where we are to be as it is.
    let ignored = Query { skip: query.skip, ..Query::default() };
    let query = if worker.settings.is_strict { &ignored } else { query };
    let roles: &[&str] =
        if asks_for_records(query) { &[role::READ] } else { &[role::READ_PSTN, role::READ] };
    let ask = Ask::with_roles(worker, request, resource, query, roles)?;
    let range = range(log, arguments)?;
    let ty = ty(log, request.version)?;
    let shown = if is_plain(query) {
        page(&ask, range, ty).await?
    } else {
        let rows = Rows::new(&ask, range, ty);
        let mut shown = lister::shown(&ask, rows, most_rows(query)).await?;
        shown.count = shown.count.or(Some(shown.items.len() as u64));
        shown
    };
    shown::collection(&ask, ty, &shown)
}

/// Rows on a page of an answer at most.
pub(super) fn most_rows(query: &Query) -> usize {
    if query.expand.is_empty() { MOST_ROWS } else { MOST_WITH_RECORDS }
}

/// Whether a query touches the records that rows lead to.
fn asks_for_records(query: &Query) -> bool {
    query.uses_member(CALL_RECORD)
}

/// Whether a query asks for rows as they are, in their order.
fn is_plain(query: &Query) -> bool {
    *query == Query { skip: query.skip, ..Query::default() }
}

fn ty(log: Log, version: ApiVersion) -> Result<&'static StructuredType, Problem> {
    match version {
        ApiVersion::Beta => Ok(log.ty()),
        ApiVersion::V1 => log.ty_of_v1().ok_or_else(Problem::no_such_route),
    }
}

/// The stretch that is asked for.
fn range(log: Log, arguments: &[(&'static str, Literal)]) -> Result<LogRange, Problem> {
    let instant = |wanted: &str| {
        let found = arguments.iter().find(|(name, _)| *name == wanted);
        match found.map(|(_, value)| value) {
            Some(Literal::DateTimeOffset(instant)) => Ok(instant.0),
            _ => Err(Problem::bad_request(format!("'{wanted}' is no point in time."))),
        }
    };
    let (from, to) = (instant("fromDateTime")?, instant("toDateTime")?);
    if from > to {
        let message = "'fromDateTime' is later than 'toDateTime'.";
        return Err(Problem::bad_request(message).with_target("fromDateTime"));
    }
    if log.most_days().is_some_and(|days| to.saturating_sub(from) > days * TICKS_PER_DAY) {
        let message = "The range between 'fromDateTime' and 'toDateTime' exceeds 90 days.";
        return Err(Problem::not_acceptable(message).with_target("toDateTime"));
    }
    Ok(LogRange { log, from, end: to.saturating_add(i64::from(log.includes_end())) })
}

/// A page as Graph gives it.
async fn page(
    ask: &Ask<'_>,
    range: LogRange,
    ty: &'static StructuredType,
) -> Result<Shown, Problem> {
    let size = Page::first(ask.query, MOST_ROWS, ask.request.preferences.max_page_size).size;
    let skip = ask.query.skip.unwrap_or(0);
    let most = ask.worker.shared.options.query.cost.rows_scanned;
    let tenant = ask.tenant.clone();
    let read = move |reader: &mut Reader| {
        let text = |body: &str| rows::text(range.log, ty, body);
        if range.log == Log::DialoutReport {
            let all = report::sums(reader, &tenant, &range, most)?;
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            let page = all.iter().skip(skip).take(size + 1);
            return Ok(page.map(|row| text(row.as_str())).collect());
        }
        let kept = reader.log_rows(&tenant, &range, None, (skip, size + 1))?;
        Ok(kept.iter().map(|row| text(&row.body)).collect())
    };
    // What is skipped, or summed up, is read as well.
    let is_bounded = skip == 0 && range.log != Log::DialoutReport;
    let mut items: Vec<Json> =
        if is_bounded { read(&mut ask.reader())? } else { ask.elsewhere(read).await? };
    let has_more = items.len() > size;
    items.truncate(size);
    let next = skip.saturating_add(size as u64);
    // Graph's links have the short name.
    let path = ask.path.replacen("microsoft.graph.callRecords.", "", 1);
    let next = has_more.then(|| format!("{}/{path}?$skip={next}", ask.root()));
    Ok(Shown { count: Some(items.len() as u64), items, next })
}

/// Rows of a log come in.
#[derive(Clone, Copy)]
struct RowsIn(Log);

impl Intake for RowsIn {
    type Row = LogRow;
    type Kept = LogRowOutcome;
    const NOUN: &'static str = "row";
    const MEMBER: &'static str = "rows";
    const RESULT: (&'static str, &'static str) = ("callvault.logRowResult", "id");

    fn check(&self, text: &str) -> (Option<String>, Result<LogRow, Rejection>) {
        match model::log::read(self.0, text, None) {
            Ok(row) => (row.id.clone(), Ok(row)),
            Err(error) => {
                let target = error.pointer().to_owned();
                let rejection = Rejection::new("BadRequest", error.to_string());
                (None, Err(Rejection { target, ..rejection }))
            }
        }
    }

    fn keep(&self, store: &Store, tenant: &TenantId, rows: Vec<LogRow>) -> Pending<Vec<LogRowOutcome>> {
        store.keep_log_rows(tenant, rows)
    }

    fn status(kept: LogRowOutcome) -> Result<&'static str, Rejection> {
        Ok(kept.name())
    }
}
