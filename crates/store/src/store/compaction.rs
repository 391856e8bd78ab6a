//! Compaction of a store: blocks of columns of its rows.

use super::Store;
use crate::Error;
use crate::maintenance::compaction;
use crate::pending::Pending;
use crate::tables::session::Session;
use crate::tables::{blocks, tenants};
use crate::writer::Weight;

/// What fills a transaction.
const ALONE: Weight = Weight { records: 1_000_000, bytes: 0 };

/// What compaction has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Blocks that it made.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Whether there was nothing left to do; else another process does it, or it was to stop.
    pub is_done: bool,
}

impl Store {
    /// Makes blocks of columns of rows that are in none yet, and makes worn ones anew, for as long as no other
    /// process does it and `goes_on` says so, which is asked for each row; what it says no to once, it must
    /// refuse for good. `is_thorough`: also of few rows, which are otherwise left until there are more. Blocks.
    ///
    /// # Errors
    /// When records can't be read or blocks be written; what was done stays done.
    pub fn compact(
        &self,
        is_thorough: bool,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<CompactionReport, Error> {
        let mut is_held = false;
        let done = self.compact_all((is_thorough, goes_on), &mut is_held);
        if is_held {
            self.release_lease(compaction::LEASE)?;
        }
        done
    }

    /// The same; notes whether the lease was taken.
    fn compact_all(
        &self,
        (is_thorough, goes_on): (bool, &dyn Fn() -> bool),
        is_held: &mut bool,
    ) -> Result<CompactionReport, Error> {
        let mut done = CompactionReport { is_done: true, ..CompactionReport::default() };
        let mut reader = self.scanning_reader()?;
        for tenant_key in reader.tenant_keys()? {
            loop {
                let mut is_ours = true;
                let mut may_work = || {
                    let is_held_now = self.hold_lease(compaction::LEASE)?;
                    *is_held |= is_held_now;
                    is_ours = is_held_now;
                    Ok(is_ours && goes_on())
                };
                let pass = reader.compaction(tenant_key, is_thorough, &mut may_work, goes_on)?;
                reader.release();
                if let Some(pass) = pass {
                    let (blocks, rows) = (pass.blocks(), pass.rows());
                    let holder = self.inner.state.holder.clone();
                    let apply = move |session: &mut Session| pass.apply(session, &holder);
                    is_ours = self.submit_background(ALONE, apply).wait()?;
                    if is_ours {
                        done.blocks += blocks;
                        done.rows += rows;
                        continue;
                    }
                }
                if !(is_ours && goes_on()) {
                    return Ok(CompactionReport { is_done: false, ..done });
                }
                break;
            }
        }
        Ok(done)
    }

    /// How many questions this process has answered from blocks of columns.
    pub fn answers_from_blocks(&self) -> u64 {
        self.inner.state.columns.answers()
    }

    /// Takes out all blocks of columns, to be made anew by [`Self::compact`]. Until then the rows answer.
    pub fn drop_blocks(&self) -> Pending<()> {
        self.submit_background(ALONE, |session| {
            for tenant_key in tenants::keys(&session.connection)? {
                blocks::delete_all(&session.connection, tenant_key)?;
            }
            Ok(())
        })
    }
}
