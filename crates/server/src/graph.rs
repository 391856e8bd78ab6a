//! Graph's resources: from a bound path to an answer.
//!
//! Every address below `/v1.0` and `/beta` comes through [`dispatch`]; which resource it means is
//! read in one place (`target`), and each kind of resource has a file of its own.

mod ask;
mod call_records;
mod filter;
mod import;
mod metadata;
mod paging;
mod participants;
mod sessions;
mod target;
mod write;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::Method;
use odata::bound::{ExpandItem, ExpandKind, Query, Resource, Step};
use odata::limits::Limits;
use odata::page_token::Keys;
use odata::primitive::DateTimeOffset;

use crate::StartError;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::router::{ApiVersion, Route};
use crate::worker::{Worker, WorkerStart};
use ask::Ask;
use target::{NotBuilt, Target};

/// What Graph's resources keep in each worker thread.
#[derive(Debug)]
pub(crate) struct State {
    keys: Rc<Keys>,
    etag_key: [u8; 32],
    /// For what reads more than a page: a connection that goes to another thread with the work.
    scanner: RefCell<Option<store::Reader>>,
}

impl State {
    pub(crate) fn new(start: &WorkerStart<'_>) -> Result<Self, StartError> {
        let keys = &start.options.page_token_keys;
        let first = keys.first().map(|(_, key)| *key).unwrap_or_default();
        Ok(Self {
            keys: Rc::new(Keys::new(keys.clone()).ok_or(StartError::NoPageTokenKey)?),
            etag_key: blake3::derive_key("callvault 2026-11 entity tags", &first),
            scanner: RefCell::new(None),
        })
    }
}

/// The limits of the query language.
static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);

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
        "/$batch" | "/%24batch" => return Err(not_built("'$batch'")),
        _ => {}
    }
    let began = Instant::now();
    let query = request.query().unwrap_or_default();
    let (resource, query) =
        odata::parse_request(model(request.version), request.path(), query, &LIMITS, now())?;
    refuse_unanswered(&resource, &query)?;
    let target = Target::of(&resource).map_err(|NotBuilt(what)| not_built(&what))?;
    if query.filter.is_some() && !matches!(target, Target::Records | Target::RecordCount) {
        return Err(not_built("the query option '$filter' here"));
    }
    request.route = target.route();
    request.timings.stage("parse", began.elapsed());
    match (&request.method, target) {
        (&Method::GET, target) => {
            let ask = Ask::new(worker, request, &resource, &query)?;
            let began = Instant::now();
            let answer = read(ask, &target).await;
            request.timings.stage("answer", began.elapsed());
            answer
        }
        (&Method::POST, Target::Records) => Box::pin(write::post(worker, request)).await,
        (&Method::PUT, Target::Record(record)) if record.version.is_none() => {
            Box::pin(write::put(worker, request, &record.id)).await
        }
        (&Method::POST, Target::Import) => Box::pin(import::run(worker, request)).await,
        (_, target) => Err(Problem::method_not_allowed(target.methods())),
    }
}

async fn read(ask: Ask<'_>, target: &Target) -> Result<Response, Problem> {
    match target {
        Target::Record(record) => call_records::get(&ask, record),
        Target::Records => call_records::list(&ask).await,
        Target::RecordCount => call_records::count(&ask).await,
        Target::Versions(id) => call_records::versions(&ask, id),
        Target::VersionCount(id) => call_records::version_count(&ask, id),
        Target::Organizer(record) => participants::organizer(&ask, record),
        Target::Participants(record) => participants::list(&ask, record),
        Target::ParticipantCount(record) => participants::count(&ask, record),
        Target::Participant(record, id) => participants::get(&ask, record, id),
        Target::Sessions(record) => sessions::list(&ask, record),
        Target::SessionCount(record) => sessions::count(&ask, record),
        Target::Session(record, id) => sessions::get(&ask, record, id),
        Target::Segments(record, session) => sessions::segments(&ask, record, session),
        Target::SegmentCount(record, session) => sessions::segment_count(&ask, record, session),
        Target::Segment(record, session, id) => sessions::segment(&ask, record, session, id),
        Target::Communications => ask.communications(),
        Target::Import => Err(Problem::method_not_allowed(target.methods())),
    }
}

/// The instant that `now()` stands for.
fn now() -> DateTimeOffset {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ticks = i64::try_from(since.as_nanos() / 100).unwrap_or(i64::MAX);
    DateTimeOffset(ticks)
}

/// Refuses what the language has and no resource answers yet, so that nothing is left out silently.
fn refuse_unanswered(resource: &Resource, query: &Query) -> Result<(), Problem> {
    if resource.steps.iter().any(|step| matches!(step, Step::Filter(_))) {
        return Err(not_built("the path segment '$filter'"));
    }
    if query.apply.is_some() {
        return Err(not_built("the query option '$apply'"));
    }
    if !query.compute.is_empty() {
        return Err(not_built("the query option '$compute'"));
    }
    if query.search.is_some() {
        return Err(not_built("the query option '$search'"));
    }
    if !query.orderby.is_empty() {
        return Err(not_built("the query option '$orderby'"));
    }
    if query.skip.is_some() {
        return Err(not_built("the query option '$skip'"));
    }
    query.expand.iter().try_for_each(refuse_unanswered_inside)
}

fn refuse_unanswered_inside(item: &ExpandItem) -> Result<(), Problem> {
    if item.kind != ExpandKind::Entities {
        return Err(not_built("'$ref' or '$count' in $expand"));
    }
    let query = &item.query;
    if query.filter.is_some() || query.top.is_some() || query.count {
        return Err(not_built("this query option inside $expand"));
    }
    refuse_unanswered(&Resource { steps: Vec::new(), ty: None, is_collection: false }, query)
}

fn not_built(what: &str) -> Problem {
    Problem::not_supported(format!("This service does not support {what} yet."))
}
