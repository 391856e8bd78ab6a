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

/// The name of the lease on the work.
pub(crate) const LEASE: &str = "compaction";
