//! Opens connections to a store, whichever engine holds it.

use std::path::{Path, PathBuf};

use super::connection::Connection;
use super::dialect::Dialect;
use super::place::Place;
use super::postgres::{self, Database};
use super::sqlite;
use crate::Error;

/// Opens connections to a store.
#[derive(Debug, Clone)]
pub(crate) enum Opener {
    Sqlite(PathBuf),
    Postgres(Database),
}

impl Opener {
    pub(crate) fn new(place: &Place) -> Result<Self, Error> {
        Ok(match place {
            Place::File(path) => Self::Sqlite(path.clone()),
            Place::Postgres(url) => Self::Postgres(Database::of(url)?),
        })
    }

    /// The dialect that its connections speak.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A connection that writes.
    pub(crate) fn writer(&self) -> Result<Connection, Error> {
        match self {
            Self::Sqlite(path) => Ok(Connection::Sqlite(sqlite::connection::writer(path)?)),
            Self::Postgres(_) => self.reader(),
        }
    }

    /// A connection that reads.
    pub(crate) fn reader(&self) -> Result<Connection, Error> {
        match self {
            Self::Sqlite(path) => Ok(Connection::Sqlite(sqlite::connection::reader(path)?)),
            Self::Postgres(database) => {
                let connection = postgres::connection::Connection::open(database)?;
                Ok(Connection::Postgres(Box::new(connection)))
            }
        }
    }

    /// Whether both lead to one store, as far as their names tell.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(ours), Self::Sqlite(theirs)) => {
                let [ours, theirs] = [ours, theirs].map(std::fs::canonicalize);
                matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours == theirs)
            }
            (Self::Postgres(ours), Self::Postgres(theirs)) => ours.is_same(theirs),
            _ => false,
        }
    }

    /// The file, if the store is one.
    pub(crate) fn file(&self) -> Result<&Path, Error> {
        match self {
            Self::Sqlite(path) => Ok(path),
            Self::Postgres(_) => Err(Error::FilesOnly),
        }
    }
}
