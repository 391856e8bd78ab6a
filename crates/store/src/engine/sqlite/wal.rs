//! The write-ahead log: its pages are moved into the file when it has grown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::Connection;

/// Pages of the log between two checkpoints (32 MiB).
const CHECKPOINT_PAGES: usize = 4_096;

/// The same where the background writes (2 MiB): a checkpoint of many pages at once keeps readers from the
/// processor and from the disk.
const FEW_CHECKPOINT_PAGES: usize = 256;

/// Pages of the log from which on a checkpoint waits for readers, so that the log starts over (256 MiB).
const RESTART_PAGES: usize = 32_768;

/// How long it waits for them.
const RESTART_WAIT: Duration = Duration::from_millis(200);

/// What a connection that writes knows of its log.
#[derive(Debug)]
pub(crate) struct WriteAheadLog {
    pages: Arc<AtomicUsize>,
    /// Pages between two checkpoints.
    every: usize,
    checkpoint_at: usize,
    /// How long to wait for the write of another process.
    patience: Duration,
}

impl WriteAheadLog {
    /// Follows the log of a connection, which from now on waits this long for the writes of others.
    pub(crate) fn follow(
        connection: &mut Connection,
        patience: Duration,
    ) -> Result<Self, rusqlite::Error> {
        connection.busy_timeout(patience)?;
        let pages = Arc::new(AtomicUsize::new(0));
        let grown = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            grown.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { pages, every: CHECKPOINT_PAGES, checkpoint_at: CHECKPOINT_PAGES, patience })
    }

    /// Moves fewer pages at a time, and more often.
    pub(crate) fn checkpoint_in_small_steps(&mut self) {
        self.every = FEW_CHECKPOINT_PAGES;
        self.checkpoint_at = FEW_CHECKPOINT_PAGES;
    }

    /// Moves the log into the file when it has grown. Readers that hold an old snapshot keep a log
    /// from starting over; when it is very long, the checkpoint waits for them.
    pub(crate) fn checkpoint_if_due(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.every {
            self.checkpoint_at = self.every;
        }
        if pages < self.checkpoint_at {
            return;
        }
        self.checkpoint_at = pages + self.every;
        let done = if pages < RESTART_PAGES {
            checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)")
        } else {
            self.checkpoint_and_restart(connection)
        };
        if let Err(error) = done {
            tracing::warn!(%error, "checkpoint failed");
        }
    }

    fn checkpoint_and_restart(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        connection.busy_timeout(RESTART_WAIT)?;
        let done = checkpoint(connection, "PRAGMA wal_checkpoint(RESTART)");
        connection.busy_timeout(self.patience)?;
        done
    }
}

fn checkpoint(connection: &Connection, text: &'static str) -> Result<(), rusqlite::Error> {
    connection.query_row(text, (), |_| Ok(()))
}
