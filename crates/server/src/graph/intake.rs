//! What comes in line by line beside records: each line is checked, kept and answered by itself.
//!
//! As with the import of records, what was once answered as kept is durable.

use std::rc::Rc;
use std::sync::Arc;

use model::TenantId;
use store::{Pending, Store};

use super::ask::tenant;
use super::ndjson::{
    self, Answer, Answers, Batch, Batches, Coming, Largest, Line, LineText, Rejection, Rejections,
    push_string,
};
use crate::auth::role;
use crate::outflow::Reader;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::worker::Worker;

const LARGEST: Largest = Largest { line: 1 << 20, object: 64 << 20 };

/// How lines of a kind are checked, kept and answered.
pub(super) trait Intake: Clone + Send + 'static {
    /// What comes of a line that can be kept.
    type Row: Send;
    /// What became of it.
    type Kept;
    /// What a line holds, for messages.
    const NOUN: &'static str;
    /// The member that holds the lines of a body that is one object.
    const MEMBER: &'static str;
    /// The type of an answer to a line, and the member of it that names the line's content.
    const RESULT: (&'static str, &'static str);

    /// Checks a line, and gives the id of what it holds, if that could be read.
    fn check(&self, text: &str) -> (Option<String>, Result<Self::Row, Rejection>);

    /// Keeps what can be kept.
    fn keep(
        &self,
        store: &Store,
        tenant: &TenantId,
        rows: Vec<Self::Row>,
    ) -> Pending<Vec<Self::Kept>>;

    /// The word for what became of a line.
    fn status(kept: Self::Kept) -> Result<&'static str, Rejection>;
}

/// Answers a POST.
pub(super) async fn answer<I: Intake>(
    worker: &Rc<Worker>,
    request: &mut Request,
    intake: I,
) -> Result<Response, Problem> {
    let caller = request.require(&[role::WRITE])?;
    let tenant = tenant(&caller)?;
    let result = format!("Collection({})", I::RESULT.0);
    let reader = Reader { caller: Some(caller), peer: Arc::clone(request.peer()) };
    let coming = ndjson::open(worker, request, (I::MEMBER, &result), LARGEST, reader).await?;
    let Coming { batches, answers, response } = coming;
    let store = worker.store.clone();
    tokio::task::spawn_local(async move {
        answer_lines(&store, &tenant, &intake, batches, answers).await;
    });
    Ok(response)
}

async fn answer_lines<I: Intake>(
    store: &Store,
    tenant: &TenantId,
    intake: &I,
    mut batches: Batches,
    mut answers: Answers,
) {
    let mut rejections = answers.rejections();
    while let Some(batch) = batches.recv().await {
        // A body that broke off: so does the answer, behind what was taken in.
        let Ok(batch) = batch else { return };
        let lines = batch.lines.len();
        let Ok((kept, after)) = keep(store, tenant, intake, (batch, rejections)).await else {
            return;
        };
        rejections = after;
        let is_cut = kept.len() < lines;
        if answers.put(kept).await.is_break() {
            return;
        }
        if rejections.are_enough() || answers.are_enough() {
            return answers.give_up(is_cut, batches).await;
        }
    }
    answers.finish().await;
}

/// A line that came in, or why it can't be kept, with its number.
struct Checked<R> {
    number: u64,
    id: Option<String>,
    result: Result<R, Rejection>,
}

/// Checks and keeps lines, and answers each; not those behind too many rejections.
async fn keep<I: Intake>(
    store: &Store,
    tenant: &TenantId,
    intake: &I,
    (batch, mut rejections): (Batch, Rejections),
) -> Result<(Vec<Answer>, Rejections), Problem> {
    let checks = intake.clone();
    let check = move || {
        let mut checked = Vec::with_capacity(batch.lines.len());
        for line in &batch.lines {
            let line = check(&checks, line);
            let flow = rejections.note(line.result.is_err());
            checked.push(line);
            if flow.is_break() {
                break;
            }
        }
        (checked, rejections)
    };
    let (checked, rejections) =
        tokio::task::spawn_blocking(check).await.map_err(Problem::internal)?;
    let mut rows = Vec::with_capacity(checked.len());
    let mut lines = Vec::with_capacity(checked.len());
    for Checked { number, id, result } in checked {
        lines.push(Checked { number, id, result: result.map(|row| rows.push(row)) });
    }
    let kept = intake.keep(store, tenant, rows).await;
    if let Err(cause) = &kept {
        tracing::error!(%cause, "a {} could not be kept", I::NOUN);
    }
    let mut kept = kept.unwrap_or_default().into_iter();
    let answers = lines.into_iter().map(|line| print::<I>(line, &mut kept)).collect();
    Ok((answers, rejections))
}

fn check<I: Intake>(intake: &I, line: &Line) -> Checked<I::Row> {
    let number = line.number;
    let rejected = |rejection| Checked { number, id: None, result: Err(rejection) };
    let LineText::Bytes(bytes) = &line.text else {
        let message = format!("a {} has at most 1 MiB", I::NOUN);
        return rejected(Rejection::new("requestTooLarge", message));
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return rejected(Rejection::new("BadRequest", "the line is not UTF-8 text"));
    };
    let (id, result) = intake.check(text);
    Checked { number, id, result }
}

/// The answer to a line. `kept` has what became of those that could be kept.
fn print<I: Intake>(line: Checked<()>, kept: &mut impl Iterator<Item = I::Kept>) -> Answer {
    let lost = || {
        let message = format!("the store could not keep the {}; send it again", I::NOUN);
        Rejection::new("serviceNotAvailable", message)
    };
    let status = line.result.and_then(|()| I::status(kept.next().ok_or_else(lost)?));
    let mut out = format!("{{\"line\":{}", line.number).into_bytes();
    if let Some(id) = &line.id {
        push_string(&mut out, I::RESULT.1, id);
    }
    let is_rejected = status.is_err();
    match status {
        Ok(status) => push_string(&mut out, "status", status),
        Err(rejection) => rejection.push(&mut out),
    }
    out.push(b'}');
    Answer { number: line.number, is_rejected, text: out }
}
