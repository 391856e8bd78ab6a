//! From a request to a resource to what answers it.
//!
//! Every request below `/v1.0` and `/beta` that passed the layers comes through [`answer`]; what its
//! path leads to is read from the table of routes.

use std::rc::Rc;
use std::time::Instant;

use http::Method;
use odata::bound::{Query, Resource, Select};
use odata::primitive::DateTimeOffset;
use store::{RowSet, clock};
use web::layers::METHODS;
use web::{Code, Problem, Response, without_query_segment};

use crate::destination::Destination;
use crate::import::RecordIntake;
use crate::query_form::is_copy;
use crate::read_request::ReadRequest;
use crate::request::Request;
use crate::routes::{Handler, Lead, Rows};
use crate::target::{Base, Tail, Target};
use crate::version::ApiVersion;
use crate::worker::Worker;
use crate::{
    call_events, calls, copy, deliveries, delta, entity_id, erase, intake, large, logs, metadata,
    posted_query, record, routes, strict, subscriptions, write,
};

/// Answers a request below a version's root.
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
) -> Result<Response, Problem> {
    if let Some(rows) = request.place.document {
        return document(worker, request, rows);
    }
    if without_query_segment(request.path()).is_some() {
        if request.method != Method::POST {
            return Err(Problem::method_not_allowed([&Method::POST]));
        }
        posted_query::take(worker, request).await?;
    }
    let began = Instant::now();
    let is_by_id = entity_id::follow(worker, request)?;
    let (resource, query) = parse(worker, request)?;
    if is_by_id {
        entity_id::check(&resource)?;
    }
    request.timings.stage("parse", began.elapsed());
    let destination = Destination::of(&resource)?;
    request.route = destination.label().into();
    if destination.is_of_records() {
        let answer = records(worker, request, destination, &resource, &query).await;
        return answer.map_err(|problem| naming(worker, request, &resource, problem));
    }
    beside_records(worker, request, destination, &resource, &query).await
}

/// 405 for a method that nothing answers, with those of what a raw path leads to.
pub(crate) fn refuse_method(worker: &Worker, path: &str) -> Problem {
    let rows = |rows: Rows| Some(rows.refuse(|_| true));
    let found = match routes::lead(path) {
        Ok(Lead::Resources { version, path_start }) => {
            of_resource(worker, version, &path[path_start..])
        }
        Ok(Lead::Version { rows: of, .. } | Lead::Tenant { rows: of, .. }) => rows(of),
        Ok(Lead::PlaceMaps { rows: of, .. } | Lead::MirrorNotices { rows: of, .. }) => rows(of),
        Ok(Lead::Root(of) | Lead::Pages(of)) => rows(of),
        Err(_) => None,
    };
    found.unwrap_or_else(|| Problem::method_not_allowed(&METHODS))
}

/// The same for a path behind a version; none if it leads nowhere.
fn of_resource(worker: &Worker, version: ApiVersion, path: &str) -> Option<Problem> {
    if without_query_segment(path).is_some() {
        return Some(Problem::method_not_allowed([&Method::POST]));
    }
    if entity_id::is_asked(path) {
        return Some(entity_id::refuse_method());
    }
    let limits = &worker.shared.query.language;
    let now = DateTimeOffset(clock::now());
    let (resource, _) = odata::parse_request(version.model(), path, "", limits, now).ok()?;
    let destination = Destination::of(&resource).ok()?;
    Some(destination.refuse_method(worker.settings.is_strict))
}

/// Graph's words for a record that is not there mislead whoever misspelt the name of a function.
fn naming(worker: &Worker, request: &Request, resource: &Resource, problem: Problem) -> Problem {
    if worker.settings.is_strict || problem.code() != Code::NotFound {
        return problem;
    }
    let misspelt = odata::misspelt(request.place.version.model(), resource);
    misspelt.map_or(problem, |error| Problem::not_there(error.to_string()).with_target("path"))
}

/// What the server says of a version.
fn document(worker: &Worker, request: &mut Request, rows: Rows) -> Result<Response, Problem> {
    request.route = rows.label().into();
    match rows.select(&request.method)?.handler {
        Handler::Metadata => metadata::document(request),
        _ => metadata::service_document(worker, request),
    }
}

/// Answers for call records, and what is inside them.
async fn records(
    worker: &Rc<Worker>,
    request: &mut Request,
    destination: Destination,
    resource: &Resource,
    query: &Query,
) -> Result<Response, Problem> {
    let not_allowed = || destination.refuse_method(worker.settings.is_strict);
    if request.method != Method::GET {
        if destination.tail == Tail::Ref {
            let what =
                "Changing references is not supported: entities are changed with their record.";
            return Err(Problem::not_supported(what).with_target("path"));
        }
        let is_whole = destination.tail == Tail::Whole;
        let row = destination.rows.select(&request.method).map_err(|_| not_allowed())?;
        let id = &destination.ids.record.id;
        return match row.handler {
            Handler::ImportRecords => {
                by_itself(request)?;
                Box::pin(intake::answer(worker, request, RecordIntake, row.roles)).await
            }
            _ if !is_whole => Err(not_allowed()),
            Handler::EraseRecord if worker.settings.is_strict => Err(not_allowed()),
            Handler::EraseRecord => {
                let read = ReadRequest::new(worker, request, resource, query, row.roles);
                Box::pin(erase::answer(read, id)).await
            }
            Handler::PutRecord => Box::pin(write::put(worker, request, row.roles, id)).await,
            _ => Box::pin(write::post(worker, request, row.roles)).await,
        };
    }
    let readable = destination.rows.select(&Method::GET).map_err(|_| not_allowed());
    let Some(target) = destination.target() else { return Err(Problem::no_such_route()) };
    if worker.settings.is_strict {
        strict::check(&target, query)?;
    }
    let roles = readable?.roles;
    let read = ReadRequest::new(worker, request, resource, query, roles)?;
    let began = Instant::now();
    let is_tracked = request.preferences.track_changes && !worker.settings.is_strict;
    let answer = match target {
        Target { base: Base::Rows(RowSet::Records), tail: Tail::Whole, ref filters }
            if is_tracked && filters.is_empty() =>
        {
            Box::pin(delta::answer(read)).await
        }
        target => answer_read(read, target).await,
    };
    request.timings.stage("answer", began.elapsed());
    answer
}

/// Answers for what is no call record.
async fn beside_records(
    worker: &Rc<Worker>,
    request: &mut Request,
    destination: Destination,
    resource: &Resource,
    query: &Query,
) -> Result<Response, Problem> {
    if query.select.as_ref().is_some_and(Select::chooses_items) {
        let message = "Options inside $select are not supported here yet.";
        return Err(Problem::not_supported(message).with_target("$select"));
    }
    let Destination { rows, ids, .. } = destination;
    let handler = rows.first().handler;
    if let Handler::Subscriptions(_) = handler {
        let asked = subscriptions::SubscriptionRequest { rows, id: &ids.first, resource, query };
        return Box::pin(subscriptions::answer(worker, request, asked)).await;
    }
    if let Handler::ImportLog | Handler::ReceiveEvents = handler {
        by_itself(request)?;
    }
    let row = rows.select(&request.method)?;
    match (row.handler, ids.log) {
        (Handler::Log, Some(log)) => {
            Box::pin(logs::answer(worker, request, log, resource, query, row.roles)).await
        }
        (Handler::ImportLog, Some(log)) => {
            Box::pin(logs::import(worker, request, log, row.roles)).await
        }
        (Handler::ReceiveEvents, _) => {
            Box::pin(call_events::answer(worker, request, row.roles)).await
        }
        // Graph itself takes the name for an id.
        (Handler::Delta, _) if worker.settings.is_strict => Err(record::not_found()),
        (Handler::Delta, _) => {
            let read = ReadRequest::new(worker, request, resource, query, row.roles)?;
            Box::pin(delta::answer(read)).await
        }
        (Handler::Deliveries, _) => {
            let read = ReadRequest::new(worker, request, resource, query, row.roles)?;
            Box::pin(deliveries::answer(&read)).await
        }
        (
            handler @ (Handler::Calls | Handler::CallCount | Handler::Call | Handler::EventsOfCall),
            _,
        ) => {
            let read = ReadRequest::new(worker, request, resource, query, row.roles)?;
            Box::pin(calls::answer(&read, handler, &ids.first)).await
        }
        _ => Err(Problem::no_such_route()),
    }
}

/// Reads path and options against the tables of the version.
fn parse(worker: &Worker, request: &Request) -> Result<(Resource, Query), Problem> {
    let limits = posted_query::limits_of(request, &worker.shared.query.language);
    let query = request.query().unwrap_or_default();
    let now = DateTimeOffset(clock::now());
    let read =
        odata::parse_request(request.place.version.model(), request.path(), query, &limits, now);
    read.map_err(|error| {
        let hint = posted_query::hint(request, &error);
        Problem::from(error).adding(hint)
    })
}

async fn answer_read(read: ReadRequest<'_>, target: Target) -> Result<Response, Problem> {
    let is_whole = target.tail == Tail::Whole && target.filters.is_empty();
    if let Some((of, record)) = copy::source(&target.base)
        && is_whole
        && is_copy(read.query)
    {
        return match copy::answer(&read, of, record) {
            Err(problem) if problem.is_of_size() => {
                Box::pin(large::answer(&read, of, record)).await
            }
            answer => answer,
        };
    }
    read.compose(target).await
}

/// 501 for a member of a batch: what is answered line by line, while it is sent, is no part of another
/// answer.
fn by_itself(request: &Request) -> Result<(), Problem> {
    if !request.is_member {
        return Ok(());
    }
    Err(Problem::not_supported("This is no request for a batch: send it by itself."))
}
