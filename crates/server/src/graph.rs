//! Graph's resources: from a bound path to an answer.
//!
//! Every address below `/v1.0` and `/beta` comes through [`dispatch`]; which resource it means is
//! read in one place (`target`). Plain reads of a record and of what is inside it are copied by a
//! file for each; every other question is answered by the `compose`r.

mod answers;
mod ask;
mod call_events;
mod call_records;
mod calls;
mod capabilities;
mod compose;
mod deliveries;
mod demands;
mod import;
mod intake;
mod large;
mod lister;
mod local;
mod logs;
mod metadata;
mod ndjson;
mod page_text;
mod paging;
mod participants;
pub(crate) mod plain;
mod sessions;
mod shown;
mod strict;
mod subscriptions;
mod tag;
mod target;
mod write;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use http::Method;
use odata::bound::{ExpandItem, ExpandKind, Query, Resource, Step};
use odata::page_token::Keys;
use odata::primitive::DateTimeOffset;
use store::{RowSet, clock};

use crate::StartError;
use crate::body;
use crate::problem::Problem;
use crate::request::{Request, without_query_segment};
use crate::response::Response;
use crate::router::{ApiVersion, Route};
use crate::worker::{Worker, WorkerStart};
use answers::Answers;
use ask::Ask;
pub use compose::QueryLimits;
pub use local::{Local, LocalError};
use target::{Base, NotBuilt, Tail, Target};

/// Bytes of the answers that all threads keep ready, and those that a thread keeps at least.
const ANSWERS: usize = 40 << 20;
const LEAST_ANSWERS: usize = 8 << 20;

/// Most bytes of the options that `POST …/$query` brings: links repeat them in addresses.
const LARGEST_QUERY: usize = 16 * 1024;

/// What Graph's resources keep in each worker thread.
#[derive(Debug)]
pub(crate) struct State {
    keys: Rc<Keys>,
    etag_key: [u8; 32],
    /// The forms of a record that were asked for lately.
    pub(crate) forms: RefCell<plain::Forms>,
    /// Answers of these forms that are kept ready.
    pub(crate) answers: RefCell<Answers>,
}

impl State {
    pub(crate) fn new(start: &WorkerStart<'_>) -> Result<Self, StartError> {
        let keys = &start.options.page_token_keys;
        let first = keys.first().map(|(_, key)| *key).unwrap_or_default();
        Ok(Self {
            keys: Rc::new(Keys::new(keys.clone()).ok_or(StartError::NoPageTokenKey)?),
            etag_key: blake3::derive_key("callvault 2026-11 entity tags", &first),
            forms: RefCell::default(),
            answers: RefCell::new(Answers::new((ANSWERS / start.threads).max(LEAST_ANSWERS))),
        })
    }
}

fn model(version: ApiVersion) -> &'static odata::edm::Model {
    match version {
        ApiVersion::V1 => &model::generated::V1_0,
        ApiVersion::Beta => &model::generated::BETA,
    }
}

/// Answers a request below a version's root.
pub(crate) async fn dispatch(
    worker: &Rc<Worker>,
    request: &mut Request,
) -> Result<Response, Problem> {
    match request.path() {
        "" | "/" => {
            request.route = Route::ServiceDocument;
            return metadata::service_document(worker, request);
        }
        "/$metadata" | "/%24metadata" => {
            request.route = Route::Metadata;
            return metadata::document(request);
        }
        _ => {}
    }
    if request.method == Method::POST && without_query_segment(request.path()).is_some() {
        take_posted_query(request).await?;
    }
    let began = Instant::now();
    let (resource, query) = parse(worker, request)?;
    request.timings.stage("parse", began.elapsed());
    match beside_records(&resource) {
        Some(Beside::Subscriptions) => {
            return Box::pin(subscriptions::answer(worker, request, &resource, &query)).await;
        }
        Some(Beside::Calls) => {
            return Box::pin(calls::answer(worker, request, &resource, &query)).await;
        }
        Some(Beside::CallEvents) => {
            by_itself(request)?;
            return Box::pin(call_events::answer(worker, request)).await;
        }
        Some(Beside::Deliveries) => {
            return Box::pin(deliveries::answer(worker, request, &resource, &query)).await;
        }
        None => {}
    }
    if let Some(log) = logs::of(&resource) {
        return Box::pin(logs::answer(worker, request, log, &resource, &query)).await;
    }
    let target = Target::of(&resource).map_err(|NotBuilt(what)| not_built(&what))?;
    request.route = target.route();
    match (&request.method, &target.base, &target.tail) {
        (&Method::GET, ..) => {
            if worker.settings.is_strict {
                strict::check(&target, &query)?;
            }
            let ask = Ask::new(worker, request, &resource, &query)?;
            let began = Instant::now();
            let answer = read(ask, target).await;
            request.timings.stage("answer", began.elapsed());
            answer
        }
        (&Method::POST, Base::Rows(RowSet::Records), Tail::Whole) => {
            Box::pin(write::post(worker, request)).await
        }
        (&Method::PUT, Base::Record(record), Tail::Whole) if record.version.is_none() => {
            Box::pin(write::put(worker, request, &record.id)).await
        }
        (&Method::POST, Base::Import, _) => {
            by_itself(request)?;
            Box::pin(import::run(worker, request)).await
        }
        _ => Err(Problem::method_not_allowed(target.methods())),
    }
}

/// What is answered beside call records and what is inside them.
enum Beside {
    Subscriptions,
    Calls,
    CallEvents,
    Deliveries,
}

fn beside_records(resource: &Resource) -> Option<Beside> {
    match resource.steps.as_slice() {
        [Step::EntitySet { name: "subscriptions", .. }, ..] => Some(Beside::Subscriptions),
        [Step::Singleton { .. }, Step::Navigation(property), ..] if property.name == "calls" => {
            Some(Beside::Calls)
        }
        [Step::Singleton { .. }, Step::Operation { operation, .. }] => match operation.name {
            "callEvents" => Some(Beside::CallEvents),
            "deliveries" => Some(Beside::Deliveries),
            _ => None,
        },
        _ => None,
    }
}

/// Reads path and options against the tables of the version.
fn parse(worker: &Worker, request: &Request) -> Result<(Resource, Query), Problem> {
    let limits = &worker.shared.options.query.language;
    let query = request.query().unwrap_or_default();
    let now = DateTimeOffset(clock::now());
    let model = model(request.version);
    if request.has_posted_query() {
        let limits = odata::Limits {
            url: limits.url + LARGEST_QUERY,
            filter: limits.filter.max(LARGEST_QUERY),
            ..limits.clone()
        };
        return Ok(odata::parse_request(model, request.path(), query, &limits, now)?);
    }
    Ok(odata::parse_request(model, request.path(), query, limits, now)?)
}

/// Turns `POST …/$query` into the GET that it stands for.
async fn take_posted_query(request: &mut Request) -> Result<(), Problem> {
    body::content_type(&request.headers, &["text/plain"])?;
    let bytes = request.take_body().read(LARGEST_QUERY, None).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
    request.become_query(text.trim())
}

async fn read(ask: Ask<'_>, target: Target) -> Result<Response, Problem> {
    if target.tail == Tail::Whole && target.filters.is_empty() && is_plain(ask.query) {
        let answer = match &target.base {
            Base::Record(record) => Some(call_records::get(&ask, record)),
            Base::Sessions(record) => Some(sessions::list(&ask, record)),
            Base::Participants(record) => Some(participants::list(&ask, record)),
            _ => None,
        };
        match answer {
            Some(Err(problem)) if problem.is_of_size() => {
                return Box::pin(large::answer(&ask, &target.base)).await;
            }
            Some(answer) => return answer,
            None => {}
        }
    }
    ask.compose(target).await
}

/// Whether an answer is a copy of what is kept, perhaps with members left out.
fn is_plain(query: &Query) -> bool {
    let asks_for_items = query.apply.is_some()
        || !query.compute.is_empty()
        || query.filter.is_some()
        || query.search.is_some()
        || !query.orderby.is_empty()
        || query.skip.is_some();
    // Segments are kept with their session, and copied with it all together.
    let is_whole = |item: &ExpandItem| item.property.name != "segments" || item.query.top.is_none();
    let is_plain_inside = |item: &ExpandItem| {
        item.kind == ExpandKind::Entities
            && is_whole(item)
            && !item.query.count
            && is_plain(&item.query)
    };
    !asks_for_items && query.expand.iter().all(is_plain_inside)
}

/// 501 for a member of a batch: what is answered line by line, while it is sent, is no part of another
/// answer.
fn by_itself(request: &Request) -> Result<(), Problem> {
    if !request.is_member {
        return Ok(());
    }
    Err(Problem::not_supported("This is no request for a batch: send it by itself."))
}

fn not_built(what: &str) -> Problem {
    Problem::not_supported(format!("This service does not support {what} yet."))
}
