//! What comes in line by line beside records: each line is checked, kept and answered by itself.
//!
//! As with the import of records, what was once answered as kept is durable.

use std::rc::Rc;
use std::sync::Arc;

use model::TenantId;
use store::{Pending, Store};

use super::ask::tenant;
use super::ndjson::{self, Backlog, Batch, Batches, Line, LineText, Rejection, push_string};
use crate::auth::role;
use crate::body;
use crate::outflow::Reader;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::{ContentType, Response};
use crate::worker::Worker;

/// Most bytes of a line.
const LARGEST_LINE: usize = 1 << 20;
/// Most bytes of a body that is not cut into lines.
const LARGEST_COLLECTION: usize = 64 << 20;

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
    if body::content_type(&request.headers, ndjson::MEDIA_TYPES)? == 0 {
        return keep_collection(worker, request, &tenant, &intake).await;
    }
    let batches = ndjson::batches(worker, request.take_body(), LARGEST_LINE);
    let (sender, stream) = body::stream();
    let reader = Reader { caller: Some(caller), peer: Arc::clone(request.peer()) };
    let answers = Backlog::before(sender, worker.shared.outflow.clone(), reader);
    let store = worker.store.clone();
    tokio::task::spawn_local(async move {
        answer_lines(&store, &tenant, &intake, batches, answers).await;
    });
    Ok(Response::stream(ContentType::Ndjson, stream))
}

async fn answer_lines<I: Intake>(
    store: &Store,
    tenant: &TenantId,
    intake: &I,
    mut batches: Batches,
    answers: Backlog,
) {
    while let Some(batch) = batches.recv().await {
        // A body that broke off: so does the answer, behind what was taken in.
        let Ok(batch) = batch else { return };
        let Ok(lines) = keep(store, tenant, intake, batch).await else { return };
        if !answers.put(lines.concat().into()).await {
            return;
        }
    }
    answers.finish();
}

/// The form that `$metadata` declares: an object around the lines in, a collection of results out.
async fn keep_collection<I: Intake>(
    worker: &Rc<Worker>,
    request: &mut Request,
    tenant: &TenantId,
    intake: &I,
) -> Result<Response, Problem> {
    let format = request.preferences.json()?;
    let mut memory = worker.budget.reserve(0)?;
    let bytes = request.take_body().read(LARGEST_COLLECTION, Some(&mut memory)).await?;
    let mut lines = ndjson::split_items(&bytes, I::MEMBER)?.into_iter().peekable();
    let metadata = worker.urls.context(request.version);
    let mut results = Vec::new();
    while lines.peek().is_some() {
        let batch = Batch::of(lines.by_ref().take(ndjson::LINES_PER_BATCH).collect());
        let kept = keep(&worker.store, tenant, intake, batch).await?;
        results.extend(kept.into_iter().map(|line| line.trim_ascii_end().to_vec()));
    }
    let context = format!("{metadata}Collection({})", I::RESULT.0);
    let mut out = format!("{{\"@odata.context\":\"{context}\",\"value\":[").into_bytes();
    out.extend_from_slice(&results.join(&b','));
    out.extend_from_slice(b"]}");
    Ok(Response::json(format, out))
}

/// A line that came in, or why it can't be kept, with its number.
struct Checked<R> {
    number: u64,
    id: Option<String>,
    result: Result<R, Rejection>,
}

/// Checks and keeps lines, and answers each with a line.
async fn keep<I: Intake>(
    store: &Store,
    tenant: &TenantId,
    intake: &I,
    batch: Batch,
) -> Result<Vec<Vec<u8>>, Problem> {
    let checks = intake.clone();
    let check = move || batch.lines.iter().map(|line| check(&checks, line)).collect::<Vec<_>>();
    let checked = tokio::task::spawn_blocking(check).await.map_err(Problem::internal)?;
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
    Ok(lines.into_iter().map(|line| print::<I>(line, &mut kept)).collect())
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
fn print<I: Intake>(line: Checked<()>, kept: &mut impl Iterator<Item = I::Kept>) -> Vec<u8> {
    let lost = || {
        let message = format!("the store could not keep the {}; send it again", I::NOUN);
        Rejection::new("serviceNotAvailable", message)
    };
    let status = line.result.and_then(|()| I::status(kept.next().ok_or_else(lost)?));
    let mut out = format!("{{\"line\":{}", line.number).into_bytes();
    if let Some(id) = &line.id {
        push_string(&mut out, I::RESULT.1, id);
    }
    match status {
        Ok(status) => push_string(&mut out, "status", status),
        Err(rejection) => rejection.push(&mut out),
    }
    out.extend_from_slice(b"}\n");
    out
}
