//! Where and how to open a store.

use std::path::PathBuf;
use std::time::Duration;

use crate::engine::Place;

/// What a process does with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It owns the store and answers requests from it.
    Serve,
    /// It is a command beside a server: its transactions are short, and the server sees each of its writes
    /// when that is acknowledged.
    Tool,
}

/// Where and how to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the store is.
    pub place: Place,
    /// What this process does with it.
    pub role: Role,
    /// Whether to make the store if there is none: the file, whose folder must exist, or the tables in an
    /// empty database, which must exist.
    pub create: bool,
    /// How long a statement that reads may take.
    pub statement_limit: Duration,
    /// Bytes of memory for what was read of blocks of columns; none if no question is answered from these.
    pub columns: Option<u64>,
}

/// Bytes of memory for columns, if nothing else is said.
const COLUMNS: u64 = 128 << 20;

impl Options {
    /// A file, which is made if there is none; statements may take 2 s, and columns 128 MiB.
    pub fn new(path: impl Into<PathBuf>, role: Role) -> Self {
        Self::at(Place::File(path.into()), role)
    }

    /// A store at any place, with the same settings.
    pub fn at(place: Place, role: Role) -> Self {
        let statement_limit = Duration::from_secs(2);
        Self { place, role, create: true, statement_limit, columns: Some(COLUMNS) }
    }
}
