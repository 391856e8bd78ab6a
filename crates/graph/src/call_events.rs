//! Events of calls come in: the bound action `callvault.callEvents`.

use std::rc::Rc;

use calls::{Event, EventError};
use model::TenantId;
use store::{CallEventOutcome, CallEventRow, Pending, Store};
use web::problem::Problem;
use web::response::Response;

use crate::intake::{self, Intake, Outcome};
use crate::ndjson::{Rejection, SizeLimits};
use crate::request::Request;
use crate::worker::Worker;

/// `POST communications/callvault.callEvents`
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
    roles: &[&str],
) -> Result<Response, Problem> {
    intake::answer(worker, request, EventIntake, roles).await
}

#[derive(Clone, Copy)]
struct EventIntake;

impl Intake for EventIntake {
    type Checker = ();
    type Row = CallEventRow;
    type Stored = CallEventOutcome;
    const NOUN: &'static str = "event";
    const MEMBER: &'static str = "events";
    const RESULT: &'static str = "callvault.callEventResult";
    const ID: &'static str = "eventId";
    const LARGEST: SizeLimits = SizeLimits::OF_ROWS;

    fn checker(&self, _: &Store) {}

    fn check(
        &self,
        (): &mut (),
        text: &str,
        begins: u64,
    ) -> (Option<String>, Result<CallEventRow, Rejection>) {
        match Event::check(text, begins) {
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

    fn outcome(kept: CallEventOutcome) -> Outcome {
        let conflict = |target: &str, message: String| {
            let target = target.to_owned();
            Err(Rejection { target, ..Rejection::new("Conflict", message) })
        };
        Outcome::of(match kept {
            CallEventOutcome::New => Ok("accepted"),
            CallEventOutcome::Known => Ok("duplicate"),
            CallEventOutcome::Conflict => {
                conflict("/eventId", "another event of this id was kept before".to_owned())
            }
            CallEventOutcome::OtherChain(chain) => {
                conflict("/callChainId", format!("the call belongs to the chain '{chain}'"))
            }
        })
    }
}
