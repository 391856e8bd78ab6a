//! PostgreSQL, and what speaks its language: for stores that outgrow one machine's file.
//!
//! # Who sees what when
//!
//! Any number of processes share a database. A write is acknowledged after its COMMIT, with
//! `synchronous_commit` as the database has it; a read begins after it was asked for, so it sees
//! every write acknowledged before, whichever process made it.
//!
//! # The order of the change log
//!
//! Transactions commit in another order than that in which they take numbers, so whoever follows
//! the log by a number from a sequence passes entries by whose transaction commits late. An entry's
//! `sequence` is therefore its transaction's own number (`xid8`) and its place within that
//! transaction, and readers stop before the oldest transaction that is still under way
//! (`pg_snapshot_xmin`): every transaction behind that is still to come has a higher number.
//!
//! # Months
//!
//! A version's `record_key` begins with the month in which the call started, and all tables of
//! records are parted by it. So what is known by its key is looked for in one part alone, and
//! a month that has reached its age is dropped as a whole.

pub(crate) mod connection;
mod fault;
mod field;
pub(crate) mod listening;
pub(crate) mod migrate;
pub(crate) mod months;
mod wording;

use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::Error;

/// What moves the bytes of connections while threads wait for answers.
#[derive(Debug, Clone)]
pub(crate) struct Driver {
    runtime: Arc<Runtime>,
}

impl Driver {
    pub(crate) fn start() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()?;
        Ok(Self { runtime: Arc::new(runtime) })
    }
}
