//! What a worker thread of the server has: things of its own, and handles to what all threads share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use identity::{Issuer, RecentTokens, Verifier};
use store::Reader;

use crate::answer_budget::AnswerBudget;
use crate::body::IngestBudget;
use crate::compression::Compressor;
use crate::connection_table::ConnectionTable;
use crate::connections::Connections;
use crate::limits::Limits;
use crate::metrics::{Counters, Metrics};
use crate::options::Options;
use crate::registrations::Registrations;
use crate::request_id::Generator;
use crate::start_error::StartError;
use crate::throttle::Throttle;
use crate::turns::TurnQueue;

/// How long a worker without requests keeps the snapshot of its reader. A held snapshot makes the
/// next read cheaper, but keeps the store from tidying up.
const SNAPSHOT_KEPT: Duration = Duration::from_millis(50);

/// What all threads share.
#[derive(Debug)]
pub struct Shared {
    /// What the server was told when it started.
    pub options: Options,
    /// What links begin with: `https://host`, without a slash at the end.
    pub public_url: Arc<str>,
    /// The built-in issuer.
    pub issuer: Arc<Issuer>,
    /// Verifies tokens.
    pub verifier: Verifier,
    pub(crate) metrics: Metrics,
    /// Bytes of records that may be on their way in.
    pub budget: IngestBudget,
    /// Bytes of answers that may be on their way out.
    pub answer_budget: AnswerBudget,
    /// How often applications may ask, if that is limited.
    pub throttle: Option<Throttle>,
    /// How many workers there are.
    pub threads: usize,
    /// The connections of all threads.
    pub(crate) connection_table: Arc<ConnectionTable>,
    /// When the log told last of a client that speaks TLS to a port without, in seconds of Unix.
    pub(crate) tls_noted: AtomicI64,
}

/// One per thread, never leaves it.
#[derive(Debug)]
pub struct Worker {
    /// The thread's own connection to the store: bounded reads are done on it without leaving the
    /// thread.
    pub reader: RefCell<Reader>,
    /// Sizes, times and counts.
    pub limits: Limits,
    /// Tokens that came here lately.
    pub(crate) tokens: RefCell<RecentTokens>,
    /// Applications whose tokens came here lately.
    pub(crate) registrations: Registrations,
    pub(crate) connections: Connections,
    /// The line of connections that have sent more than was answered.
    pub turns: Rc<TurnQueue>,
    /// Makes the ids of requests.
    pub request_ids: Generator,
    pub(crate) compressor: Compressor,
    /// What all threads share.
    pub shared: Arc<Shared>,
    counters: Arc<Counters>,
    /// Requests begun on this thread.
    begun: Cell<u64>,
}

impl Shared {
    /// What `/metrics` says of the server itself.
    pub fn expose_metrics(&self) -> String {
        self.metrics.expose()
    }
}

impl Worker {
    /// Made on the thread; `number` counts from 0.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn new(shared: Arc<Shared>, number: usize) -> Result<Rc<Self>, StartError> {
        let options = &shared.options;
        let mut reader = options.store.reader()?;
        // What takes longer is read elsewhere.
        reader.refuse_large();
        Ok(Rc::new(Self {
            reader: RefCell::new(reader),
            limits: options.limits,
            tokens: RefCell::default(),
            registrations: Registrations::new(options.recheck),
            connections: Connections::default(),
            turns: Rc::default(),
            request_ids: Generator::new(),
            compressor: Compressor::new(),
            counters: shared.metrics.counters(number),
            shared,
            begun: Cell::new(0),
        }))
    }

    /// The thread's own counters.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A request begins.
    pub(crate) fn request_begins(&self) {
        self.begun.set(self.begun.get() + 1);
        self.counters.request_begins();
    }

    /// Lets go of the reader's snapshot whenever no request came for a moment. Runs until it is
    /// dropped.
    pub(crate) async fn release_when_idle(self: Rc<Self>) {
        let mut released = 0;
        loop {
            let seen = self.begun.get();
            tokio::time::sleep(SNAPSHOT_KEPT).await;
            if seen == self.begun.get() && seen != released {
                released = seen;
                self.reader.borrow_mut().release();
            }
        }
    }
}
