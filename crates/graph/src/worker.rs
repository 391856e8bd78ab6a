//! What a worker thread has for Graph's API: things of its own, and handles to what all threads share.

use std::rc::Rc;
use std::sync::Arc;

use emulator::Emulator;
use mirror::Mirrors;
use odata::eval::Pool;
use odata::page_token::Keys;
use store::Store;

use crate::metrics::RecordCounters;
use crate::options::{GraphSettings, Notifications, QuerySettings};
use crate::questions::{QuestionThreads, Questions};
use crate::record;
use crate::token_service::TokenService;
use crate::urls::Urls;

/// What all threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) urls: Urls,
    /// How Graph's resources answer.
    pub(crate) settings: GraphSettings,
    /// What queries may read, and what they may cost.
    pub(crate) query: QuerySettings,
    /// How subscribers are notified.
    pub(crate) notifications: Notifications,
    /// Has the server misbehave on demand.
    pub(crate) mirrors: Arc<Mirrors>,
    pub(crate) emulator: Option<Arc<Emulator>>,
    /// Keys that seal page tokens.
    pub(crate) keys: Arc<Keys>,
    /// The key of entity tags.
    pub(crate) etag_key: [u8; 32],
    pub(crate) tokens: TokenService,
    /// Answer what may take long.
    pub(crate) questions: QuestionThreads,
    /// Memory that all questions share.
    pub(crate) question_memory: Arc<Pool>,
    pub(crate) records: Arc<RecordCounters>,
}

/// One per thread, never leaves it.
#[derive(Debug)]
pub(crate) struct Worker {
    /// The server's part of it.
    pub(crate) web: Rc<web::Worker>,
    pub(crate) store: Store,
    pub(crate) settings: GraphSettings,
    pub(crate) questions: Questions,
    pub(crate) shared: Arc<Shared>,
}

impl Worker {
    pub(crate) fn new(web: Rc<web::Worker>, shared: Arc<Shared>) -> Self {
        let store = web.shared.options.store.clone();
        let (settings, questions) = (shared.settings, shared.questions.questions());
        Self { web, store, settings, questions, shared }
    }

    /// What the URLs of each version begin with.
    pub(crate) fn urls(&self) -> &Urls {
        &self.shared.urls
    }

    /// The start before which records are not shown, if there is one.
    pub(crate) fn oldest_shown(&self) -> Option<i64> {
        record::oldest_shown(self.settings.retention_view)
    }
}
