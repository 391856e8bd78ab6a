//! `$apply` that goes on with `concat`: each of its chains by itself, where columns are enough for all of them.
//! What comes out is the same, since a chain inside gives its items one behind the other, chain after chain.

use std::borrow::Cow;

use odata::bound::{Apply, Transformation};
use odata::json::Node;

use super::block_groups::{over_blocks, over_columns};
use super::block_question::ColumnChain;
use super::chain::Chain;
use super::columns::Columns;
use super::evaluation::environment;
use super::pipeline::{pipeline, sizes, too_much};
use super::place_tables::PlaceSource;
use super::places;
use super::run::Run;
use crate::Error;
use crate::query::RowQuery;
use crate::query::plan::Plan;
use crate::tables::search::Tenant;

/// The chains of a `concat`.
pub(super) struct Branches<'q> {
    /// Each with what comes before the `concat`.
    applies: Vec<Apply>,
    /// What comes behind it.
    pub(super) rest: &'q [Transformation],
}

impl<'q> Branches<'q> {
    /// If the chain, cut from so many steps, goes on with `concat`.
    pub(super) fn new(chain: &Chain<'q>, apply: &'q Apply) -> Option<Self> {
        let (Transformation::Concat(branches), rest) = chain.steps.split_first()? else {
            return None;
        };
        let before = &apply.steps[..apply.steps.len() - chain.steps.len()];
        let whole = |branch: &Apply| Apply { steps: [before, branch.steps.as_slice()].concat() };
        Some(Self { applies: branches.iter().map(whole).collect(), rest })
    }

    /// The same, each cut where rows become something else.
    pub(super) fn chains(&self, query: &RowQuery) -> Vec<Chain<'_>> {
        self.applies.iter().map(|apply| Chain::new(query, apply)).collect()
    }

    /// Runs them one after the other, and what comes behind; none if columns are not enough for one.
    pub(super) fn run(
        &self,
        query: &RowQuery,
        tenant: Tenant,
        run: &mut Run<'_>,
    ) -> Result<Option<Vec<Node<'static>>>, Error> {
        let chains = self.chains(query);
        let plans = plans(&chains, run.place_source(), tenant)?;
        let Some(columns) = columns(&chains, &plans) else { return Ok(None) };
        let (mut nodes, limit) = (Vec::new(), run.budget.groups);
        let mut in_one_pass = over_blocks(&all(&chains, &columns), run)?.map(Vec::into_iter);
        for (chain, columns) in chains.iter().zip(&columns) {
            let found = match &mut in_one_pass {
                Some(found) => found.next().unwrap_or_default(),
                None => over_columns(chain, columns, run)?,
            };
            nodes.extend(found);
            if nodes.len() > limit {
                return Err(Error::TooManyGroups { limit });
            }
        }
        let rest = pipeline(self.rest.to_vec(), query.rows)?;
        let mut flow = rest.start(sizes(run.budget), environment(&run.budget.meter));
        for node in nodes {
            if flow.push(Cow::Owned(node)).map_err(|excess| too_much(&excess))?.is_break() {
                break;
            }
        }
        flow.finish().map(Some).map_err(|excess| too_much(&excess))
    }
}

/// Each chain with its columns.
pub(super) fn all<'a, 'q>(
    chains: &'a [Chain<'q>],
    columns: &'a [Columns<'q>],
) -> Vec<ColumnChain<'a, 'q>> {
    chains.iter().zip(columns).collect()
}

/// The plans of the rows of chains.
pub(super) fn plans<'q>(
    chains: &'q [Chain<'q>],
    source: PlaceSource<'_>,
    tenant: Tenant,
) -> Result<Vec<Plan<'q>>, Error> {
    chains.iter().map(|chain| places::chain_plan(source, chain, tenant)).collect()
}

/// The columns of chains, if they are enough for all.
pub(super) fn columns<'q>(
    chains: &'q [Chain<'q>],
    plans: &'q [Plan<'q>],
) -> Option<Vec<Columns<'q>>> {
    chains.iter().zip(plans).map(|(chain, plan)| Columns::new(chain, plan)).collect()
}
