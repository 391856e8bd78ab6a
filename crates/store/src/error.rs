//! What can go wrong in the store, told apart by what the caller can do about it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use model::fragment::Corrupt;
use odata::eval::Exhausted;

/// A failure of the store. Nothing of what failed was written, but where it says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process holds the write lock for longer than a write may take. Try again.
    #[error("the store is busy with the write of another process")]
    Busy,
    /// The disk or the writer fails. The store tries by itself whether it works again.
    #[error("the store is not available")]
    Unavailable(#[source] Cause),
    /// No space is left on the disk, or for so large a file. The store tries by itself whether there is
    /// again.
    #[error("the disk of the store is full")]
    Full(#[source] Cause),
    /// The name of the store leads to another file than the one that is open, or to none. What was
    /// written last may stand in the one that nobody will find.
    #[error("the file of the store is not where it was")]
    Lost(#[source] Cause),
    /// What was read is not what was written.
    #[error("the store is damaged")]
    Corrupt(#[source] Cause),
    /// A newer Callvault has migrated the store.
    #[error("the store has schema {found}, and this version knows schemas up to {known}")]
    Newer {
        /// Number of the store's last migration.
        found: i64,
        /// Number of the last migration known here.
        known: i64,
    },
    /// The file holds something else.
    #[error("{} is not a Callvault store: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: &'static str,
    },
    /// Another `serve` works on this store.
    #[error("another callvault serve owns this store: {} is locked", .0.display())]
    Owned(PathBuf),
    /// There is no store here, and none was to be made.
    #[error("there is no store at {0}")]
    Missing(String),
    /// The file that was to be written is there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The URL of the store can't be read.
    #[error("the URL of the store can't be read")]
    Url(#[source] Cause),
    /// It is done with files only; PostgreSQL has tools of its own for it.
    #[error("only a store that is a file can do this; PostgreSQL has its own tools for it")]
    FilesOnly,
    /// It can't be moved into.
    #[error("the store to move to {0}")]
    Target(&'static str),
    /// What was moved is not what is there.
    #[error("the stores differ: {what}")]
    Differs {
        /// Which part of them.
        what: &'static str,
    },
    /// A transaction of another node stood in the way; the writer tries it again.
    #[error("another node writes the same")]
    Again,
    /// The statement took longer than [`crate::Options::statement_limit`].
    #[error("the statement took longer than it may")]
    Deadline,
    /// Our own evaluator would have to look at more rows than [`crate::Budget::rows_scanned`].
    #[error("the query has to look at more than {limit} rows")]
    TooManyRows {
        /// The budget.
        limit: u64,
    },
    /// `$apply` would have to hold more groups or rows than [`crate::Budget::groups`].
    #[error("the query has more than {limit} groups")]
    TooManyGroups {
        /// The budget.
        limit: usize,
    },
    /// The query takes more steps or memory than [`crate::Budget::meter`] has.
    #[error("{0}")]
    Exhausted(Exhausted),
    /// A fragment is larger than this reader takes, see [`crate::Reader::refuse_large`].
    #[error("what is kept is too large to be read here")]
    Large,
    /// Of what came behind a position of the change log some is told no more.
    #[error("the change log does not go back to this position")]
    LogCut,
    /// The position of a page is not one of this query.
    #[error("the position is not one of this query")]
    Position,
    /// Anything else.
    #[error("the store failed")]
    Internal(#[source] Cause),
}

impl From<Exhausted> for Error {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted::Time => Self::Deadline,
            exhausted => Self::Exhausted(exhausted),
        }
    }
}

/// The engine's own error beneath an [`Error`], shared by all whose writes it ended.
#[derive(Debug, Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    /// From what happened, for those who work on a store in their own threads.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Error {
    /// The writer thread has ended, which it does only together with its store.
    pub(crate) fn stopped() -> Self {
        Self::Unavailable(Cause::new("the writer has stopped"))
    }

    /// Whether it comes from the engine as a whole, so that trying each write of a group alone
    /// would fail alike.
    pub(crate) fn is_of_engine(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable(_) | Self::Full(_) | Self::Lost(_))
    }
}

impl From<Corrupt> for Error {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(Cause::new(corrupt))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            // More than the disk has, than its owner may have, or than a file may have.
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full(Cause::new(error))
            }
            _ => Self::Unavailable(Cause::new(error)),
        }
    }
}
