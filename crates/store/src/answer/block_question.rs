//! What is asked of blocks of columns by chains of `$apply` over the same rows.

use columnar::Question;
use odata::bound::Expr;

use super::blocks;
use super::chain::Chain;
use super::columns::Columns;

/// A chain, and the columns that its first aggregation needs.
pub(super) type ColumnChain<'a, 'q> = (&'a Chain<'q>, &'a Columns<'q>);

/// The question of chains, with a grouping for each. The conditions that they all begin with are asked once.
/// None if columns can't be asked this, or if chains look at calls of different times.
pub(super) fn question(chains: &[ColumnChain<'_, '_>]) -> Option<Question> {
    let ((first, columns), others) = chains.split_first()?;
    let plan = columns.plan();
    let is_alike = |(_, columns): &ColumnChain<'_, '_>| {
        plan.range == columns.plan().range && blocks::are_served(columns.plan())
    };
    if !blocks::are_served(plan) || !others.iter().all(is_alike) {
        return None;
    }
    let shared = others.iter().fold(filters(first), |shared, (chain, _)| {
        let own = filters(chain);
        let is_same = |(one, other): &(&&Expr, &&Expr)| one == other;
        let count = shared.iter().zip(&own).take_while(is_same).count();
        shared[..count].to_vec()
    });
    let mut question = Question::new(plan.set, shared.iter().copied())?;
    for (chain, columns) in chains {
        let (keys, values) = columns.expressions(chain);
        let own = filters(chain).split_off(shared.len());
        question = question.grouped(own, &keys, values.iter().map(Option::as_deref))?;
    }
    Some(question)
}

fn filters<'c>(chain: &'c Chain<'_>) -> Vec<&'c Expr> {
    chain.input.filters.iter().map(|filter| &**filter).collect()
}
