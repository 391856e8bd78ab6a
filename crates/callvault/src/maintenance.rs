//! The hourly maintenance of a store: creates partitions, erases old records, cuts the change log, cleans
//! the full-text index, and rotates signing keys.

use anyhow::Result;
use identity::{MasterKey, SigningKey};
use odata::primitive::DateTimeOffset;
use store::Store;

use crate::{clock, keys};

/// Records erased per transaction, so that other writers do not wait long.
const RECORDS_PER_TRANSACTION: usize = 200;
/// Log rows erased per transaction, and entries of the change log looked at.
const ROWS_PER_TRANSACTION: usize = 5_000;
/// Seconds.
const DAY: i64 = 24 * 3600;

/// The maintenance of one store.
#[derive(Debug, Clone)]
pub(crate) struct Maintenance {
    pub(crate) store: Store,
    pub(crate) master: MasterKey,
    /// Days after the end of a call that its records are kept; `None` is forever.
    pub(crate) retention_days: Option<u32>,
    /// Days for which the change log tells of what is gone; `None` is forever.
    pub(crate) changes_days: Option<u32>,
    /// Days for which the access log is kept; `None` is forever.
    pub(crate) accesses_days: Option<u32>,
}

impl Maintenance {
    /// Does what is due, and returns the signing keys if they changed. Failures are logged and retried in
    /// the next round.
    pub(crate) fn run(&self) -> Option<Vec<SigningKey>> {
        let now = store::clock::seconds();
        let ticks = |seconds| DateTimeOffset::from_unix_seconds(seconds).0;
        self.store.prepare(ticks(now), ticks(now + 31 * DAY));
        if let Some(days) = self.retention_days {
            let end = now - i64::from(days) * DAY;
            match self.erase(end) {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, days, "records erased after their retention"),
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "can't erase old records");
                }
            }
            if let Err(error) = self.erase_log_rows(end) {
                tracing::error!(error = format!("{error:#}"), "can't erase old log rows");
            }
            if let Err(error) = self.store.give_back_months(ticks(end)) {
                tracing::error!(error = format!("{error:#}"), "can't drop empty partitions");
            }
        }
        if let Err(error) = self.fill() {
            tracing::error!(error = format!("{error:#}"), "can't bring the store up to its schema");
        }
        if let Some(days) = self.changes_days
            && let Err(error) = self.cut_log(ticks(now - i64::from(days) * DAY))
        {
            tracing::error!(error = format!("{error:#}"), "can't cut the change log");
        }
        let before = self.accesses_days.map_or(i64::MIN, |days| ticks(now - i64::from(days) * DAY));
        if let Err(error) = self.store.remove_old_accesses(before).wait() {
            tracing::error!(error = format!("{error:#}"), "can't cut the access log");
        }
        // At most once a day, since it rewrites much of the index.
        if let Err(error) = self.store.forget_words(ticks(now - DAY)) {
            tracing::error!(
                error = format!("{error:#}"),
                "can't remove erased words from the full-text index"
            );
        }
        match keys::rotate_when_due(&self.store, &self.master, clock::now()) {
            Ok(Some(keys)) => {
                tracing::info!(count = keys.len(), "signing keys changed");
                Some(keys)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "can't rotate signing keys");
                None
            }
        }
    }

    /// Fills in what a step of the schema has left to be done while the store is used.
    fn fill(&self) -> Result<()> {
        while self.store.fill(RECORDS_PER_TRANSACTION).wait()? {}
        Ok(())
    }

    /// Takes out of the change log what it told of what is gone before an instant, in ticks.
    fn cut_log(&self, before: i64) -> Result<()> {
        while self.store.cut_log(before, ROWS_PER_TRANSACTION).wait()? {}
        Ok(())
    }

    /// Erases rows of the telephone logs from before `end`, in seconds since 1970.
    fn erase_log_rows(&self, end: i64) -> Result<()> {
        let end = DateTimeOffset::from_unix_seconds(end).0;
        while self.store.erase_log_rows_before(end, ROWS_PER_TRANSACTION).wait()? > 0 {}
        Ok(())
    }

    /// Erases the records of calls that ended before `end`, in seconds since 1970.
    fn erase(&self, end: i64) -> Result<usize> {
        let end = DateTimeOffset::from_unix_seconds(end).0;
        let mut count = 0;
        loop {
            match self.store.erase_ended_before(end, RECORDS_PER_TRANSACTION).wait()? {
                0 => return Ok(count),
                erased => count += erased,
            }
        }
    }
}
