//! Answers to lines: as lines, or as the collection that `$metadata` declares; made as they come, and
//! ended when too many lines in a row were rejected.

use std::ops::ControlFlow;

use bytes::Bytes;
use model::assemble::push_annotation;
use web::Problem;
use web::problem::special;

use super::{Backlog, Batches, Rejection};

/// The answer to a line.
pub(crate) struct Answer {
    pub(crate) number: u64,
    pub(crate) is_rejected: bool,
    /// A JSON object.
    pub(crate) text: Vec<u8>,
}

/// Counts rejections that come one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejections {
    in_a_row: usize,
    most: usize,
}

impl Rejections {
    pub(crate) fn new(most: usize) -> Self {
        Self { in_a_row: 0, most: most.max(1) }
    }

    /// Notes what became of a line; breaks when no further one is read.
    pub(crate) fn note(&mut self, is_rejected: bool) -> ControlFlow<()> {
        self.in_a_row = if is_rejected { self.in_a_row + 1 } else { 0 };
        if self.are_enough() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    pub(crate) fn are_enough(&self) -> bool {
        self.in_a_row >= self.most
    }

    /// Whether the last line was not rejected.
    pub(crate) fn are_none(&self) -> bool {
        self.in_a_row == 0
    }
}

/// Where answers to lines go.
pub(crate) struct Answers {
    backlog: Backlog,
    rejections: Rejections,
    is_collection: bool,
    /// What stands before the next answer.
    front: Vec<u8>,
    /// The last line that was answered.
    last: u64,
}

impl Answers {
    /// A line for each.
    pub(crate) fn lines(backlog: Backlog, rejections: Rejections) -> Self {
        let (is_collection, front) = (false, Vec::new());
        Self { backlog, rejections, is_collection, front, last: 0 }
    }

    /// One collection with this context.
    pub(crate) fn collection(backlog: Backlog, rejections: Rejections, context: &[&str]) -> Self {
        let mut front = vec![b'{'];
        push_annotation(&mut front, "@odata.context", context);
        front.extend_from_slice(b",\"value\":[");
        Self { backlog, rejections, is_collection: true, front, last: 0 }
    }

    /// Counts like these answers, from the beginning.
    pub(crate) fn rejections(&self) -> Rejections {
        Rejections::new(self.rejections.most)
    }

    /// Puts answers in; breaks when the client has gone.
    pub(crate) async fn put(&mut self, answers: Vec<Answer>) -> ControlFlow<()> {
        let mut out = Vec::with_capacity(answers.iter().map(|it| it.text.len() + 1).sum());
        for answer in answers {
            let _ = self.rejections.note(answer.is_rejected);
            self.last = answer.number;
            self.push(&mut out, &answer.text);
        }
        if self.backlog.put(out.into()).await {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    fn push(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        out.append(&mut self.front);
        out.extend_from_slice(text);
        if self.is_collection {
            self.front.push(b',');
        } else {
            out.push(b'\n');
        }
    }

    /// Whether too many lines in a row were rejected.
    pub(crate) fn are_enough(&self) -> bool {
        self.rejections.are_enough()
    }

    /// Ends the answer well where no further line is read; says so if there is one.
    pub(crate) async fn give_up(self, is_cut: bool, mut rest: Batches) {
        let is_cut = is_cut
            || match rest.recv().await {
                None => false,
                Some(Ok(_)) => true,
                Some(Err(problem)) => return self.break_off(&problem).await,
            };
        if is_cut {
            let most = self.rejections.most;
            let message = format!(
                "{most} lines in a row were rejected; what is behind line {} was not read",
                self.last
            );
            return self.end_with(&Rejection::new(special::TOO_MANY_REJECTIONS, message)).await;
        }
        self.finish().await;
    }

    /// Ends the answer with why no further line could be read.
    pub(crate) async fn break_off(self, problem: &Problem) {
        let message =
            format!("{} What is behind line {} was not read.", problem.message(), self.last);
        let target = problem.target().unwrap_or_default().to_owned();
        let rejection = Rejection { target, ..Rejection::new(problem.code().name(), message) };
        self.end_with(&rejection).await;
    }

    /// Ends the answer with a last one, for the line behind those that were answered.
    async fn end_with(mut self, rejection: &Rejection) {
        let mut text = format!("{{\"line\":{}", self.last + 1).into_bytes();
        rejection.push(&mut text);
        text.push(b'}');
        let mut out = Vec::new();
        self.push(&mut out, &text);
        if self.backlog.put(out.into()).await {
            self.finish().await;
        }
    }

    /// Ends the answer well.
    pub(crate) async fn finish(mut self) {
        if self.is_collection {
            // The comma behind the last answer, if there was one.
            if self.front == b"," {
                self.front.clear();
            }
            self.front.extend_from_slice(b"]}");
            if !self.backlog.put(Bytes::from(self.front)).await {
                return;
            }
        }
        self.backlog.finish();
    }
}
