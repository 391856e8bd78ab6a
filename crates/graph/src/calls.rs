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

use crate::ask::Ask;
use crate::items::{self, ItemPage};
use crate::lister::{self, Chunk, Position, Source, Visit};
use crate::page_text::error_node;
use crate::routes::Handler;

/// Calls that are read at a time.
const AT_ONCE: usize = 256;

/// Answers a read of calls; `id` is that of the call that is meant.
pub(crate) async fn answer(ask: &Ask<'_>, handler: Handler, id: &str) -> Result<Response, Problem> {
    match handler {
        Handler::Calls => lister::list(ask, calls(ask)).await,
        Handler::CallCount => lister::count(ask, calls(ask)).await,
        Handler::Call => show(ask, id),
        _ => events(ask, id).await,
    }
}

fn calls(ask: &Ask<'_>) -> Calls {
    Calls {
        tenant: ask.scope.tenant.clone(),
        scope: scope::of(ask.query.filter.as_ref()),
        not_before: ask.scope.not_before,
    }
}

fn show(ask: &Ask<'_>, id: &str) -> Result<Response, Problem> {
    let mut reader = ask.reader();
    let call = find(ask, &mut reader, id)?;
    let bodies = reader.call_events(call.key, false)?;
    let events = calls::events(&bodies).map_err(Problem::internal)?;
    let leg = Leg::of(&call, &events);
    items::entity(ask, &model::generated::CALL, &members(&leg, &ask.scope.tenant))
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
    let page = ItemPage::chosen(ask, ask.query.clone(), ty, events).await?;
    items::collection(ask, ty, &page)
}

fn find(ask: &Ask<'_>, reader: &mut Reader, id: &str) -> Result<CallRow, Problem> {
    let found = reader.call(&ask.scope.tenant, &model::key(id))?;
    found.filter(|call| ask.scope.not_before.is_none_or(|oldest| call.start >= oldest)).ok_or_else(
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
