//! Pages for people: this crate leads to them, a crate above makes them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use model::TenantId;
use store::{Reader, Store};
use web::{Arrival, Limits, Problem, Response};

use crate::local::Local;
use crate::worker::Worker;

/// An answer that is being made.
pub type PageAnswer<'a> = Pin<Box<dyn Future<Output = Result<Response, Problem>> + 'a>>;

/// Answers at all addresses that begin with `/ui`.
pub trait Pages: fmt::Debug + Send + Sync {
    /// Answers a request, which has passed the check of sizes and method only: who asks is for the pages to
    /// find out.
    fn answer(&self, worker: PageWorker, arrival: Arrival) -> PageAnswer<'_>;
}

/// What pages are made with, on the thread of a worker.
#[derive(Debug, Clone)]
pub struct PageWorker(Rc<Worker>);

impl PageWorker {
    pub(crate) fn new(worker: &Rc<Worker>) -> Self {
        Self(Rc::clone(worker))
    }

    /// Takes writes.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What links begin with: scheme and host, without a slash at the end.
    pub fn public_url(&self) -> &Arc<str> {
        &self.0.web.shared.public_url
    }

    /// Version of the program.
    pub fn version(&self) -> &'static str {
        self.0.web.shared.options.version
    }

    /// Sizes and times of bodies.
    pub fn limits(&self) -> &Limits {
        &self.0.web.limits
    }

    /// Reads what takes less than a millisecond, on this thread.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T, store::Error>,
    ) -> Result<T, Problem> {
        Ok(work(&mut self.0.web.reader.borrow_mut())?)
    }

    /// Asks questions on a thread for such, within the limits of one query. `who` takes turns with others.
    ///
    /// # Errors
    /// Those of the work, and 503 where its turn does not come in time.
    pub async fn ask<T: Send + 'static>(
        &self,
        who: &str,
        tenant: &TenantId,
        work: impl FnOnce(&mut Reader, &Local) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let shared = &self.0.shared;
        let began = Instant::now();
        let budget = shared.query.cost.budget(&shared.question_memory, began);
        let local = Local::of_server(
            tenant.clone(),
            (Arc::clone(&shared.keys), self.0.oldest_shown()),
            (shared.query.clone(), budget),
        );
        let who = Arc::from(format!("{tenant}/ui/{who}"));
        let deadline = began + shared.query.cost.time;
        self.0.questions.ask(&who, deadline, move |reader| work(reader, &local)).await
    }
}
