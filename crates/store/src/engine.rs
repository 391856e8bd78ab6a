//! The two engines: their connections, statements, values and rows.
//!
//! A statement that means the same to both is written once, in SQLite's [`dialect`], with
//! placeholders `?1`, `?2` …; [`Connection`] translates it for PostgreSQL. What only one engine has
//! (files and their log, sockets and pipelining) stands in [`sqlite`] and [`postgres`].

mod connection;
mod dialect;
mod field;
mod insertion;
mod opener;
mod place;
pub(crate) mod postgres;
mod row;
pub(crate) mod sqlite;
mod value;

pub(crate) use connection::Connection;
pub(crate) use dialect::Dialect;
pub(crate) use field::{Column, Field};
pub(crate) use insertion::Insertion;
pub(crate) use opener::Opener;
pub use place::Place;
pub(crate) use row::{Flow, Row};
pub use sqlite::owner::is_owned;
pub(crate) use value::{Value, Values};

/// A limit as a statement takes it.
pub(crate) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
