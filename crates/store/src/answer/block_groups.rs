//! The first aggregation of `$apply` over blocks of columns and the rows that stand beside them.
//!
//! The same aggregators take the same values as over rows. Only groups are met in another order, so the first
//! row of each is looked for, by which they are ordered and whose JSON has their keys.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::ControlFlow;

use columnar::{First, Group, Groups, Tie};
use odata::eval::Aggregator;
use odata::json::{Member, Node};

use super::block_question::{ColumnChain, question};
use super::blocks::{Blocks, unless_damaged};
use super::chain::Chain;
use super::columns::Columns;
use super::loader::RowKey;
use super::pipeline::{sizes, too_much};
use super::run::Run;
use crate::cache::columns::ColumnCache;
use crate::query::plan::Plan;
use crate::sql::Statement;
use crate::tables::block_columns::{ORDINALS, RECORD_KEY};
use crate::{Cause, Error};

/// The source of rows that stand in no block.
const BESIDE: usize = usize::MAX;
/// Bytes of a row that stands in no block, as long as it may be the first of a group.
const ROW: usize = size_of::<RowKey>() + ORDINALS.len() * size_of::<i64>();

/// A chain whose aggregation blocks answer.
struct BlockGroups<'a, 'q> {
    chain: &'a Chain<'q>,
    columns: &'a Columns<'q>,
    blocks: &'a Blocks,
    cache: &'a ColumnCache,
    /// The plan of the rows that stand beside them.
    beside: &'a Plan<'q>,
}

/// The chain over columns: of blocks, or else of rows.
pub(super) fn over_columns(
    chain: &Chain<'_>,
    columns: &Columns<'_>,
    run: &mut Run<'_>,
) -> Result<Vec<Node<'static>>, Error> {
    match over_blocks(&[(chain, columns)], run)? {
        Some(nodes) => Ok(nodes.into_iter().flatten().collect()),
        None => columns.run(chain, run),
    }
}

/// Chains over blocks of columns, all of them in one pass; none if blocks can't answer one, or if they are about
/// calls of different times.
pub(super) fn over_blocks(
    chains: &[ColumnChain<'_, '_>],
    run: &mut Run<'_>,
) -> Result<Option<Vec<Vec<Node<'static>>>>, Error> {
    let (Some(cache), Some(question)) = (run.columns, question(chains)) else { return Ok(None) };
    let Some((_, first)) = chains.first() else { return Ok(None) };
    let answered = Blocks::new(run.connection, first.plan(), Some(question)).and_then(|blocks| {
        let Some(blocks) = blocks else { return Ok(None) };
        let nodes = in_one_pass(chains, &blocks, cache, run)?;
        cache.count_answer();
        Ok(Some(nodes))
    });
    unless_damaged(answered)
}

fn in_one_pass(
    chains: &[ColumnChain<'_, '_>],
    blocks: &Blocks,
    cache: &ColumnCache,
    run: &mut Run<'_>,
) -> Result<Vec<Vec<Node<'static>>>, Error> {
    let (sizes, meter) = (sizes(run.budget), &run.budget.meter);
    let columns = chains.iter().map(|(_, columns)| columns);
    let mut all: Vec<Groups<'_>> =
        columns.map(|it| Groups::new(it.figures(), it.is_grouped(), sizes)).collect();
    let groupings = blocks.question().groupings();
    blocks.each(run, cache, |block, rows| {
        for (grouping, groups) in groupings.iter().zip(&mut all) {
            groups.add_block(grouping, block, rows, meter).map_err(|excess| too_much(&excess))?;
        }
        Ok(())
    })?;
    let mut nodes = Vec::with_capacity(chains.len());
    for ((chain, columns), groups) in chains.iter().zip(all) {
        let beside = &columns.plan().behind(blocks.sequence);
        let of_chain = BlockGroups { chain, columns, blocks, cache, beside };
        nodes.push(of_chain.finish(run, groups)?);
    }
    Ok(nodes)
}

impl BlockGroups<'_, '_> {
    /// Adds the rows that stand in no block, and lets the rest of the chain follow.
    fn finish(
        &self,
        run: &mut Run<'_>,
        mut groups: Groups<'_>,
    ) -> Result<Vec<Node<'static>>, Error> {
        let beside = self.add_beside(run, &mut groups)?;
        let mut groups = self.in_order(run, groups.finish(), &beside)?;
        let mut found: Vec<(Vec<Member<'static>>, Aggregator)> = Vec::with_capacity(groups.len());
        for Group { first, keys, aggregator, .. } in groups.drain(..) {
            let members = if self.columns.is_grouped() {
                let row = |run: &Run<'_>| self.row_key(run, first, &beside);
                self.columns.keys_of(self.chain, &keys, run, row)?
            } else {
                Vec::new()
            };
            found.push((members, aggregator));
        }
        self.columns.finish(self.chain, run, found)
    }

    /// Adds the rows that stand in no block, and gives their keys.
    fn add_beside(&self, run: &Run<'_>, groups: &mut Groups<'_>) -> Result<Vec<RowKey>, Error> {
        let same = || Error::Internal(Cause::new("columns of a question are not those of another"));
        let columns = Columns::new(self.chain, self.beside).ok_or_else(same)?;
        let Statement { text, binds } = columns.statement_with_start();
        let (meter, mut rows) = (&run.budget.meter, Vec::new());
        run.connection.scan(&text, binds.as_slice(), |row| {
            if !meter.step() {
                meter.check()?;
            }
            let keys = columns.key_values(row)?;
            let start = row.get(columns.place_of_start())?;
            let first = First { start, source: BESIDE, row: rows.len() };
            let group = groups.find(&keys, first, meter).map_err(|excess| too_much(&excess))?;
            meter.keep(ROW);
            rows.push(columns.row_key(row)?);
            columns.each_value(row, |figure, value| {
                match value {
                    None => groups.count(group, figure, 1),
                    Some(value) => groups
                        .add(group, figure, &value, meter)
                        .map_err(|excess| too_much(&excess))?,
                }
                Ok(())
            })?;
            Ok(ControlFlow::Continue(()))
        })?;
        meter.has_time();
        meter.check()?;
        Ok(rows)
    }

    /// Groups in the order of their first rows.
    fn in_order(
        &self,
        run: &Run<'_>,
        mut groups: Vec<Group>,
        beside: &[RowKey],
    ) -> Result<Vec<Group>, Error> {
        // Rows of different sources with the same start come by the ids of their records.
        let mut sources: HashMap<i64, (usize, bool)> = HashMap::new();
        let firsts = groups
            .iter()
            .flat_map(|group| group.ties.iter().map(|tie| tie.row).chain([group.first]));
        for first in firsts {
            let known = sources.entry(first.start).or_insert((first.source, false));
            known.1 |= known.0 != first.source;
        }
        let is_contested =
            |first: &First| sources.get(&first.start).is_some_and(|(_, several)| *several);
        let mut ids = Vec::with_capacity(groups.len());
        for group in &mut groups {
            let mut id = String::new();
            if is_contested(&group.first) {
                id = self.id(run, group.first, beside)?;
                for Tie { row, keys } in std::mem::take(&mut group.ties) {
                    let its = self.id(run, row, beside)?;
                    if its < id {
                        (group.first, group.keys, id) = (row, keys, its);
                    }
                }
            }
            ids.push(id);
        }
        let mut found: Vec<_> = groups.into_iter().zip(ids).collect();
        found.sort_by(|(a, id), (b, other)| {
            let place = |first: First| (first.source, first.row);
            let by_start = Reverse(a.first.start).cmp(&Reverse(b.first.start));
            by_start.then_with(|| id.cmp(other)).then(place(a.first).cmp(&place(b.first)))
        });
        Ok(found.into_iter().map(|(group, _)| group).collect())
    }

    /// The id of the record of a row.
    fn id(&self, run: &Run<'_>, row: First, beside: &[RowKey]) -> Result<String, Error> {
        let key = self.row_key(run, row, beside)?.record_key;
        let text = "SELECT id FROM call_record WHERE record_key = ?1";
        let id = run.connection.value(text, [key])?;
        id.ok_or_else(|| Error::Corrupt(Cause::new("the record of a block is missing")))
    }

    /// Which row it is.
    fn row_key(&self, run: &Run<'_>, row: First, beside: &[RowKey]) -> Result<RowKey, Error> {
        if row.source == BESIDE {
            return Ok(beside[row.row].clone());
        }
        let head = self.blocks.head(row.source);
        let ends = self.blocks.question().ends();
        let (stream, end) = (row.row / ends.len(), ends[row.row % ends.len()]);
        let value = |column| {
            let value = self.cache.of(run.connection, head, column)?.int(stream);
            value.ok_or_else(|| Error::Corrupt(Cause::new("a block lacks the key of a row")))
        };
        let mut ordinals: Vec<i64> = ORDINALS.iter().map(value).collect::<Result<_, _>>()?;
        ordinals.extend(end.map(|end| end as i64));
        Ok(RowKey { record_key: value(&RECORD_KEY)?, start: 0, id: String::new(), ordinals })
    }
}
