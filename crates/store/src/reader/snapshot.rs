//! A read connection and the snapshot that it holds; the heads of the engines say why that is safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Error;
use crate::cache::records::RecordCache;
use crate::engine::Connection;
use crate::engine::sqlite::HELD_AT_MOST;
use crate::options::Role;
use crate::state::State;

/// Steps of SQLite's machine between two looks at the clock; some 100 µs.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// Pages that a reader keeps that goes through much and comes back to little.
const SCAN_CACHE_KIB: i64 = 12 << 10;

/// A connection and its read transaction.
pub(super) struct Snapshot {
    connection: Connection,
    state: Arc<State>,
    held_at_most: Duration,
    held: Option<SnapshotAge>,
    /// Snapshots taken so far.
    taken: u64,
    /// The first pack of sessions of a version that was read last, read together with it.
    ahead: Option<(i64, Vec<u8>)>,
    opened: Instant,
    /// Nanoseconds from `opened` to the end of the statement's time.
    deadline: Arc<AtomicU64>,
}

struct SnapshotAge {
    commits: u64,
    since: Instant,
}

impl Snapshot {
    pub(super) fn open(state: Arc<State>) -> Result<Self, Error> {
        let mut connection = state.opener.reader()?;
        state.look_at_file()?;
        let opened = Instant::now();
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let held_at_most = match (&mut connection, state.role) {
            (Connection::Sqlite(file), role) => {
                let seen = Arc::clone(&deadline);
                let is_late = move || nanoseconds(opened.elapsed()) > seen.load(Ordering::Relaxed);
                file.progress_handler(STEPS_BETWEEN_LOOKS, Some(is_late))?;
                if role == Role::Serve { HELD_AT_MOST } else { Duration::ZERO }
            }
            // Others write too, and acknowledge at once.
            (Connection::Postgres(_), _) => Duration::ZERO,
        };
        limit_statements(&connection, &state)?;
        Ok(Self {
            connection,
            state,
            held_at_most,
            held: None,
            taken: 0,
            ahead: None,
            opened,
            deadline,
        })
    }

    /// Keeps fewer pages of a file in memory.
    pub(super) fn keep_fewer_pages(&mut self) -> Result<(), Error> {
        if let Connection::Sqlite(file) = &self.connection {
            file.pragma_update(None, "cache_size", -SCAN_CACHE_KIB)?;
        }
        Ok(())
    }

    /// The connection, in a snapshot that has every write acknowledged so far.
    pub(super) fn fresh(&mut self) -> Result<&Connection, Error> {
        self.renewed(Instant::now() + self.state.statement_limit, None)
    }

    /// As [`Self::fresh`], for statements with a deadline of their own.
    pub(super) fn fresh_until(&mut self, deadline: Instant) -> Result<&Connection, Error> {
        self.renewed(deadline, Some(deadline.saturating_duration_since(Instant::now())))
    }

    fn renewed(
        &mut self,
        deadline: Instant,
        limit: Option<Duration>,
    ) -> Result<&Connection, Error> {
        self.state.check_file()?;
        let now = Instant::now();
        // Before the snapshot is taken: it may have more commits than counted, never fewer.
        let commits = self.state.commits.load(Ordering::Acquire);
        let is_fresh = self.held.as_ref().is_some_and(|held| {
            held.commits == commits && now.duration_since(held.since) < self.held_at_most
        });
        self.ahead = None;
        if !is_fresh {
            self.renew(limit)?;
            self.held = Some(SnapshotAge { commits, since: now });
        }
        self.set_deadline(deadline);
        Ok(&self.connection)
    }

    fn renew(&mut self, limit: Option<Duration>) -> Result<(), Error> {
        self.reconnect()?;
        self.held = None;
        self.taken += 1;
        self.connection.begin_read(limit)
    }

    fn reconnect(&mut self) -> Result<(), Error> {
        if let Connection::Postgres(connection) = &self.connection
            && connection.is_closed()
        {
            self.held = None;
            self.connection = self.state.opener.reader()?;
            limit_statements(&self.connection, &self.state)?;
        }
        Ok(())
    }

    /// The connection without a snapshot: each statement sees what was acknowledged before it.
    pub(super) fn none(&mut self) -> Result<&Connection, Error> {
        self.state.check_file()?;
        self.reconnect()?;
        (self.held, self.ahead) = (None, None);
        self.connection.leave_read()?;
        Ok(&self.connection)
    }

    /// Keeps a pack that was read with its record, until something else is read.
    pub(super) fn keep_ahead(&mut self, record_key: i64, pack: Vec<u8>) {
        self.ahead = Some((record_key, pack));
    }

    /// The first pack of a version's sessions, if it was read with it.
    pub(super) fn take_ahead(&mut self, record_key: i64) -> Option<Vec<u8>> {
        self.ahead.take_if(|(key, _)| *key == record_key).map(|(_, pack)| pack)
    }

    fn set_deadline(&self, deadline: Instant) {
        let limit = nanoseconds(deadline.saturating_duration_since(self.opened));
        self.deadline.store(limit, Ordering::Relaxed);
    }

    /// Makes the snapshot fresh and gives its number among those of this connection; none where other
    /// nodes write as well, as their commits are seen at once and no snapshot lasts.
    pub(super) fn number(&mut self) -> Result<Option<u64>, Error> {
        if let Connection::Postgres(_) = &self.connection {
            return Ok(None);
        }
        self.fresh()?;
        Ok(Some(self.taken))
    }

    /// The connection as [`Self::fresh_until`] gives it, with a cache brought up to its snapshot.
    pub(super) fn fresh_with(
        &mut self,
        deadline: Instant,
        cache: &mut Option<RecordCache>,
    ) -> Result<&Connection, Error> {
        self.fresh_until(deadline)?;
        if let Some(cache) = cache {
            cache.follow(
                &self.connection,
                self.taken,
                self.state.log_cut.load(Ordering::Acquire),
            )?;
        }
        Ok(&self.connection)
    }

    /// The connection, in the snapshot of the call before, if it is still held.
    pub(super) fn same(&mut self) -> Result<&Connection, Error> {
        if self.held.is_none() {
            return self.fresh();
        }
        self.state.check_file()?;
        self.set_deadline(Instant::now() + self.state.statement_limit);
        Ok(&self.connection)
    }

    /// Lets go of the snapshot.
    pub(super) fn release(&mut self) -> Result<(), Error> {
        self.held = None;
        self.connection.end_read()
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.state.leave(&self.connection);
    }
}

fn limit_statements(connection: &Connection, state: &State) -> Result<(), Error> {
    match connection {
        // See the clock that its machine looks at.
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(connection) => connection.limit_statements(state.statement_limit),
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
