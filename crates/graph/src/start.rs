//! Starting a server of Graph's API.

use std::ops::RangeInclusive;
use std::sync::Arc;

use odata::eval::Pool;
use odata::page_token::Keys;
use web::Running;

use crate::app::App;
use crate::label::Label;
use crate::metrics::{self, RecordCounters};
use crate::options::ServerOptions;
use crate::questions::QuestionThreads;
use crate::start_error::StartError;
use crate::token_service::TokenService;
use crate::urls::Urls;
use crate::worker::Shared;

/// Threads for questions: as many as workers, within these bounds. Few enough to be no burden on a
/// database, where each has a connection; enough to go on where some only wait for it.
const QUESTION_THREADS: RangeInclusive<usize> = 4..=8;

/// Starts a server and returns when every thread of it serves. Blocking.
///
/// # Errors
/// When an address, a file, the store or a thread can't be had, or the options contradict themselves.
pub fn start(options: ServerOptions) -> Result<Running, StartError> {
    let (options, share) = split(options)?;
    Ok(web::start::<App>(options, share)?)
}

/// What the server is told, and what makes that which its application shares.
pub(crate) fn split(
    options: ServerOptions,
) -> Result<(web::Options, impl FnOnce(&web::Shared) -> Result<Shared, web::StartError>), StartError>
{
    let first = options.page_token_keys.first().map(|(_, key)| *key).unwrap_or_default();
    let keys = Keys::new(options.page_token_keys).ok_or(StartError::NoPageTokenKey)?;
    let keys = Arc::new(keys);
    let records = Arc::new(RecordCounters::default());
    let (counted, deliveries) = (Arc::clone(&records), Arc::clone(&options.notifications.counters));
    let ServerOptions { graph: settings, query, notifications, emulator, .. } = options;
    let server = web::Options {
        listen: options.listen,
        admin_listen: options.admin_listen,
        tls: options.tls,
        public_url: options.public_url,
        allow_plain_http: options.allow_plain_http,
        threads: options.threads,
        limits: options.limits,
        store: options.store,
        trusted_issuers: options.trusted_issuers,
        recheck: options.recheck,
        issuer: options.issuer,
        log_lines_dropped: options.log_lines_dropped,
        version: options.version,
        labels: Label::TEXTS,
        metrics: Arc::new(move |out| metrics::write(out, &counted, &deliveries)),
    };
    let share = move |web: &web::Shared| {
        let (least, most) = QUESTION_THREADS.into_inner();
        Ok(Shared {
            urls: Urls::new(&web.public_url),
            settings,
            query,
            notifications,
            emulator,
            keys,
            etag_key: blake3::derive_key("callvault 2026-11 entity tags", &first),
            tokens: TokenService::new(),
            questions: QuestionThreads::start(&web.options.store, web.threads.clamp(least, most))?,
            question_memory: Arc::new(Pool::new(web.options.limits.question_memory)),
            records,
        })
    };
    Ok((server, share))
}
