//! What comes in line by line: each line is checked, kept and answered by itself.
//!
//! Lines are read as they come, checked by the batch on other threads, and kept in groups; after each
//! commit goes out an answer for every line of the batch. A line that was once answered as kept is
//! durable.

use std::rc::Rc;
use std::sync::Arc;

use ingest::{Line, LineText};
use model::{TenantId, UndeclaredName};
use odata::json::push_member;
use store::{Pending, Store};
use web::answer_budget::Reader;
use web::{Problem, Response};

use crate::caller::tenant;
use crate::metrics::RecordCounters;
use crate::ndjson::{
    self, Answer, Answers, Batch, Batches, LineExchange, Rejection, Rejections, SizeLimits,
    not_utf8,
};
use crate::request::Request;
use crate::worker::Worker;

/// How lines of a kind are checked, kept and answered.
pub(crate) trait Intake: Clone + Send + 'static {
    /// What checking needs, made once for a batch.
    type Checker;
    /// What comes of a line that can be kept.
    type Row: Send + 'static;
    /// What the store says of it.
    type Stored;
    /// What a line holds, for messages.
    const NOUN: &'static str;
    /// The member that holds the lines of a body that is one object.
    const MEMBER: &'static str;
    /// The type of an answer to a line.
    const RESULT: &'static str;
    /// The member of an answer that names what the line holds.
    const ID: &'static str;
    /// Most bytes.
    const LARGEST: SizeLimits;

    /// Why the items of an answer with this context can't be taken.
    fn misplaced(_context: &str) -> Option<String> {
        None
    }

    /// What is to be said of a line that can be kept.
    fn warnings(_row: &Self::Row) -> Vec<UndeclaredName> {
        Vec::new()
    }

    /// Makes what checking needs.
    fn checker(&self, store: &Store) -> Self::Checker;

    /// Checks a line, and gives the id of what it holds, if that is known before it is kept. Its text begins
    /// on line `begins` of the body.
    fn check(
        &self,
        checker: &mut Self::Checker,
        text: &str,
        begins: u64,
    ) -> (Option<String>, Result<Self::Row, Rejection>);

    /// Keeps what can be kept.
    fn keep(
        &self,
        store: &Store,
        tenant: &TenantId,
        rows: Vec<Self::Row>,
    ) -> Pending<Vec<Self::Stored>>;

    /// What became of a line.
    fn outcome(kept: Self::Stored) -> Outcome;

    /// Counts what became of a line.
    fn count(_: &RecordCounters, _status: &'static str) {}
}

/// What became of a line that could be kept.
pub(crate) struct Outcome {
    /// The id, where the store gives it, and the version.
    pub(crate) record: Option<(String, i64)>,
    /// The word for it.
    pub(crate) status: Result<&'static str, Rejection>,
    /// Parts of a record that are missing.
    pub(crate) incomplete: Vec<&'static str>,
}

impl Outcome {
    /// With nothing to say but a word.
    pub(crate) fn of(status: Result<&'static str, Rejection>) -> Self {
        Self { record: None, status, incomplete: Vec::new() }
    }
}

/// Answers a POST.
pub(crate) async fn answer<I: Intake>(
    worker: &Rc<Worker>,
    request: &mut Request,
    intake: I,
    roles: &[&str],
) -> Result<Response, Problem> {
    let caller = request.require(roles)?;
    let tenant = tenant(&caller)?;
    let result = format!("Collection({})", I::RESULT);
    let reader = Reader { caller: Some(caller), peer: Arc::clone(request.peer()) };
    let members = (I::MEMBER, result.as_str());
    let opened = ndjson::open(worker, request, members, I::misplaced, I::LARGEST, reader).await?;
    let LineExchange { batches, answers, response } = opened;
    let pipeline = Pipeline { worker: Rc::clone(worker), tenant, intake };
    tokio::task::spawn_local(async move { pipeline.run(batches, answers).await });
    Ok(response)
}

/// Checks and keeps batch after batch; the next one is checked while the last one is kept.
struct Pipeline<I> {
    worker: Rc<Worker>,
    tenant: TenantId,
    intake: I,
}

/// A line that was checked. `result` is what is kept of it, or why nothing is.
struct CheckedLine<R> {
    number: u64,
    id: Option<String>,
    warnings: Vec<UndeclaredName>,
    result: Result<R, Rejection>,
}

/// A batch whose lines were checked.
struct CheckedBatch<R> {
    lines: Vec<CheckedLine<R>>,
    /// Too many lines in a row were rejected, and the last of them are missing.
    is_cut: bool,
    rejections: Rejections,
    batch: Batch,
}

/// A batch that the store is keeping.
struct PendingBatch<K> {
    lines: Vec<CheckedLine<()>>,
    pending: Pending<Vec<K>>,
    _batch: Batch,
}

impl<I: Intake> Pipeline<I> {
    async fn run(&self, mut batches: Batches, mut answers: Answers) {
        let mut in_writing: Option<PendingBatch<I::Stored>> = None;
        let mut rejections = answers.rejections();
        while let Some(batch) = batches.recv().await {
            let batch = match batch {
                Ok(batch) => batch,
                // The body broke off. What was taken in is answered; then why there is no more.
                Err(problem) => {
                    if let Some(writing) = in_writing
                        && answers.put(self.finish(writing).await).await.is_break()
                    {
                        return;
                    }
                    return answers.break_off(&problem).await;
                }
            };
            let (intake, store) = (self.intake.clone(), self.worker.store.clone());
            let work = move || check_batch(&intake, &store, batch, rejections);
            let Ok(checked) = tokio::task::spawn_blocking(work).await else { return };
            let is_cut = checked.is_cut;
            rejections = checked.rejections;
            if let Some(before) = in_writing.replace(self.begin(checked))
                && answers.put(self.finish(before).await).await.is_break()
            {
                return;
            }
            let are_enough = rejections.are_enough() || answers.are_enough();
            // Nothing more to read at the moment: don't keep the sender waiting for its lines.
            if (batches.is_empty() || are_enough)
                && let Some(writing) = in_writing.take()
                && answers.put(self.finish(writing).await).await.is_break()
            {
                return;
            }
            if are_enough || answers.are_enough() {
                return answers.give_up(is_cut, batches).await;
            }
        }
        if let Some(writing) = in_writing {
            let _ = answers.put(self.finish(writing).await).await;
        }
        answers.finish().await;
    }

    fn begin(&self, checked: CheckedBatch<I::Row>) -> PendingBatch<I::Stored> {
        let CheckedBatch { lines, batch, .. } = checked;
        let mut rows = Vec::with_capacity(lines.len());
        let without_row = |CheckedLine { number, id, warnings, result }| {
            let result = result.map(|row| rows.push(row));
            CheckedLine { number, id, warnings, result }
        };
        let lines = lines.into_iter().map(without_row).collect();
        let pending = self.intake.keep(&self.worker.store, &self.tenant, rows);
        PendingBatch { lines, pending, _batch: batch }
    }

    async fn finish(&self, writing: PendingBatch<I::Stored>) -> Vec<Answer> {
        let kept = writing.pending.await;
        if let Err(cause) = &kept {
            tracing::error!(%cause, "a batch of lines could not be kept: {}s", I::NOUN);
        }
        let mut kept = kept.unwrap_or_default().into_iter();
        let answer = |line| self.answer(line, &mut kept);
        writing.lines.into_iter().map(answer).collect()
    }

    /// The answer to a line. `kept` has what became of those that could be kept.
    fn answer(&self, line: CheckedLine<()>, kept: &mut impl Iterator<Item = I::Stored>) -> Answer {
        let lost = || {
            let message = format!("the store could not keep the {}; send it again", I::NOUN);
            Outcome::of(Err(Rejection::new("serviceNotAvailable", message)))
        };
        let outcome = match line.result {
            Ok(()) => kept.next().map_or_else(lost, I::outcome),
            Err(rejection) => Outcome::of(Err(rejection)),
        };
        let status = outcome.status.as_ref().map_or("rejected", |status| status);
        I::count(&self.worker.shared.records, status);
        print::<I>(line.number, line.id, &line.warnings, outcome)
    }
}

fn check_batch<I: Intake>(
    intake: &I,
    store: &Store,
    batch: Batch,
    mut rejections: Rejections,
) -> CheckedBatch<I::Row> {
    let mut checker = intake.checker(store);
    let mut lines = Vec::with_capacity(batch.lines.len());
    for line in &batch.lines {
        let line = check(intake, &mut checker, line, rejections.are_none());
        let flow = rejections.note(line.result.is_err());
        lines.push(line);
        if flow.is_break() {
            break;
        }
    }
    CheckedBatch { is_cut: lines.len() < batch.lines.len(), lines, rejections, batch }
}

/// Checks a line. `is_explained`: whether its rejection says how lines are sent; the first of several in a row
/// does.
fn check<I: Intake>(
    intake: &I,
    checker: &mut I::Checker,
    line: &Line,
    is_explained: bool,
) -> CheckedLine<I::Row> {
    let number = line.number;
    let rejected =
        |rejection| CheckedLine { number, id: None, warnings: Vec::new(), result: Err(rejection) };
    let LineText::Bytes(bytes) = &line.text else {
        let message = format!("a {} has at most {} MiB", I::NOUN, I::LARGEST.line >> 20);
        return rejected(Rejection::new("requestTooLarge", message));
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return rejected(Rejection::new("BadRequest", format!("the line {}", not_utf8(bytes))));
    };
    let (id, mut result) = if text.trim_ascii_start().starts_with('{') {
        intake.check(checker, text, line.begins)
    } else {
        let message = format!("expected a {}, which begins with '{{'", I::NOUN);
        (None, Err(Rejection::new("BadRequest", message)))
    };
    if let Err(rejection) = &mut result
        && is_explained
        && ingest::is_cut_elsewhere(text)
    {
        rejection.message.push_str(&one_line::<I>());
    }
    let warnings = result.as_ref().map(I::warnings).unwrap_or_default();
    CheckedLine { number, id, warnings, result }
}

/// What a sender has to know whose lines end elsewhere than its values do.
fn one_line<I: Intake>() -> String {
    let (noun, member) = (I::NOUN, I::MEMBER);
    format!(
        "; each {noun} stands whole on one line (curl keeps the lines of a file with --data-binary, not with \
         --data), and a {noun} of several lines is sent as application/json, in the list '{member}'"
    )
}

fn print<I: Intake>(
    number: u64,
    id: Option<String>,
    warnings: &[UndeclaredName],
    outcome: Outcome,
) -> Answer {
    let Outcome { record, status, incomplete } = outcome;
    let mut text = format!("{{\"line\":{number}").into_bytes();
    let push_text = |out: &mut Vec<u8>, name, value: &str| {
        out.push(b',');
        push_member(out, name, value);
    };
    if let Some(id) = &id {
        push_text(&mut text, I::ID, id);
    }
    if let Some((id, version)) = &record {
        push_text(&mut text, I::ID, id);
        text.extend_from_slice(format!(",\"version\":{version}").as_bytes());
    }
    let is_rejected = status.is_err();
    match status {
        Ok(status) => push_text(&mut text, "status", status),
        Err(rejection) => rejection.push(&mut text),
    }
    if !incomplete.is_empty() {
        let names = incomplete.join("\",\"");
        text.extend_from_slice(format!(",\"incomplete\":[\"{names}\"]").as_bytes());
    }
    if !warnings.is_empty() {
        text.extend_from_slice(b",\"warnings\":[");
        for (place, warning) in warnings.iter().enumerate() {
            text.extend_from_slice(if place == 0 { b"{" } else { b",{" });
            push_member(&mut text, "message", &warning.to_string());
            push_text(&mut text, "target", &warning.pointer);
            text.push(b'}');
        }
        text.push(b']');
    }
    text.push(b'}');
    Answer { number, is_rejected, text }
}
