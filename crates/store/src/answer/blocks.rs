//! Blocks of columns that answer a question together with the rows that stand in none: those of records that
//! changed since they were made, and of records of which columns don't have all values exactly.
//!
//! Which of the rows of a block count is decided in the snapshot of the question.

use std::collections::HashSet;

use columnar::{Block, ColumnName, End, Question};
use model::rows::RowSet;
use odata::bound::Expr;
use odata::eval::Meter;

use super::run::Run;
use crate::Error;
use crate::cache::columns::ColumnCache;
use crate::engine::Connection;
use crate::query::access::{Access, StartRange};
use crate::query::plan::Plan;
use crate::tables::block_columns::{BlockColumn, OF_STREAMS, RECORD_KEY, START};
use crate::tables::blocks::{self, BlockHead, STREAMS};

/// The blocks that answer a question.
#[derive(Debug)]
pub(super) struct Blocks {
    question: Question,
    /// Those with starts in the range of the question.
    heads: Vec<BlockHead>,
    /// How many blocks the tenant has.
    pub(super) all: usize,
    range: StartRange,
    /// Records about which the change log has an entry behind this one are answered for by their rows.
    pub(super) sequence: i64,
    /// The keys of these records, and of the versions that they replaced, ascending.
    changed: Vec<i64>,
    /// Records that are gone: keys of blocks, ascending, and of records.
    gone: Vec<(i64, i64)>,
}

/// Whether blocks may have the rows of a plan.
pub(super) fn are_served(plan: &Plan<'_>) -> bool {
    matches!(plan.set, RowSet::Streams | RowSet::Legs)
        && plan.access == Access::Start
        && plan.is_exact()
        && plan.parties.is_empty()
}

/// What is asked of the rows of a plan that meet conditions, as far as columns can be asked.
pub(super) fn question<'e>(
    plan: &Plan<'_>,
    filters: impl IntoIterator<Item = &'e Expr>,
) -> Option<Question> {
    if are_served(plan) { Question::new(plan.set, filters) } else { None }
}

impl Blocks {
    /// The blocks for a question about the rows of a plan; none if there are none, or they can't answer it.
    pub(super) fn new(
        connection: &Connection,
        plan: &Plan<'_>,
        question: Option<Question>,
    ) -> Result<Option<Self>, Error> {
        let Some(question) = question else { return Ok(None) };
        let is_there = |column: ColumnName| {
            OF_STREAMS.iter().any(|it| (it.table, it.name) == (column.table, column.name))
        };
        let slots = question.slots().iter();
        let mut needed =
            slots.flat_map(|slot| question.ends().iter().flat_map(|end| slot.columns(*end)));
        let has_columns = needed.all(is_there);
        if !has_columns {
            return Ok(None);
        }
        let (tenant_key, range) = (plan.tenant.key, plan.range);
        let Some(cursor) = blocks::good_cursor(connection, tenant_key)? else { return Ok(None) };
        let all = blocks::heads(connection, (tenant_key, STREAMS), (i64::MIN, i64::MAX))?;
        let (from, until) = bounds(range);
        let is_near = |head: &BlockHead| head.starts.0 <= until && head.starts.1 >= from;
        let (all, heads) = (all.len(), all.into_iter().filter(is_near).collect::<Vec<_>>());
        if heads.is_empty() {
            return Ok(None);
        }
        let changed = blocks::changed(connection, tenant_key, (cursor.sequence, i64::MAX))?;
        let records: i64 = heads.iter().map(|head| head.record_count).sum();
        if changed.len() as i64 > records {
            // While blocks are made of a large store the rows alone are faster.
            return Ok(None);
        }
        Ok(Some(Self {
            question,
            heads,
            all,
            range,
            sequence: cursor.sequence,
            changed: changed.into_iter().map(|(record_key, _)| record_key).collect(),
            gone: blocks::all_gone(connection, tenant_key)?,
        }))
    }

    /// How many blocks may have rows in the range of the question.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// A block.
    pub(super) fn head(&self, number: usize) -> &BlockHead {
        &self.heads[number]
    }

    /// What is asked of them.
    pub(super) fn question(&self) -> &Question {
        &self.question
    }

    /// Gives each block, with its rows that count and meet the conditions: first those about one end of streams,
    /// then those about the other one, if rows are about ends.
    pub(super) fn each(
        &self,
        run: &Run<'_>,
        columns: &ColumnCache,
        mut each: impl FnMut(&Block, &[u32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let meter = &run.budget.meter;
        for (number, head) in self.heads.iter().enumerate() {
            let source = (run.connection, columns);
            let mut rows = self.rows(source, head)?;
            self.leave_out(source, head, &mut rows)?;
            if rows.is_empty() {
                continue;
            }
            for end in self.question.ends() {
                let block = self.load(source, (number, *end), head)?;
                let mut rows = rows.clone();
                self.question.retain(&block, &mut rows, meter);
                look(meter)?;
                each(&block, &rows)?;
                look(meter)?;
            }
        }
        Ok(())
    }

    /// The rows of a block with starts in the range of the question: the latest come first.
    fn rows(
        &self,
        (connection, columns): (&Connection, &ColumnCache),
        head: &BlockHead,
    ) -> Result<Vec<u32>, Error> {
        let (from, until) = bounds(self.range);
        let count = head.row_count as u32;
        if head.starts.0 >= from && head.starts.1 <= until {
            return Ok((0..count).collect());
        }
        let starts = columns.of(connection, head, &START)?;
        let start = |row: u32| starts.int(row as usize).unwrap_or(i64::MIN);
        let first = partition_point(count, |row| start(row) > until);
        let behind = partition_point(count, |row| start(row) >= from);
        Ok((first..behind.max(first)).collect())
    }

    /// Takes out the rows of records that are gone or have changed.
    fn leave_out(
        &self,
        (connection, columns): (&Connection, &ColumnCache),
        head: &BlockHead,
        rows: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let (least, greatest) = head.records;
        let from = self.changed.partition_point(|key| *key < least);
        let until = self.changed.partition_point(|key| *key <= greatest);
        let first = self.gone.partition_point(|(block, _)| *block < head.block_key);
        let own = self.gone[first..].iter().take_while(|(block, _)| *block == head.block_key);
        let out: HashSet<i64> =
            self.changed[from..until].iter().copied().chain(own.map(|(_, key)| *key)).collect();
        if out.is_empty() {
            return Ok(());
        }
        let keys = columns.of(connection, head, &RECORD_KEY)?;
        // The rows of a record come one behind the other.
        let mut last = (i64::MIN, false);
        rows.retain(|row| {
            let key = keys.int(*row as usize).unwrap_or(i64::MIN);
            if key != last.0 {
                last = (key, out.contains(&key));
            }
            !last.1
        });
        Ok(())
    }

    /// The columns of a block that the question looks at, at one end of streams if it is about ends.
    fn load(
        &self,
        (connection, columns): (&Connection, &ColumnCache),
        (number, end): (usize, Option<End>),
        head: &BlockHead,
    ) -> Result<Block, Error> {
        let starts = columns.of(connection, head, &START)?;
        let mut block = Block::new(number, end, starts);
        for slot in self.question.slots() {
            let of = |column: &ColumnName| {
                let ColumnName { table, name, affinity } = *column;
                columns.of(connection, head, &BlockColumn { table, name, affinity })
            };
            let parts: Vec<_> = slot.columns(end).iter().map(of).collect::<Result<_, _>>()?;
            match slot.name(end) {
                Some(name) => {
                    let made =
                        columns.made(head, name, || slot.column(&parts, end, head.row_count));
                    block.push(slot, made);
                }
                None => block.push(slot, slot.column(&parts, end, head.row_count)),
            }
        }
        Ok(block)
    }
}

/// What blocks have answered; none if they can't be read, so that the rows answer.
pub(super) fn unless_damaged<T>(answered: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match answered {
        Err(Error::Corrupt(cause)) => {
            tracing::error!(%cause, "blocks of columns can't be read: the rows answer");
            Ok(None)
        }
        answered => answered,
    }
}

/// A range of starts, both included.
fn bounds(range: StartRange) -> (i64, i64) {
    (range.from.unwrap_or(i64::MIN), range.until.unwrap_or(i64::MAX))
}

/// How many of the first rows a condition holds for, which holds for no row behind one for which it doesn't.
fn partition_point(count: u32, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut least, mut most) = (0, count);
    while least < most {
        let middle = least + (most - least) / 2;
        if holds(middle) {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    least
}

/// Whether there is time left, and all else that a question may take.
fn look(meter: &Meter) -> Result<(), Error> {
    meter.has_time();
    Ok(meter.check()?)
}
