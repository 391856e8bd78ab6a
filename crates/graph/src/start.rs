//! Starting a server of Graph's API.

use std::ops::RangeInclusive;
use std::sync::Arc;

use emulator::Emulator;
use mirror::Mirrors;
use odata::eval::Pool;
use odata::page_token::Keys;
use web::{Listeners, Running};

use crate::app::{App, AppShared};
use crate::label::Label;
use crate::metrics::{self, RecordCounters};
use crate::options::{GraphSettings, Notifications, QuerySettings, ServerOptions};
use crate::pages::Pages;
use crate::paging::MOST_SESSIONS;
use crate::questions::QuestionThreads;
use crate::start_error::StartError;
use crate::token_service::TokenService;
use crate::urls::Urls;
use crate::worker::Shared;

/// Threads for questions: as many as workers, within these bounds. Few enough to be no burden on a
/// database, where each has a connection; enough to go on where some only wait for it.
const QUESTION_THREADS: RangeInclusive<usize> = 4..=8;

/// Starts a server on bound sockets and returns when every thread of it serves. `pages` are those for people, if
/// there are any. Blocking.
///
/// # Errors
/// When a file, the store or a thread can't be had, or the options contradict themselves.
pub fn start(
    options: ServerOptions,
    listeners: Listeners,
    pages: Option<Arc<dyn Pages>>,
) -> Result<Running, StartError> {
    let (server, share) = split(options)?;
    let make = |web: &web::Shared| Ok(AppShared { shared: Arc::new(share.make(web)?), pages });
    Ok(web::start::<App>(server, listeners, make)?)
}

/// What makes that which the application of all threads shares.
pub(crate) struct Share {
    settings: GraphSettings,
    query: QuerySettings,
    notifications: Notifications,
    mirrors: Arc<Mirrors>,
    emulator: Option<Arc<Emulator>>,
    keys: Arc<Keys>,
    etag_key: [u8; 32],
    records: Arc<RecordCounters>,
}

impl Share {
    /// Makes it, once the server knows its address.
    pub(crate) fn make(self, web: &web::Shared) -> Result<Shared, web::StartError> {
        let (least, most) = QUESTION_THREADS.into_inner();
        Ok(Shared {
            urls: Urls::new(&web.public_url),
            settings: self.settings,
            query: self.query,
            notifications: self.notifications,
            mirrors: self.mirrors,
            emulator: self.emulator,
            keys: self.keys,
            etag_key: self.etag_key,
            tokens: TokenService::new(),
            questions: QuestionThreads::start(&web.options.store, web.threads.clamp(least, most))?,
            question_memory: Arc::new(Pool::new(web.options.limits.question_memory)),
            records: self.records,
        })
    }
}

/// What the server is told, and what its application shares.
pub(crate) fn split(mut options: ServerOptions) -> Result<(web::Options, Share), StartError> {
    options.query.language.ignores_slips = options.graph.is_strict;
    let first = options.page_token_keys.first().map(|(_, key)| *key).unwrap_or_default();
    let keys = Keys::new(options.page_token_keys).ok_or(StartError::NoPageTokenKey)?;
    let records = Arc::new(RecordCounters::default());
    let (counted, deliveries) = (Arc::clone(&records), Arc::clone(&options.notifications.counters));
    let (store, mirrors) = (options.store.clone(), Arc::clone(&options.mirrors));
    let mut query = options.query;
    if options.graph.is_strict {
        query.cost.page = MOST_SESSIONS;
    }
    let share = Share {
        settings: options.graph,
        query,
        notifications: options.notifications,
        mirrors: options.mirrors,
        emulator: options.emulator,
        keys: Arc::new(keys),
        etag_key: blake3::derive_key("callvault 2026-11 entity tags", &first),
        records,
    };
    let server = web::Options {
        listen: options.listen,
        tls: options.tls,
        public_url: options.public_url,
        cors: options.cors,
        threads: options.threads,
        names_missing_roles: !options.graph.is_strict,
        limits: options.limits,
        store: options.store,
        trusted_issuers: options.trusted_issuers,
        recheck: options.recheck,
        issuer: options.issuer,
        log_lines_dropped: options.log_lines_dropped,
        version: options.version,
        labels: Label::TEXTS,
        metrics: Arc::new(move |out| {
            let from_blocks = store.answers_from_blocks();
            metrics::write(out, &counted, &deliveries, store.lacking_columns(), from_blocks)?;
            mirrors.metrics.write(out)
        }),
    };
    Ok((server, share))
}
