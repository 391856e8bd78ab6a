//! Compaction: makes blocks of columns of the rows of records, behind the head of the change log.
//!
//! The work goes tenant by tenant, in passes. A pass reads, in one snapshot, what the log tells behind the
//! tenant's cursor, gathers the rows of the records that are new, and notes those in blocks that no longer
//! count; the writer then puts in the blocks and moves the cursor, in one transaction. What is written between
//! the two stands behind the cursor. Small blocks of the same month are made anew together with the new rows,
//! and blocks of which much is gone, or something erased, in passes of their own. So a process that is killed
//! leaves nothing behind, and each pass needs memory for about one block.

mod gathering;
mod pass;
mod proof;

pub(crate) use pass::{Pass, read};
pub(crate) use proof::problems;

use crate::Error;
use crate::clock;
use crate::tables::leases;
use crate::tables::session::Session;

/// The name of the work, and of its lease.
const NAME: &str = "compaction";

/// Takes or renews the lease of this work; whether it is this process's.
pub(crate) fn hold(session: &Session, holder: &str) -> Result<bool, Error> {
    Ok(leases::hold(&session.connection, NAME, holder, clock::now())?.is_some())
}

/// Gives the lease back, if it is this process's.
pub(crate) fn release(session: &Session, holder: &str) -> Result<(), Error> {
    leases::release(&session.connection, NAME, holder)
}
