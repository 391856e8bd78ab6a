//! Rows of the telephone logs, as they are asked for and given.

use model::log::Log;

/// What became of a row that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRowOutcome {
    /// It was not there.
    Created,
    /// It says something else than it did: what it said is kept beside it.
    Replaced,
    /// It says more than it did.
    Merged,
    /// It says nothing new.
    Unchanged,
}

impl LogRowOutcome {
    /// The word for it in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Merged => "merged",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRange {
    /// Which log.
    pub log: Log,
    /// Its first instant (ticks).
    pub from: i64,
    /// The first instant behind it (ticks).
    pub end: i64,
}

/// A row of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLogRow {
    /// When it happened (ticks).
    pub time: i64,
    /// Its number in this store.
    pub key: i64,
    /// Its members as JSON.
    pub body: String,
}
