//! What the writer and the readers of an open store have in common.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::Error;
use crate::cache::columns::ColumnCache;
use crate::cache::maps::MapCache;
use crate::cache::record_keys::RecordKeyCache;
use crate::codec::dictionaries::Dictionaries;
use crate::engine::sqlite::connection;
use crate::engine::sqlite::identity::FileIdentity;
use crate::engine::{Connection, Opener, Place};
use crate::options::Role;
use crate::tables::partitions::Partitions;

/// What the writer and the readers have in common.
pub(crate) struct State {
    pub(crate) place: Place,
    pub(crate) opener: Opener,
    pub(crate) partitions: Partitions,
    pub(crate) record_keys: RecordKeyCache,
    pub(crate) maps: MapCache,
    pub(crate) columns: ColumnCache,
    pub(crate) role: Role,
    pub(crate) statement_limit: Duration,
    pub(crate) dictionaries: Arc<Dictionaries>,
    /// The full-text index has all words; until then nothing relies on it.
    pub(crate) are_words_there: AtomicBool,
    /// Of a file: all records have all columns; until then no query relies on those that were added last.
    /// Where many nodes write, each question that uses them has to look.
    pub(crate) are_columns_there: AtomicBool,
    /// Records that lack columns, as far as this process knows.
    pub(crate) lacking_columns: AtomicU64,
    /// Names this process among those that take leases.
    pub(crate) holder: String,
    /// The entry up to which this process has cut the change log; stored before that is committed.
    pub(crate) log_cut: AtomicI64,
    /// Counted up before a commit is acknowledged.
    pub(crate) commits: AtomicU64,
    /// Notified of each commit, be it of another node.
    pub(crate) committed: Notify,
    pub(crate) is_available: AtomicBool,
    /// Held by the writer whose transaction is open, where there can be one at a time.
    pub(crate) turn: Mutex<()>,
    /// Of a file.
    pub(crate) files: Option<FileIdentity>,
}

impl State {
    /// Fails when the store's file was found to be another one, or gone.
    pub(crate) fn check_file(&self) -> Result<(), Error> {
        self.files.as_ref().map_or(Ok(()), FileIdentity::check)
    }

    /// Looks at the file, and fails when it is another one or gone.
    pub(crate) fn look_at_file(&self) -> Result<(), Error> {
        self.files.as_ref().map_or(Ok(()), FileIdentity::look).inspect_err(|_| {
            self.is_available.store(false, Ordering::Release);
        })
    }

    /// To be called before a connection is closed. SQLite lets the last connection put the log into the
    /// file and delete it, by a name that may be another file's by now.
    pub(crate) fn leave(&self, connection: &Connection) {
        if let (Some(files), Connection::Sqlite(file)) = (&self.files, connection)
            && !files.was_log_removed()
            && files.look().is_err()
            && files.is_log_foreign()
            && let Err(error) = connection::keep_log(file)
        {
            tracing::error!(%error, "the log of the store may be deleted");
        }
    }
}
