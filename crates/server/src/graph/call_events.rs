//! Events of calls come in: the bound action `callvault.callEvents`.

use std::rc::Rc;

use calls::{Event, EventError};
use http::Method;
use model::TenantId;
use store::{CallEventOutcome, CallEventRow, Pending, Store};

use super::intake::{self, Intake};
use super::ndjson::Rejection;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::router::Route;
use crate::worker::Worker;

/// `POST communications/callvault.callEvents`
pub(super) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
) -> Result<Response, Problem> {
    request.route = Route::CallEvents;
    if request.method != Method::POST {
        return Err(Problem::method_not_allowed("POST"));
    }
    intake::answer(worker, request, Events).await
}

#[derive(Clone, Copy)]
struct Events;

impl Intake for Events {
    type Row = CallEventRow;
    type Kept = CallEventOutcome;
    const NOUN: &'static str = "event";
    const MEMBER: &'static str = "events";
    const RESULT: (&'static str, &'static str) = ("callvault.callEventResult", "eventId");

    fn check(&self, text: &str) -> (Option<String>, Result<CallEventRow, Rejection>) {
        match Event::check(text) {
            Ok((event, row)) => (Some(event.id), Ok(row)),
            Err(EventError { pointer: target, message, id }) => {
                (id, Err(Rejection { target, ..Rejection::new("BadRequest", message) }))
            }
        }
    }

    fn keep(
        &self,
        store: &Store,
        tenant: &TenantId,
        rows: Vec<CallEventRow>,
    ) -> Pending<Vec<CallEventOutcome>> {
        store.keep_call_events(tenant, rows)
    }

    fn status(kept: CallEventOutcome) -> Result<&'static str, Rejection> {
        let conflict = |target: &str, message: String| {
            let target = target.to_owned();
            Err(Rejection { target, ..Rejection::new("Conflict", message) })
        };
        match kept {
            CallEventOutcome::New => Ok("accepted"),
            CallEventOutcome::Known => Ok("duplicate"),
            CallEventOutcome::Conflict => {
                conflict("/eventId", "another event of this id was kept before".to_owned())
            }
            CallEventOutcome::OtherChain(chain) => {
                conflict("/callChainId", format!("the call belongs to the chain '{chain}'"))
            }
        }
    }
}
