//! The embedded engine: SQLite in WAL mode with `synchronous=FULL`.
//!
//! # Who sees what when
//!
//! Two threads of a process write by turns. A write is acknowledged after its COMMIT, which has synced the
//! log. Readers hold a read transaction over many statements, because beginning one costs as much
//! as a point read, and must still see every acknowledged write:
//!
//! - Within a process the writer counts commits before it acknowledges; a reader lets go of its
//!   snapshot when the count has moved since the snapshot was taken.
//! - Between processes there is no common count. A reader never uses a snapshot older than
//!   [`HELD_AT_MOST`], and a [`Role::Tool`] acknowledges no sooner than that after its COMMIT. So
//!   a snapshot that lacks the write is too old when anyone can know of the write.
//! - A tool reads what a `serve` wrote, and that one acknowledges at once; so a tool's readers
//!   hold nothing from one call to the next.
//!
//! [`Role::Tool`]: crate::Role::Tool

pub(crate) mod connection;
pub(crate) mod fault;
mod functions;
pub(crate) mod identity;
pub(crate) mod owner;
pub(crate) mod wal;

#[cfg(test)]
pub(crate) use functions::register as register_functions;

use std::time::Duration;

/// How old a held snapshot may be, and how long a tool waits before it acknowledges.
pub(crate) const HELD_AT_MOST: Duration = Duration::from_millis(2);
