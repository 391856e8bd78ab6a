//! `/callvault/places`: maps of places come in, are listed, read and deleted. Each request needs the role to
//! administer, and is about the tenant of its token.

mod effect;
mod json;
mod wanted;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Method, StatusCode};
use identity::Caller;
use model::TenantId;
use odata::json::{Json, Node};
use places::{Faults, Kind, Map, Note, Validity};
use store::{PlaceMapImport, PlaceMapOutcome, PlaceMapResult};
use web::answer_budget::Reader;
use web::body::{Body, content_type};
use web::problem::Detail;
use web::response::ContentType;
use web::{Arrival, Problem, Response, Trace, auth, elsewhere_if_large};

use crate::caller::tenant;
use crate::routes::Rows;
use crate::worker::Worker;

pub use effect::{BUSY, Effect, MissingKey, effect};
pub use json::row as row_json;
use wanted::MapRequest;
pub use wanted::validity;

/// Bytes of a file that comes in this way, at most: it is read in memory. A command takes larger ones.
const LARGEST: usize = 16 << 20;
/// Reading a byte of a file takes about as long as copying so many.
const COST: usize = 32;

/// Which maps a path names.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// One of its versions.
    pub(crate) version: Option<i64>,
}

/// Answers a request to one of these addresses.
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    (rows, named): (Rows, Option<Named>),
    arrival: Arrival,
    trace: &mut Trace,
) -> Result<Response, Problem> {
    trace.route = rows.label().into();
    let caller = auth::authenticate(&worker.web, &arrival.headers).await?;
    let row = rows.select(&arrival.method)?;
    auth::require(&worker.web, &caller, row.roles)?;
    arrival.activity.token_shown();
    let tenant = tenant(&caller)?;
    match (named, &row.method) {
        (None, &Method::GET) => list(worker, &tenant),
        (None, _) => Box::pin(import(worker, &caller, tenant, arrival)).await,
        (Some(named), &Method::GET) => read(worker, caller, &tenant, &named, &arrival).await,
        (Some(named), _) => delete(worker, &tenant, &named).await,
    }
}

fn json(node: &Node<'_>) -> Response {
    Response::of(ContentType::PlainJson, Json::of(node).as_str().to_owned())
}

fn list(worker: &Worker, tenant: &TenantId) -> Result<Response, Problem> {
    let rows = worker.web.reader.borrow_mut().place_maps(tenant)?;
    let items = rows.iter().map(json::row).collect();
    Ok(json(&Node::object([("value", Node::Array(items))])))
}

fn not_there(named: &Named) -> Problem {
    let Named { name, version } = named;
    Problem::not_there(match version {
        Some(version) => format!("There is no version {version} of a map named '{name}'."),
        None => format!("There is no map named '{name}'."),
    })
}

/// The file of a version, or of the newest, as it came in.
async fn read(
    worker: &Worker,
    caller: Arc<Caller>,
    tenant: &TenantId,
    named: &Named,
    arrival: &Arrival,
) -> Result<Response, Problem> {
    let (tenant, wanted) = (tenant.clone(), named.clone());
    let work = move |reader: &mut store::Reader| {
        Ok(reader.place_map(&tenant, &wanted.name, wanted.version)?)
    };
    let found = ask(worker, &caller, work).await?;
    let (_, bytes) = found.ok_or_else(|| not_there(named))?;
    let reader = Reader { caller: Some(caller), peer: Arc::clone(arrival.activity.peer()) };
    let in_flight = worker.web.shared.answer_budget.take(bytes.len() as u64, &reader)?;
    Ok(Response::text(bytes).counted(in_flight))
}

async fn delete(worker: &Worker, tenant: &TenantId, named: &Named) -> Result<Response, Problem> {
    let deleted = worker.store.delete_place_map(tenant, &named.name, named.version).await?;
    if deleted == 0 {
        return Err(not_there(named));
    }
    tracing::info!(tenant = tenant.as_str(), name = named.name, deleted, "map of places deleted");
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// Takes a file, or says what it would do.
async fn import(
    worker: &Worker,
    caller: &Caller,
    tenant: TenantId,
    arrival: Arrival,
) -> Result<Response, Problem> {
    let wanted = MapRequest::read(arrival.uri.query().unwrap_or_default())?;
    let types = ["text/csv", "text/tab-separated-values", "text/plain", "application/octet-stream"];
    content_type(&arrival.headers, &types)?;
    let mut reservation = worker.web.shared.budget.reserve(0)?;
    let mut body = Body::new(arrival.source, &arrival.headers, &worker.web.limits);
    let bytes = body.read(LARGEST, Some(&mut reservation)).await?;
    let (map, notes, note_count) = checked(bytes.clone(), wanted.kind).await?;
    let map = Arc::new(map);
    let effect = if wanted.is_dry_run {
        let (map, tenant) = (Arc::clone(&map), tenant.clone());
        let validity = wanted.validity.unwrap_or_default();
        let deadline = Instant::now() + worker.shared.query.cost.time;
        let work = move |reader: &mut store::Reader| {
            Ok(effect(reader, &tenant, (&map, validity), deadline)?)
        };
        Some(ask(worker, caller, work).await?)
    } else {
        None
    };
    let import = PlaceMapImport {
        name: wanted.name,
        version: wanted.version,
        kind: map.kind().name(),
        validity: wanted.validity.map(|Validity { from, to }| (from, to)),
        rows: map.rows() as i64,
        imported_by: caller.app_id.clone(),
        bytes: bytes.to_vec(),
        is_dry_run: wanted.is_dry_run,
    };
    let (name, store, of) = (import.name.clone(), worker.store.clone(), tenant.clone());
    let keep = move || store.import_place_map(&of, import);
    let result = elsewhere_if_large(bytes.len() * COST, keep).await??.await?;
    refuse_conflict(&name, result, &map)?;
    if !wanted.is_dry_run {
        let (version, outcome) = (result.version, result.outcome.name());
        tracing::info!(tenant = tenant.as_str(), name, version, outcome, "map of places imported");
    }
    let told = json::Import { name: &name, result, map: &map, notes: &notes, note_count };
    let is_new = result.outcome == PlaceMapOutcome::Created && !wanted.is_dry_run;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(&told.node(effect.as_ref())).with_status(status))
}

async fn checked(bytes: Bytes, kind: Option<Kind>) -> Result<(Map, Vec<Note>, usize), Problem> {
    let size = bytes.len() * COST;
    let has_one_line = !bytes.trim_ascii().contains(&b'\n');
    let check = move || places::read(&bytes, kind);
    let places::Outcome { read, notes, note_count, .. } = elsewhere_if_large(size, check).await?;
    let map = read.map_err(|faults| refused(&faults, has_one_line))?;
    Ok((map, notes, note_count))
}

/// 400 with a detail for each fault. A file on one line was probably sent so by curl, whose `-d` takes the breaks of
/// lines out.
fn refused(faults: &Faults, has_one_line: bool) -> Problem {
    let detail = |fault: &places::Fault| Detail {
        code: fault.rule.name(),
        message: fault.to_string(),
        target: match fault.column {
            Some(column) => format!("{}/{}", fault.line, column.name),
            None => fault.line.to_string(),
        },
    };
    let plural = if faults.count == 1 { "" } else { "s" };
    let is_row = |fault: &places::Fault| fault.rule.name() != "columnCount";
    let hint = if has_one_line && !faults.kept.iter().all(is_row) {
        " It came as a single line: curl sends a file as it is with --data-binary."
    } else {
        ""
    };
    let message =
        format!("The file has {} fault{plural}. Nothing was imported.{hint}", faults.count);
    Problem::bad_request(message).with_details(faults.kept.iter().map(detail).collect())
}

fn refuse_conflict(name: &str, result: PlaceMapResult, map: &Map) -> Result<(), Problem> {
    conflict(name, result, map.kind()).map_or(Ok(()), |message| Err(Problem::conflict(message)))
}

/// Why a file was not taken, if it was not.
pub fn conflict(name: &str, result: PlaceMapResult, kind: Kind) -> Option<String> {
    let PlaceMapResult { outcome, version } = result;
    match outcome {
        PlaceMapOutcome::OtherContent => Some(format!(
            "Version {version} of the map '{name}' is there with other content: give the file another version."
        )),
        PlaceMapOutcome::OtherKind => Some(format!(
            "The map '{name}' is of another kind than {kind}: give the file another name."
        )),
        _ => None,
    }
}

/// Asks on a thread for questions.
async fn ask<T: Send + 'static>(
    worker: &Worker,
    caller: &Caller,
    work: impl FnOnce(&mut store::Reader) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let who = Arc::from(format!("{}/{}", caller.tenant, caller.app_id));
    let deadline = Instant::now() + worker.shared.query.cost.time;
    worker.questions.ask(&who, deadline, work).await
}
