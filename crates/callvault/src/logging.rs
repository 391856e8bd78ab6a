//! The log: lines on standard error, as text or JSON, written by a thread of its own.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tracing_subscriber::filter::LevelFilter;

use crate::line_queue::{LineQueue, LineWriter, WriteReport};
use crate::settings::{Level, LogFormat};

/// How long the process waits at its end for its last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

static LOG: OnceLock<Arc<LineQueue>> = OnceLock::new();

/// Starts logging. Call it once.
///
/// # Errors
/// When the thread of the log can't start.
pub(crate) fn start(format: LogFormat, level: Level) -> Result<()> {
    let mut reported = 0;
    let report = move |WriteReport { outcome, dropped }| {
        if outcome.is_ok() && dropped > reported {
            tracing::warn!(count = dropped - reported, "log lines were lost");
            reported = dropped;
        }
    };
    let lines = LineQueue::start("log", io::stderr(), report).context("starting the log")?;
    let queue = Arc::clone(LOG.get_or_init(|| lines));
    let builder = tracing_subscriber::fmt()
        .with_max_level(filter(level))
        .with_writer(move || LineWriter(Arc::clone(&queue)))
        // They would go to standard error directly, and panic if that is closed.
        .log_internal_errors(false)
        .with_ansi(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// The counter of lost lines.
pub(crate) fn dropped() -> Arc<AtomicU64> {
    LOG.get().map(|lines| lines.dropped()).unwrap_or_default()
}

/// Prints the error that ends the process, and what to do about it. A closed standard error is ignored.
pub(crate) fn print_error(error: &anyhow::Error, advice: Option<&str>) {
    let advice = advice.map_or_else(String::new, |advice| format!(". {advice}"));
    let line = format!("callvault: {error:#}{advice}\n");
    match LOG.get() {
        Some(lines) => lines.push(line.as_bytes()),
        None => drop(io::stderr().write_all(line.as_bytes())),
    }
}

/// Prints a sentence for the user of a command to standard error. A closed one is ignored.
pub(crate) fn note(sentence: &str) {
    let line = format!("callvault: {sentence}\n");
    drop(io::stderr().write_all(line.as_bytes()));
}

/// Waits for the last lines, for a limited time.
pub(crate) fn finish() {
    if let Some(lines) = LOG.get() {
        lines.flush_within(FLUSH_TIMEOUT);
    }
}

/// Logs a panic. The default hook would block on standard error.
fn log_panic(info: &PanicHookInfo<'_>) {
    let what = info.payload_as_str().unwrap_or("without a message");
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    let thread = thread.name().unwrap_or_default();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(thread, at, %backtrace, "panic: {what}");
    } else {
        tracing::error!(thread, at, "panic: {what}");
    }
}

fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    }
}
