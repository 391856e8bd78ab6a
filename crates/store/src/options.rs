//! Where and how to open a store.

use std::path::PathBuf;
use std::time::Duration;

use crate::Place;

/// As what a process works on a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that owns it and answers requests from it.
    Serve,
    /// A command beside it: short transactions, and every write is seen by the `serve` when it is
    /// acknowledged.
    Tool,
}

/// Where and how to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where.
    pub place: Place,
    /// As what.
    pub role: Role,
    /// Whether to make the file if there is none; its folder must exist. (A database must be there;
    /// what is empty is filled.)
    pub create: bool,
    /// How long a reading statement may take.
    pub statement_limit: Duration,
}

impl Options {
    /// A file, which is made if there is none; statements may take 2 s.
    pub fn new(path: impl Into<PathBuf>, role: Role) -> Self {
        Self::at(Place::File(path.into()), role)
    }

    /// The same wherever it is.
    pub fn at(place: Place, role: Role) -> Self {
        Self { place, role, create: true, statement_limit: Duration::from_secs(2) }
    }
}
