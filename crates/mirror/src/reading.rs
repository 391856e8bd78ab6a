//! Reads a record of the ledger, stores it, and notes what has become of it.

use std::sync::Arc;

use store::{
    Evidence, FencedResult, LedgerChange, LedgerRecord, MirrorRecord, Outcome as Written,
    WriteResult,
};

use crate::client::jitter;
use crate::context::{Context, Stop};
use crate::delay;
use crate::fault::Fault;
use crate::fetch::{self, Reading};
use crate::ledger::{self, Outcome};

/// Level of compression of bodies that are kept as evidence.
const LEVEL: i32 = 3;
/// Characters that are kept of what was wrong.
const LONGEST_ERROR: usize = 300;

/// What a reading came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// It is stored; or, with the place of the value, it differs from what is stored.
    Stored { is_new: bool, differs_at: Option<String> },
    /// It is to be tried again, or is a hole.
    Not(Outcome),
}

/// Reads a record and brings the ledger up to date.
pub(crate) async fn read(
    context: &Arc<Context>,
    record: &LedgerRecord,
) -> Result<ReadOutcome, Stop> {
    let began_at = context.client.clock.now();
    if record.asks_version && is_current(context, record).await? {
        return still_stored(context, record, began_at).await;
    }
    let reading =
        fetch::record(&context.client, (&record.id, &record.id_key), &context.large).await;
    let (text, alone) = match reading {
        Ok(Reading::Whole(text, alone)) => (text, alone),
        Ok(Reading::Changing) => {
            let why = "a new version came with each reading".to_owned();
            return not_read(context, record, (Outcome::Changed, why, None), None).await;
        }
        Err(fault) => return failed(context, record, fault).await,
    };
    let read = match context.shred(text).await {
        Some((Ok(shredded), text)) => store(context, record, (shredded, text), began_at).await,
        Some((Err(error), text)) => {
            let place = error.pointer().to_owned();
            let evidence = evidence(context, record, ("unreadable", 0, &place), &text);
            // What is said of a value may show it.
            let why = format!("the value at {place:?} is not what a record may have there");
            not_read(context, record, (Outcome::Unreadable, why, None), Some(evidence)).await
        }
        None => {
            let why = "it could not be taken apart, see the log".to_owned();
            not_read(context, record, (Outcome::Unreadable, why, None), None).await
        }
    };
    drop(alone);
    read
}

/// Whether the source has no higher version than is stored. What goes wrong here goes wrong once more when the
/// record is read, and is judged then.
async fn is_current(context: &Context, record: &LedgerRecord) -> Result<bool, Stop> {
    let of = (record.id.as_str(), record.id_key.as_slice());
    match fetch::version(&context.client, of).await {
        Ok(version) => Ok(record.stored_version.is_some_and(|stored| version <= stored)),
        Err(fault @ (Fault::Denied(_) | Fault::Stopped)) => Err(fault.into()),
        Err(_) => Ok(false),
    }
}

/// A notification told of nothing new.
async fn still_stored(
    context: &Context,
    record: &LedgerRecord,
    began_at: i64,
) -> Result<ReadOutcome, Stop> {
    let stored = record.stored_version.unwrap_or(0);
    let mut change = change(context, record, Outcome::Stored(stored.max(record.wanted_version)));
    (change.stored_version, change.began_at) = (record.stored_version, began_at);
    note(context, change, None).await?;
    Ok(ReadOutcome::Stored { is_new: false, differs_at: None })
}

async fn failed(
    context: &Context,
    record: &LedgerRecord,
    fault: Fault,
) -> Result<ReadOutcome, Stop> {
    let outcome = match &fault {
        Fault::NotFound(_) => Outcome::NotFound,
        Fault::Refused(_) => Outcome::Refused,
        Fault::Unsound(_) => Outcome::Unsound,
        Fault::Unavailable(_) | Fault::Throttled | Fault::Broken(_) => Outcome::Failed,
        // Nothing is wrong with this record.
        Fault::Denied(_) | Fault::Stopped => return Err(fault.into()),
    };
    let why = fault.to_string();
    not_read(context, record, (outcome, why, Some(fault)), None).await
}

async fn store(
    context: &Context,
    record: &LedgerRecord,
    (shredded, text): (model::ShreddedRecord, String),
    began_at: i64,
) -> Result<ReadOutcome, Stop> {
    let unsound = |why: &str| (Outcome::Unsound, why.to_owned(), None);
    if shredded.id_key != record.id_key {
        let outcome = unsound("the answer is of another record than was asked for");
        return not_read(context, record, outcome, None).await;
    }
    if !model::flags::incomplete(shredded.flags).is_empty() {
        let outcome = unsound("the answer says that there is more of the record");
        return not_read(context, record, outcome, None).await;
    }
    let version = shredded.version;
    let outcome = Outcome::Stored(version);
    let mut change = change(context, record, outcome);
    change.stored_version = Some(version);
    change.began_at = began_at;
    change.start = Some(shredded.start);
    change.delay = delay::class(shredded.end, record.first_heard, context.listens_since);
    let mirrored = MirrorRecord { record: shredded, change: change.clone() };
    let tenant = &context.mirror.setup.tenant;
    let written = context.store.write_mirrored(context.lease, tenant, vec![mirrored]).await?;
    let FencedResult::Done(results) = written else { return Err(Stop::Lost) };
    match results.first() {
        Some(WriteResult { outcome: Written::Conflict { pointer }, .. }) => {
            let evidence = evidence(context, record, ("differs", version, pointer), &text);
            note(context, change, Some(evidence)).await?;
            tracing::warn!(pointer, "a record differs from the one that is stored in its version");
            Ok(ReadOutcome::Stored { is_new: false, differs_at: Some(pointer.clone()) })
        }
        Some(result) => {
            let is_new = matches!(result.outcome, Written::Created | Written::Replaced);
            let is_changed = result.outcome == Written::Merged;
            Ok(ReadOutcome::Stored { is_new, differs_at: is_changed.then(String::new) })
        }
        None => Err(Stop::Lost),
    }
}

async fn not_read(
    context: &Context,
    record: &LedgerRecord,
    (outcome, why, fault): (Outcome, String, Option<Fault>),
    evidence: Option<Evidence>,
) -> Result<ReadOutcome, Stop> {
    let mut change = change(context, record, outcome);
    if let Some(refusal) = fault.as_ref().and_then(Fault::refusal) {
        change.status = Some(u32::from(refusal.status));
        change.request_id.clone_from(&refusal.request_id);
    }
    change.error = Some(why.chars().take(LONGEST_ERROR).collect());
    if change.state.is_hole() {
        tracing::warn!(state = change.state.name(), why, "a record is missing");
    }
    note(context, change, evidence).await?;
    Ok(ReadOutcome::Not(outcome))
}

fn change(context: &Context, record: &LedgerRecord, outcome: Outcome) -> LedgerChange {
    let now = context.client.clock.now();
    let decision = ledger::decide(record, outcome, now, jitter());
    LedgerChange {
        id_key: record.id_key.clone(),
        state: decision.state,
        stored_version: None,
        start: None,
        began_at: now,
        delay: None,
        due_at: decision.due_at,
        again_at: decision.again_at,
        attempts: decision.attempts,
        tried_at: now,
        status: None,
        error: None,
        request_id: None,
    }
}

async fn note(
    context: &Context,
    change: LedgerChange,
    evidence: Option<Evidence>,
) -> Result<(), Stop> {
    let evidence = evidence.into_iter().collect();
    match context.store.note_mirror_changes(context.lease, vec![change], evidence).await? {
        FencedResult::Done(()) => Ok(()),
        FencedResult::Lost => Err(Stop::Lost),
    }
}

fn evidence(
    context: &Context,
    record: &LedgerRecord,
    (kind, version, place): (&str, i64, &str),
    text: &str,
) -> Evidence {
    let hash = blake3::hash(text.as_bytes()).as_bytes().to_vec();
    // Memory is compressed without fail; the body itself is as good.
    let body = zstd::bulk::compress(text.as_bytes(), LEVEL).unwrap_or_else(|_| text.into());
    Evidence {
        id_key: record.id_key.clone(),
        kind: kind.to_owned(),
        hash,
        version,
        at: context.client.clock.now(),
        place: place.to_owned(),
        sealed: (context.seal)(EVIDENCE, &body),
    }
}

/// What bodies are sealed for.
const EVIDENCE: &str = "mirror-evidence";
