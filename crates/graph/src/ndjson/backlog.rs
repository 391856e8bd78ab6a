//! Answers that wait for a client which sends everything before it reads anything.
//!
//! Such a client takes no answer while it sends, and would wait for us while we wait for it. So
//! answers may pile up here, far beyond what a socket holds, before they hold up the import.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use web::answer_budget::{AnswerBudget, Reader};
use web::stream::Sender;

/// Bytes of answers that may wait: those of some 300,000 lines.
const MOST_WAITING: usize = 32 * 1024 * 1024;

/// Where answers are put.
pub(crate) struct Backlog {
    queue: mpsc::UnboundedSender<Bytes>,
    room: Arc<Semaphore>,
    answer_budget: AnswerBudget,
    reader: Reader,
}

impl Backlog {
    /// Passes on to `sender` what is put in, which is counted as in flight to the reader; ends the answer
    /// well only after [`Backlog::finish`].
    pub(crate) fn before(sender: Sender, answer_budget: AnswerBudget, reader: Reader) -> Self {
        let (queue, mut waiting) = mpsc::unbounded_channel::<Bytes>();
        let room = Arc::new(Semaphore::new(MOST_WAITING));
        let freed = Arc::clone(&room);
        tokio::task::spawn_local(async move {
            while let Some(bytes) = waiting.recv().await {
                if bytes.is_empty() {
                    return sender.finish();
                }
                let length = bytes.len();
                if sender.send(bytes).await.is_err() {
                    break;
                }
                freed.add_permits(length.min(MOST_WAITING));
            }
            freed.close();
        });
        Self { queue, room, answer_budget, reader }
    }

    /// Puts an answer in; false when the client has gone.
    pub(crate) async fn put(&self, bytes: Bytes) -> bool {
        if bytes.is_empty() {
            return true;
        }
        let (count, is_over) = (bytes.len() as u64, || self.room.is_closed());
        let Some(in_flight) = self.answer_budget.wait(count, &self.reader, is_over).await else {
            return false;
        };
        let length = u32::try_from(bytes.len().min(MOST_WAITING)).unwrap_or(u32::MAX);
        match self.room.acquire_many(length).await {
            Ok(place) => {
                place.forget();
                self.queue.send(in_flight.with(bytes)).is_ok()
            }
            Err(_) => false,
        }
    }

    /// Ends the answer well, behind everything that was put in.
    pub(crate) fn finish(self) {
        // Nothing empty is ever put in, so this is the mark of the end. When nobody takes it, the
        // client has gone.
        let _ = self.queue.send(Bytes::new());
    }
}
