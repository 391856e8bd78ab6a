//! Moves a store to another place, whichever engines the two have.
//!
//! What is moved is the change log, entry by entry, and with each entry the version that it tells of as
//! it is by now. So the store that is left may go on being written: what comes is carried over too.
//! Where the move has come to is noted with each step, in the same transaction, and it goes on there
//! when it was ended in between. In the end both stores are read whole, and compared.

mod chunk;
mod digest;
mod put;
mod tables;

use std::collections::HashSet;

use chunk::Chunk;
use digest::Digest;

use crate::Error;
use crate::codec::Codec;
use crate::engine::{Connection, Opener};
use crate::pending::Pending;
use crate::state::State;
use crate::store::Store;
use crate::tables::log_positions;
use crate::writer::Weight;

/// Notes of the target: the last entry of the source's log that was carried over, when that was
/// committed, and the entry that it became.
const NOTES: [&str; 3] = ["moved_sequence", "moved_committed_at", "moved_to"];

/// How far a move is.
#[derive(Debug, Clone, Copy)]
pub enum TransferProgress {
    /// Entries of the change log that are carried over, and of how many.
    Copying {
        /// So many.
        done: u64,
        /// Of so many that were known when the move began.
        total: u64,
    },
    /// Both stores are read and compared.
    Comparing,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferSummary {
    /// Records of the target.
    pub records: u64,
    /// Their versions.
    pub versions: u64,
    /// Entries of its change log.
    pub changes: u64,
    /// How many of these were carried over now.
    pub copied: u64,
    /// BLAKE3 over all that is kept, the same for both stores, as hexadecimal digits; none if the source
    /// was written to just when they were to be compared.
    pub digest: Option<String>,
    /// Entries that the source has got meanwhile.
    pub behind: u64,
}

/// Moves what is in one store to another, which has to be empty or to be where an earlier move of the
/// same has come to. Blocks, for as long as that takes.
///
/// # Errors
/// [`Error::Target`] if the other store holds something else, [`Error::Differs`] if the stores are not
/// the same in the end, and whatever reading and writing ends with.
pub fn transfer(
    from: &Store,
    to: &Store,
    report: &mut dyn FnMut(TransferProgress),
) -> Result<TransferSummary, Error> {
    let state = from.state();
    if state.opener.is_same(&to.state().opener) {
        return Err(Error::Target("is the one to move from"));
    }
    let connection = unlimited(&state.opener)?;
    let cursor = start(&connection, to)?;
    let total = entries_behind(&connection, cursor)?;
    let mut moving =
        Move { state, to, cursor, copied: 0, total, tenants: HashSet::new(), under_way: None };
    report(TransferProgress::Copying { done: 0, total });
    in_state(&connection, |it| tables::dictionaries(it, to))?;
    // In states of the source that are short, as long as much is left.
    while in_state(&connection, |it| moving.go_on(it, report))? {}
    // And in one at last, which both are compared by.
    let digest = in_state(&connection, |connection| {
        while moving.go_on(connection, report)? {}
        tables::replace(connection, to)?;
        // What is in this state and can't be carried over yet, with others still under way.
        if entries_behind(connection, moving.cursor)? > 0 {
            return Ok(None);
        }
        report(TransferProgress::Comparing);
        compare(state, connection, to).map(Some)
    })?;
    let behind = entries_behind(&connection, moving.cursor)?;
    let target = unlimited(&to.state().opener)?;
    let [records, versions, changes] = digest::sizes(&target)?;
    let digest = digest.map(|digest| digest.to_string());
    Ok(TransferSummary { records, versions, changes, copied: moving.copied, digest, behind })
}

/// A move along the source's log.
struct Move<'m> {
    state: &'m State,
    to: &'m Store,
    /// The last entry that was given to the target.
    cursor: i64,
    /// How many are in it, and of how many that were known at first.
    copied: u64,
    total: u64,
    /// Tenants that the target knows.
    tenants: HashSet<i64>,
    /// What is just being put in, and of how many entries.
    under_way: Option<(Pending<()>, u64)>,
}

impl Move<'_> {
    /// Reads a chunk while the one before is put in, and gives it to the target when that is done:
    /// never both at once, or the second could stand without the first. False if there is none, and
    /// all are in.
    fn go_on(
        &mut self,
        source: &Connection,
        report: &mut dyn FnMut(TransferProgress),
    ) -> Result<bool, Error> {
        let chunk = Chunk::read(self.state, source, self.cursor)?;
        if let Some((put, entries)) = self.under_way.take() {
            put.wait()?;
            self.copied += entries;
            report(TransferProgress::Copying {
                done: self.copied,
                total: self.total.max(self.copied),
            });
        }
        let Some(chunk) = chunk else { return Ok(false) };
        if chunk.entries.iter().any(|entry| !self.tenants.contains(&entry.tenant_key)) {
            tables::tenants(source, self.to)?;
            self.tenants.extend(chunk.entries.iter().map(|entry| entry.tenant_key));
        }
        self.cursor = chunk.up_to;
        let entries = chunk.entries.len() as u64;
        self.under_way = Some((put(self.to, chunk), entries));
        Ok(true)
    }
}

/// A connection for work that takes long.
fn unlimited(opener: &Opener) -> Result<Connection, Error> {
    let connection = opener.reader()?;
    if let Connection::Postgres(_) = connection {
        connection.batch("SET idle_in_transaction_session_timeout = 0")?;
    }
    Ok(connection)
}

/// Reads one state of a store.
fn in_state<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    connection.begin_read(None)?;
    let done = read(connection);
    let ended = connection.end_read();
    done.and_then(|done| ended.map(|()| done))
}

/// Where an earlier move has come to; 0 if there was none.
fn start(source: &Connection, to: &Store) -> Result<i64, Error> {
    let target = to.state().opener.reader()?;
    let note = |name| target.value::<i64>("SELECT value FROM setting WHERE name = ?1", [name]);
    let last = target.value::<Option<i64>>("SELECT max(sequence) FROM change_log", ())?.flatten();
    let Some(cursor) = note(NOTES[0])? else {
        let is_used = ["change_log", "call_record", "tenant", "app", "subscription"];
        for table in is_used {
            if target.exists(&format!("SELECT 1 FROM {table} LIMIT 1"), ())? {
                return Err(Error::Target("holds something that was not moved there"));
            }
        }
        // From now on it is known what is there, however early the move is ended.
        to.submit(Weight::SMALL, |session| put::note(session, [0; 3])).wait()?;
        return Ok(0);
    };
    if last.unwrap_or(0) != note(NOTES[2])?.unwrap_or(0) {
        return Err(Error::Target("was written to since something was moved there"));
    }
    if cursor > 0 && cursor < log_positions::cut_to(source)? {
        return Err(Error::Target("lacks what the log of the other one tells no more"));
    }
    let text = "SELECT committed_at FROM change_log WHERE sequence = ?1";
    if cursor > 0 && source.value::<i64>(text, [cursor])? != note(NOTES[1])? {
        return Err(Error::Target("holds what was moved there from elsewhere"));
    }
    Ok(cursor)
}

fn entries_behind(source: &Connection, cursor: i64) -> Result<u64, Error> {
    let count = source.value("SELECT count(*) FROM change_log WHERE sequence > ?1", [cursor])?;
    Ok(count.map_or(0, i64::unsigned_abs))
}

fn put(to: &Store, chunk: Chunk) -> Pending<()> {
    let weight = Weight { records: chunk.entries.len(), bytes: chunk.bytes };
    let starts = chunk.starts();
    to.submit_dated(weight, starts, move |session| put::put(session, &chunk))
}

/// The digest of both stores, if it is the same.
fn compare(state: &State, source: &Connection, to: &Store) -> Result<Digest, Error> {
    let of_target = || {
        let connection = unlimited(&to.state().opener)?;
        in_state(&connection, |connection| Digest::of(connection, to.codec()))
    };
    let (ours, theirs) = std::thread::scope(|scope| {
        let theirs = scope.spawn(of_target);
        let codec = Codec::new(std::sync::Arc::clone(&state.dictionaries));
        let ours = Digest::of(source, codec);
        (ours, theirs.join())
    });
    let theirs = theirs.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let ours = ours?;
    match ours.difference(&theirs) {
        None => Ok(theirs),
        Some(what) => Err(Error::Differs { what }),
    }
}
