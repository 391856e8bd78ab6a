//! Many records come in: the bound action `callvault.import`.

use model::{Misplaced, ShreddedRecord, TenantId, UndeclaredName};
use store::{Codec, Pending, Store, WriteResult};

use crate::intake::{Intake, Outcome};
use crate::metrics::RecordCounters;
use crate::ndjson::{Rejection, SizeLimits};
use crate::write::{LARGEST_RECORD, conflict_message, outcome_name};

/// How records are taken.
#[derive(Clone, Copy)]
pub(crate) struct RecordIntake;

impl Intake for RecordIntake {
    type Checker = Codec;
    type Row = ShreddedRecord;
    type Stored = WriteResult;
    const NOUN: &'static str = "record";
    const MEMBER: &'static str = "records";
    const RESULT: &'static str = "callvault.importResult";
    const ID: &'static str = "id";
    const LARGEST: SizeLimits = SizeLimits { line: LARGEST_RECORD, object: LARGEST_RECORD };

    fn misplaced(context: &str) -> Option<String> {
        Misplaced::of_context(context).map(|found| found.to_string())
    }

    fn warnings(record: &ShreddedRecord) -> Vec<UndeclaredName> {
        record.undeclared.clone()
    }

    fn checker(&self, store: &Store) -> Codec {
        store.codec()
    }

    fn check(
        &self,
        codec: &mut Codec,
        text: &str,
        begins: u64,
    ) -> (Option<String>, Result<ShreddedRecord, Rejection>) {
        (None, model::shred(text, codec).map_err(|error| invalid(error.from_line(begins))))
    }

    fn keep(
        &self,
        store: &Store,
        tenant: &TenantId,
        records: Vec<ShreddedRecord>,
    ) -> Pending<Vec<WriteResult>> {
        store.write(tenant, records)
    }

    fn outcome(written: WriteResult) -> Outcome {
        let record = Some((written.id.clone(), written.version));
        if let store::Outcome::Conflict { pointer } = &written.outcome {
            let rejection = Rejection::new("Conflict", conflict_message(&written));
            let status = Err(Rejection { target: pointer.clone(), ..rejection });
            return Outcome { record, status, incomplete: Vec::new() };
        }
        let incomplete = model::flags::incomplete(written.flags);
        Outcome { record, status: Ok(outcome_name(&written.outcome)), incomplete }
    }

    fn count(records: &RecordCounters, status: &'static str) {
        records.count(status);
    }
}

fn invalid(error: model::Error) -> Rejection {
    let target = error.pointer().to_owned();
    Rejection { target, ..Rejection::new("BadRequest", error.to_string()) }
}
