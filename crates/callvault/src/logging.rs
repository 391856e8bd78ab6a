//! The log: lines on standard error, as text or JSON, which nobody waits for.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tracing_subscriber::filter::LevelFilter;

use crate::lines::{Lines, Outlet, Written};
use crate::settings::{Level, LogFormat};

/// How long the end of the process waits for its last lines.
const LAST_LINES: Duration = Duration::from_secs(2);

static LOG: OnceLock<Arc<Lines>> = OnceLock::new();

/// Starts logging. Called once.
pub(crate) fn start(format: LogFormat, level: Level) -> Result<()> {
    let mut told = 0;
    let tell = move |Written { outcome, dropped }| {
        if outcome.is_ok() && dropped > told {
            tracing::warn!(count = dropped - told, "lines of the log were lost");
            told = dropped;
        }
    };
    let lines = Lines::start("log", io::stderr(), tell).context("the thread of the log")?;
    let outlet = Arc::clone(LOG.get_or_init(|| lines));
    let builder = tracing_subscriber::fmt()
        .with_max_level(filter(level))
        .with_writer(move || Outlet(Arc::clone(&outlet)))
        // It would be told on standard error, and panic when that is gone.
        .log_internal_errors(false)
        .with_ansi(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// How many lines were lost, as far as it is known.
pub(crate) fn dropped() -> Arc<AtomicU64> {
    LOG.get().map(|lines| lines.dropped()).unwrap_or_default()
}

/// Says why the process ends. Where standard error is closed, nobody is left to be told.
pub(crate) fn complain(error: &anyhow::Error) {
    let line = format!("callvault: {error:#}\n");
    match LOG.get() {
        Some(lines) => lines.push(line.as_bytes()),
        None => drop(io::stderr().write_all(line.as_bytes())),
    }
}

/// Waits for the last lines, but not for ever.
pub(crate) fn finish() {
    if let Some(lines) = LOG.get() {
        lines.flush_within(LAST_LINES);
    }
}

/// Instead of the usual hook, which waits for standard error.
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
