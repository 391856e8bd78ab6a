//! What a server does to its store every hour: room is made for new records, old ones go, and signing
//! keys are changed.

use anyhow::Result;
use identity::{MasterKey, SigningKey};
use odata::primitive::DateTimeOffset;
use store::Store;

use crate::{clock, keys};

/// Records erased in one transaction, so that others are not kept waiting.
const ERASED_AT_ONCE: usize = 200;
/// Rows of logs erased in one transaction.
const ROWS_AT_ONCE: usize = 5_000;
const DAY: i64 = 24 * 3600;

/// What it needs for that.
#[derive(Debug, Clone)]
pub(crate) struct Upkeep {
    pub(crate) store: Store,
    pub(crate) master: MasterKey,
    /// Days after their end that records are kept; `None` is forever.
    pub(crate) retention_days: Option<u32>,
}

impl Upkeep {
    /// Does what is due, and gives the signing keys when they changed. What fails is logged and
    /// tried again in the next round.
    pub(crate) fn run(&self) -> Option<Vec<SigningKey>> {
        let now = store::clock::seconds();
        let ticks = |seconds| DateTimeOffset::from_unix_seconds(seconds).0;
        self.store.prepare(ticks(now), ticks(now + 31 * DAY));
        if let Some(days) = self.retention_days {
            let end = now - i64::from(days) * DAY;
            match self.erase(end) {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, days, "records erased after their retention"),
                Err(error) => tracing::error!(error = format!("{error:#}"), "erasing failed"),
            }
            if let Err(error) = self.erase_log_rows(end) {
                tracing::error!(error = format!("{error:#}"), "erasing rows of logs failed");
            }
            if let Err(error) = self.store.give_back_months(ticks(end)) {
                tracing::error!(error = format!("{error:#}"), "months were not given back");
            }
        }
        // Once a day, since much of the index is written anew for it.
        if let Err(error) = self.store.forget_words(ticks(now - DAY)) {
            tracing::error!(error = format!("{error:#}"), "forgetting words failed");
        }
        match keys::rotate_when_due(&self.store, &self.master, clock::now()) {
            Ok(Some(keys)) => {
                tracing::info!(count = keys.len(), "signing keys changed");
                Some(keys)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "changing signing keys failed");
                None
            }
        }
    }

    /// Erases rows of the telephone logs of what happened before `end`, in seconds since 1970.
    fn erase_log_rows(&self, end: i64) -> Result<()> {
        let end = DateTimeOffset::from_unix_seconds(end).0;
        while self.store.erase_log_rows_before(end, ROWS_AT_ONCE).wait()? > 0 {}
        Ok(())
    }

    /// Erases the records of calls that ended before `end`, in seconds since 1970.
    fn erase(&self, end: i64) -> Result<usize> {
        let end = DateTimeOffset::from_unix_seconds(end).0;
        let mut count = 0;
        loop {
            match self.store.erase_ended_before(end, ERASED_AT_ONCE).wait()? {
                0 => return Ok(count),
                erased => count += erased,
            }
        }
    }
}
