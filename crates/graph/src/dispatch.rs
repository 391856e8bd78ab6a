//! From a request to a resource to what answers it.
//!
//! Every request below `/v1.0` and `/beta` that passed the layers comes through [`answer`]; what its
//! path leads to is read from the table of routes.

use std::rc::Rc;
use std::time::Instant;

use http::Method;
use odata::bound::{Query, Resource, Select};
use odata::primitive::DateTimeOffset;
use store::clock;
use web::{Code, Problem, Response, body, without_query_segment};

use crate::caller::role;
use crate::destination::Destination;
use crate::import::RecordIntake;
use crate::query_form::is_copy;
use crate::read_request::ReadRequest;
use crate::request::Request;
use crate::routes::{Handler, Rows};
use crate::target::{Tail, Target};
use crate::worker::Worker;
use crate::{
    call_events, calls, copy, deliveries, intake, large, logs, metadata, strict, subscriptions,
    write,
};

/// Most bytes of the options that `POST …/$query` brings: links repeat them in addresses.
const LARGEST_QUERY: usize = 16 * 1024;

/// Answers a request below a version's root.
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
) -> Result<Response, Problem> {
    if let Some(rows) = request.place.document {
        return document(worker, request, rows);
    }
    if request.method == Method::POST && without_query_segment(request.path()).is_some() {
        take_posted_query(request).await?;
    }
    let began = Instant::now();
    let (resource, query) = parse(worker, request)?;
    request.timings.stage("parse", began.elapsed());
    let destination = Destination::of(&resource)?;
    request.route = destination.label().into();
    if destination.is_of_records() {
        let answer = records(worker, request, destination, &resource, &query).await;
        return answer.map_err(|problem| naming(worker, request, &resource, problem));
    }
    beside_records(worker, request, destination, &resource, &query).await
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
    if request.method != Method::GET {
        let not_allowed = destination.refuse_method();
        if destination.tail == Tail::Ref {
            let what =
                "Changing references is not supported: entities are changed with their record.";
            return Err(Problem::not_supported(what).with_target("path"));
        }
        let is_whole = destination.tail == Tail::Whole;
        let row = destination.rows.select(&request.method).map_err(|_| not_allowed)?;
        return match row.handler {
            Handler::ImportRecords => {
                by_itself(request)?;
                Box::pin(intake::answer(worker, request, RecordIntake, row.roles)).await
            }
            _ if !is_whole => Err(destination.refuse_method()),
            Handler::PutRecord => {
                Box::pin(write::put(worker, request, row.roles, &destination.ids.record.id)).await
            }
            _ => Box::pin(write::post(worker, request, row.roles)).await,
        };
    }
    // Of what can only be written, readers are told the methods.
    let readable = destination.rows.select(&Method::GET);
    let roles = readable.map_or(&[role::READ][..], |row| row.roles);
    let Some(target) = destination.target() else { return Err(Problem::no_such_route()) };
    if worker.settings.is_strict {
        strict::check(&target, query)?;
    }
    let read = ReadRequest::new(worker, request, resource, query, roles)?;
    let began = Instant::now();
    let answer = answer_read(read, target).await;
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
    let limits = &worker.shared.query.language;
    let query = request.query().unwrap_or_default();
    let now = DateTimeOffset(clock::now());
    let model = request.place.version.model();
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

/// TurnQueue `POST …/$query` into the GET that it stands for.
async fn take_posted_query(request: &mut Request) -> Result<(), Problem> {
    body::content_type(&request.headers, &["text/plain"])?;
    let bytes = request.take_body().read(LARGEST_QUERY, None).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Problem::bad_request("The body is not UTF-8 text."))?;
    request.become_query(text.trim())
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
