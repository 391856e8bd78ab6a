//! `/communications/calls`: calls as their events tell of them (Graph, "call resource type").

mod scope;

use calls::{Leg, members};
use model::TenantId;
use odata::edm::StructuredType;
use odata::json::Node;
use store::{CallRow, CallScope, Reader};
use web::Problem;
use web::problem::special;
use web::response::Response;

use crate::items::{self, ItemPage};
use crate::lister::{self, Chunk, Position, Source, Visit};
use crate::page_text::error_node;
use crate::read_request::ReadRequest;
use crate::routes::Handler;

/// Calls that are read at a time.
const AT_ONCE: usize = 256;

/// Answers a read of calls; `id` is that of the call that is meant.
pub(crate) async fn answer(
    read: &ReadRequest<'_>,
    handler: Handler,
    id: &str,
) -> Result<Response, Problem> {
    match handler {
        Handler::Calls => lister::list(read, calls(read)).await,
        Handler::CallCount => lister::count(read, calls(read)).await,
        Handler::Call => show(read, id),
        _ => events(read, id).await,
    }
}

fn calls(read: &ReadRequest<'_>) -> Calls {
    Calls {
        tenant: read.scope.tenant.clone(),
        scope: scope::of(read.query.filter.as_ref()),
        not_before: read.scope.not_before,
    }
}

fn show(read: &ReadRequest<'_>, id: &str) -> Result<Response, Problem> {
    let mut reader = read.reader();
    let call = find(read, &mut reader, id)?;
    let bodies = reader.call_events(call.key, false)?;
    let events = calls::events(&bodies).map_err(Problem::internal)?;
    let leg = Leg::of(&call, &events);
    items::entity(read, &model::generated::CALL, &members(&leg, &read.scope.tenant))
}

/// What was told of a call, by the times at which it happened.
async fn events(read: &ReadRequest<'_>, id: &str) -> Result<Response, Problem> {
    let bodies = {
        let mut reader = read.reader();
        let call = find(read, &mut reader, id)?;
        reader.call_events(call.key, true)?
    };
    let events = calls::events(&bodies).map_err(Problem::internal)?;
    let events = events.into_iter().map(|event| event.into_node().into_owned()).collect();
    let ty = &model::generated::CALL_EVENT;
    let page = ItemPage::chosen(read, read.query.clone(), ty, events).await?;
    items::collection(read, ty, &page)
}

fn find(read: &ReadRequest<'_>, reader: &mut Reader, id: &str) -> Result<CallRow, Problem> {
    let found = reader.call(&read.scope.tenant, &model::key(id))?;
    found.filter(|call| read.scope.not_before.is_none_or(|oldest| call.start >= oldest)).ok_or_else(
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
