//! What a worker thread has: things of its own, and handles to what all threads share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use identity::{Issuer, RecentTokens, Verifier};
use odata::eval::Pool;
use store::{Reader, Store};

use crate::body::IngestBudget;
use crate::compression::Compressor;
use crate::connection::{Connections, Turns};
use crate::crowd::Crowd;
use crate::direct::{Date, Spare};
use crate::graph;
use crate::metrics::{Counters, Metrics};
use crate::oauth::TokenDesk;
use crate::options::{GraphSettings, Limits, ServerOptions, StartError};
use crate::outflow::Outflow;
use crate::questions::{QuestionThreads, Questions};
use crate::registrations::Registrations;
use crate::request_id::Generator;
use crate::router::ApiVersion;
use crate::throttle::Throttle;

/// How long a worker without requests keeps the snapshot of its reader. A held snapshot makes the
/// next read cheaper, but keeps the store from tidying up.
const SNAPSHOT_KEPT: Duration = Duration::from_millis(50);

/// What all threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: ServerOptions,
    pub(crate) urls: Urls,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) verifier: Verifier,
    pub(crate) metrics: Metrics,
    pub(crate) budget: IngestBudget,
    pub(crate) outflow: Outflow,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) token_desk: TokenDesk,
    /// Answer what may take long.
    pub(crate) questions: QuestionThreads,
    /// Memory that all questions share.
    pub(crate) question_memory: Arc<Pool>,
    /// How many workers there are.
    pub(crate) threads: usize,
    /// The connections of all threads.
    pub(crate) crowd: Arc<Crowd>,
}

/// What a thread's parts are made from.
#[derive(Debug)]
pub(crate) struct WorkerStart<'a> {
    pub(crate) options: &'a ServerOptions,
    /// How many threads there are.
    pub(crate) threads: usize,
}

/// One per thread, never leaves it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) store: Store,
    /// The thread's own connection: bounded reads are done on it without leaving the thread.
    pub(crate) reader: RefCell<Reader>,
    pub(crate) settings: GraphSettings,
    pub(crate) limits: Limits,
    pub(crate) budget: IngestBudget,
    pub(crate) questions: Questions,
    pub(crate) urls: Urls,
    pub(crate) graph: graph::State,
    /// Tokens that came here lately.
    pub(crate) tokens: RefCell<RecentTokens>,
    /// Applications whose tokens came here lately.
    pub(crate) registrations: Registrations,
    pub(crate) connections: Connections,
    pub(crate) turns: Rc<Turns>,
    pub(crate) spare: Spare,
    pub(crate) date: Date,
    pub(crate) request_ids: Generator,
    pub(crate) compressor: Compressor,
    pub(crate) metrics: SharedMetrics,
    pub(crate) shared: Arc<Shared>,
    counters: Arc<Counters>,
    /// Requests begun on this thread.
    begun: Cell<u64>,
}

/// The metrics of all threads.
#[derive(Debug)]
pub(crate) struct SharedMetrics(Arc<Shared>);

impl std::ops::Deref for SharedMetrics {
    type Target = Metrics;

    fn deref(&self) -> &Metrics {
        &self.0.metrics
    }
}

impl Worker {
    /// Made on the thread; `number` counts from 0.
    pub(crate) fn new(shared: Arc<Shared>, number: usize) -> Result<Rc<Self>, StartError> {
        let options = &shared.options;
        let mut reader = options.store.reader()?;
        // What takes longer is read elsewhere.
        reader.refuse_large();
        Ok(Rc::new(Self {
            store: options.store.clone(),
            reader: RefCell::new(reader),
            settings: options.graph,
            limits: options.limits,
            budget: shared.budget.clone(),
            questions: shared.questions.questions(),
            urls: shared.urls.clone(),
            graph: graph::State::new(&WorkerStart { options, threads: shared.threads })?,
            tokens: RefCell::default(),
            registrations: Registrations::new(options.recheck),
            connections: Connections::default(),
            turns: Rc::default(),
            spare: Spare::default(),
            date: Date::default(),
            request_ids: Generator::new(),
            compressor: Compressor::new(),
            metrics: SharedMetrics(Arc::clone(&shared)),
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

/// What the URLs that we write begin with.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    public: Arc<str>,
    roots: [Arc<str>; 2],
    contexts: [Arc<str>; 2],
}

impl Urls {
    /// From the public URL, with or without a slash at the end.
    pub(crate) fn new(public: &str) -> Result<Self, StartError> {
        let trimmed = public.trim_end_matches('/');
        let host = trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://"));
        let is_url = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
            && trimmed.bytes().all(|byte| byte.is_ascii_graphic())
            && !trimmed.contains(['?', '#', '"', '\\']);
        if !is_url {
            return Err(StartError::PublicUrl(public.to_owned()));
        }
        let root = |version: ApiVersion| format!("{trimmed}/{}", version.segment());
        let versions = [ApiVersion::V1, ApiVersion::Beta];
        Ok(Self {
            public: trimmed.into(),
            roots: versions.map(|version| root(version).into()),
            contexts: versions.map(|version| format!("{}/$metadata#", root(version)).into()),
        })
    }

    /// `https://host`
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// `https://host/v1.0`
    pub(crate) fn root(&self, version: ApiVersion) -> &str {
        &self.roots[version as usize]
    }

    /// `https://host/v1.0/$metadata#`
    pub(crate) fn context(&self, version: ApiVersion) -> &str {
        &self.contexts[version as usize]
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    // A clock before 1970 would make every token early, which is the right answer to it.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_begin_with_the_public_url() {
        for public in ["https://graph.contoso.com", "https://graph.contoso.com/"] {
            let urls = Urls::new(public).unwrap();
            assert_eq!(urls.public(), "https://graph.contoso.com");
            assert_eq!(urls.root(ApiVersion::V1), "https://graph.contoso.com/v1.0");
            assert_eq!(urls.context(ApiVersion::Beta), "https://graph.contoso.com/beta/$metadata#");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for public in [
            "",
            "graph.contoso.com",
            "ftp://x",
            "https://",
            "https:///x",
            "https://x?y",
            "http://x y",
        ] {
            assert!(Urls::new(public).is_err(), "{public}");
        }
    }
}
