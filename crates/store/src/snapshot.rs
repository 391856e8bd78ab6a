//! A read connection and the snapshot that it holds; the head of the engine says why that is safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::Connection;
use crate::sqlite::{HELD_AT_MOST, connection};
use crate::store::Shared;
use crate::{Error, Role};

/// Steps of SQLite's machine between two looks at the clock; some 100 µs.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// A connection and its read transaction.
pub(crate) struct Snapshot {
    connection: Connection,
    shared: Arc<Shared>,
    held_at_most: Duration,
    held: Option<Held>,
    opened: Instant,
    /// Nanoseconds from `opened` to the end of the statement's time.
    deadline: Arc<AtomicU64>,
}

struct Held {
    commits: u64,
    since: Instant,
}

impl Snapshot {
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Self, Error> {
        let mut connection = connection::reader(&shared.path)?;
        let opened = Instant::now();
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let seen = Arc::clone(&deadline);
        let is_late = move || nanoseconds(opened.elapsed()) > seen.load(Ordering::Relaxed);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(is_late))?;
        let held_at_most = match shared.role {
            Role::Serve => HELD_AT_MOST,
            Role::Tool => Duration::ZERO,
        };
        let connection = Connection::Sqlite(connection);
        Ok(Self { connection, shared, held_at_most, held: None, opened, deadline })
    }

    /// The connection, in a snapshot that has every write acknowledged so far.
    pub(crate) fn fresh(&mut self) -> Result<&Connection, Error> {
        let now = Instant::now();
        // Before the snapshot is taken: it may have more commits than counted, never fewer.
        let commits = self.shared.commits.load(Ordering::Acquire);
        let is_fresh = self.held.as_ref().is_some_and(|held| {
            held.commits == commits && now.duration_since(held.since) < self.held_at_most
        });
        if !is_fresh {
            self.release()?;
            self.connection.begin_read()?;
            self.held = Some(Held { commits, since: now });
        }
        self.set_deadline(now + self.shared.statement_limit);
        Ok(&self.connection)
    }

    /// As [`Self::fresh`], for statements that end by another time than usual.
    pub(crate) fn fresh_until(&mut self, deadline: Instant) -> Result<&Connection, Error> {
        self.fresh()?;
        self.set_deadline(deadline);
        Ok(&self.connection)
    }

    fn set_deadline(&self, deadline: Instant) {
        let limit = nanoseconds(deadline.saturating_duration_since(self.opened));
        self.deadline.store(limit, Ordering::Relaxed);
    }

    /// The connection, in the snapshot of the call before, if it is still held.
    pub(crate) fn same(&mut self) -> Result<&Connection, Error> {
        if self.held.is_none() {
            return self.fresh();
        }
        let limit = self.opened.elapsed() + self.shared.statement_limit;
        self.deadline.store(nanoseconds(limit), Ordering::Relaxed);
        Ok(&self.connection)
    }

    /// Lets go of the snapshot.
    pub(crate) fn release(&mut self) -> Result<(), Error> {
        self.held = None;
        self.connection.end_read()
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
