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

use model::log::{CALL_RECORD, Log, LogRow};
use model::{TenantId, UndeclaredName};
use odata::bound::{Query, Resource, Step};
use odata::edm::StructuredType;
use odata::json::Json;
use odata::literal::Literal;
use odata::primitive::TICKS_PER_DAY;
use store::{LogRange, LogRowOutcome, Pending, Reader, Store};
use web::problem::Problem;
use web::response::Response;

use crate::caller::role;
use crate::intake::{self, Intake, Outcome};
use crate::items::{self, ItemPage};
use crate::lister;
use crate::ndjson::{Rejection, SizeLimits};
use crate::paging::{MOST_SESSIONS, Page, PageLimit};
use crate::read_request::ReadRequest;
use crate::request::Request;
use crate::version::ApiVersion;
use crate::worker::Worker;
use rows::Rows;

/// Rows on a page, and with their records, unless more are asked for.
const MOST_ROWS: usize = 1_000;
const MOST_WITH_RECORDS: usize = MOST_SESSIONS;

/// Answers with rows of a log.
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    request: &Request,
    log: Log,
    resource: &Resource,
    query: &Query,
    roles: &[&str],
) -> Result<Response, Problem> {
    let arguments = match resource.steps.last() {
        Some(Step::Operation { arguments, .. }) => arguments.as_slice(),
        _ => &[],
    };
    // Graph looks at no option here, so neither do we where we are to be as it is.
    let ignored = Query { skip: query.skip, ..Query::default() };
    let query = if worker.settings.is_strict { &ignored } else { query };
    let roles = if asks_for_records(query) { &[role::READ] } else { roles };
    let read = ReadRequest::new(worker, request, resource, query, roles)?;
    let limit = page_limit(&read);
    let read = read.with_largest_page(limit.most);
    let range = range(log, arguments)?;
    let ty = ty(log, request.place.version)?;
    let page = if is_plain(query) {
        page(&read, range, ty).await?
    } else {
        let rows = Rows::new(&read, range, ty);
        let mut page = lister::page(&read, rows, limit).await?;
        page.count = page.count.or(Some(page.items.len() as u64));
        page
    };
    items::collection(&read, ty, &page)
}

/// Takes rows of a log.
pub(crate) async fn import(
    worker: &Rc<Worker>,
    request: &mut Request,
    log: Log,
    roles: &[&str],
) -> Result<Response, Problem> {
    intake::answer(worker, request, LogIntake(log), roles).await
}

/// Rows on a page of an answer.
fn page_limit(read: &ReadRequest<'_>) -> PageLimit {
    if !read.query.expand.is_empty() {
        return MOST_WITH_RECORDS.into();
    }
    let usual = MOST_ROWS;
    let most =
        if read.worker.settings.is_strict { usual } else { read.worker.shared.query.cost.page };
    PageLimit { usual, most: most.max(usual) }
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

/// The range of time that is asked for.
fn range(log: Log, arguments: &[(&'static str, Literal)]) -> Result<LogRange, Problem> {
    let instant = |wanted: &str| {
        let found = arguments.iter().find(|(name, _)| *name == wanted);
        match found.map(|(_, value)| value) {
            Some(Literal::DateTimeOffset(instant)) => Ok(instant.at.ticks),
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
    read: &ReadRequest<'_>,
    range: LogRange,
    ty: &'static StructuredType,
) -> Result<ItemPage, Problem> {
    let size = Page::first(read.query, page_limit(read), read.scope.max_page_size).size;
    let skip = read.query.skip.unwrap_or(0);
    let most = read.worker.shared.query.cost.rows_scanned;
    let tenant = read.scope.tenant.clone();
    let rows = move |reader: &mut Reader| {
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
        if is_bounded { rows(&mut read.reader())? } else { read.elsewhere(rows).await? };
    let has_more = items.len() > size;
    items.truncate(size);
    let next = skip.saturating_add(size as u64);
    // Graph's links have the short name.
    let path = read.path.replacen("microsoft.graph.callRecords.", "", 1);
    let next = has_more.then(|| format!("{}/{path}?$skip={next}", read.scope.root));
    Ok(ItemPage { count: Some(items.len() as u64), items, next })
}

/// How rows of a log are taken.
#[derive(Clone, Copy)]
struct LogIntake(Log);

impl Intake for LogIntake {
    type Checker = ();
    type Row = LogRow;
    type Stored = LogRowOutcome;
    const NOUN: &'static str = "row";
    const MEMBER: &'static str = "rows";
    const RESULT: &'static str = "callvault.logRowResult";
    const ID: &'static str = "id";
    const LARGEST: SizeLimits = SizeLimits::OF_ROWS;

    fn warnings(row: &LogRow) -> Vec<UndeclaredName> {
        row.undeclared.clone()
    }

    fn checker(&self, _: &Store) {}

    fn check(
        &self,
        (): &mut (),
        text: &str,
        begins: u64,
    ) -> (Option<String>, Result<LogRow, Rejection>) {
        match model::log::read(self.0, text, None).map_err(|error| error.from_line(begins)) {
            Ok(row) => (row.id.clone(), Ok(row)),
            Err(error) => {
                let target = error.pointer().to_owned();
                let rejection = Rejection::new("BadRequest", error.to_string());
                (None, Err(Rejection { target, ..rejection }))
            }
        }
    }

    fn keep(
        &self,
        store: &Store,
        tenant: &TenantId,
        rows: Vec<LogRow>,
    ) -> Pending<Vec<LogRowOutcome>> {
        store.keep_log_rows(tenant, rows)
    }

    fn outcome(kept: LogRowOutcome) -> Outcome {
        Outcome::of(Ok(kept.name()))
    }
}
