//! `/communications/calls`: calls as their events tell of them (Graph, "call resource type").

mod scope;

use std::rc::Rc;

use calls::{Leg, members};
use http::Method;
use model::TenantId;
use odata::bound::{Query, Resource, Step};
use odata::edm::StructuredType;
use odata::json::Node;
use store::{CallRow, CallScope, Reader};

use super::ask::Ask;
use super::lister::{self, Chunk, Position, Source, Visit};
use super::page_text::error_node;
use super::shown::{self, Shown};
use crate::problem::{Problem, special};
use crate::request::Request;
use crate::response::Response;
use crate::router::Route;
use crate::worker::Worker;

/// Calls that are read at a time.
const AT_ONCE: usize = 256;

/// What a path below `/communications/calls` addresses.
enum Target<'r> {
    All,
    Count,
    One(&'r str),
    Events(&'r str),
}

/// Answers a request for a path that leads here.
pub(super) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
    resource: &Resource,
    query: &Query,
) -> Result<Response, Problem> {
    let target = match &resource.steps[2..] {
        [] => Target::All,
        [Step::Count] => Target::Count,
        [Step::Key(id)] => Target::One(id),
        [Step::Key(id), Step::Operation { .. }] => Target::Events(id),
        _ => return Err(super::not_built("this path of a call")),
    };
    request.route = match target {
        Target::All | Target::Count => Route::Calls,
        Target::One(_) | Target::Events(_) => Route::Call,
    };
    if request.method != Method::GET {
        return Err(Problem::method_not_allowed("GET, HEAD"));
    }
    let ask = Ask::new(worker, request, resource, query)?;
    match target {
        Target::All => lister::list(&ask, calls(&ask)).await,
        Target::Count => lister::count(&ask, calls(&ask)).await,
        Target::One(id) => show(&ask, id),
        Target::Events(id) => events(&ask, id).await,
    }
}

fn calls(ask: &Ask<'_>) -> Calls {
    Calls {
        tenant: ask.tenant.clone(),
        scope: scope::of(ask.query.filter.as_ref()),
        not_before: ask.not_before(),
    }
}

fn show(ask: &Ask<'_>, id: &str) -> Result<Response, Problem> {
    let mut reader = ask.reader();
    let call = find(ask, &mut reader, id)?;
    let bodies = reader.call_events(call.key, false)?;
    let events = calls::events(&bodies).map_err(Problem::internal)?;
    let leg = Leg::of(&call, &events);
    shown::entity(ask, &model::generated::CALL, &members(&leg, &ask.tenant))
}

/// What was told of a call, by the times at which it happened.
async fn events(ask: &Ask<'_>, id: &str) -> Result<Response, Problem> {
    let bodies = {
        let mut reader = ask.reader();
        let call = find(ask, &mut reader, id)?;
        reader.call_events(call.key, true)?
    };
    let events = calls::events(&bodies).map_err(Problem::internal)?;
    let events = events.into_iter().map(|event| event.into_node().into_owned()).collect();
    let ty = &model::generated::CALL_EVENT;
    let shown = Shown::chosen(ask, ask.query.clone(), ty, events).await?;
    shown::collection(ask, ty, &shown)
}

fn find(ask: &Ask<'_>, reader: &mut Reader, id: &str) -> Result<CallRow, Problem> {
    let found = reader.call(&ask.tenant, &model::key(id))?;
    found.filter(|call| ask.not_before().is_none_or(|oldest| call.start >= oldest)).ok_or_else(
        || Problem::not_there("The call was not found.").named(special::RESOURCE_NOT_FOUND),
    )
}

/// Calls that can meet a condition, the latest start first.
struct Calls {
    tenant: TenantId,
    scope: CallScope,
    not_before: Option<i64>,
}

impl Source for Calls {
    fn ty(&self) -> &'static StructuredType {
        &model::generated::CALL
    }

    fn chunk(
        &self,
        reader: &mut Reader,
        after: Option<Position>,
        visit: &mut Visit<'_>,
    ) -> Result<Chunk, Problem> {
        let calls = reader.calls(&self.tenant, &self.scope, after, AT_ONCE)?;
        let is_last = calls.len() < AT_ONCE;
        for call in calls {
            if self.not_before.is_some_and(|oldest| call.start < oldest) {
                return Ok(Chunk::Last);
            }
            let bodies = reader.call_events(call.key, false)?;
            let events = calls::events(&bodies).map_err(Problem::damaged);
            let node = match &events {
                Ok(events) => Node::Object(members(&Leg::of(&call, events), &self.tenant)),
                Err(problem) => error_node(&call.id, problem),
            };
            if visit(node, (call.start, call.key))?.is_break() {
                return Ok(Chunk::Last);
            }
        }
        Ok(if is_last { Chunk::Last } else { Chunk::More })
    }
}
