//! Answers queries of rows: runs what a plan has written, and decides with our own evaluator what SQL
//! could not.

mod apply;
mod block_groups;
mod block_question;
mod blocks;
mod branches;
mod chain;
mod columns;
mod conditions;
mod evaluation;
mod explain;
mod loader;
mod logical;
mod month_windows;
mod page;
mod paging;
mod parts;
mod pipeline;
mod place;
mod place_tables;
mod places;
mod plain;
mod ranked;
mod residual;
mod run;
#[cfg(test)]
mod tests;
pub(crate) mod verdicts;
mod windows;
mod word_buckets;

use std::borrow::Cow;
use std::ops::ControlFlow;

pub(crate) use apply::apply;
use blocks::Blocks;
pub(crate) use conditions::{met_by, superseded_meets};
pub(crate) use explain::explain;
use logical::LogicalQuery;
use paging::Paging;
pub(crate) use run::Run;
use run::all_behind;

use crate::Error;
use crate::engine::Dialect;
use crate::query::plan::Plan;
use crate::query::position::Position;
use crate::query::{Cost, RowPage, RowQuery};
use crate::sql::Statement;
use crate::tables::search::Tenant;

/// A tenant for plans that are not run.
const NO_TENANT: Tenant = Tenant {
    key: 0,
    dialect: Dialect::Sqlite,
    are_words_there: true,
    are_columns_there: true,
    has_plain_values: false,
    has_places: false,
};

/// A page of at most `limit` rows behind a position.
pub(crate) fn page(
    mut run: Run<'_>,
    tenant: Tenant,
    query: &RowQuery,
    behind: Position,
    limit: usize,
) -> Result<RowPage, Error> {
    let logical = LogicalQuery::new(query);
    let tenant = Tenant { has_places: run.maps.is_some(), ..tenant };
    let mut plan = plain::plan(run.connection, &logical, tenant)?;
    if behind.is_ranked() && plan.order.is_some() {
        // The page before met records that have other than plain values.
        plan = logical.plan(tenant);
    }
    let paging = Paging::new(&logical, &plan, &query.query, behind.clone(), limit);
    match page::page(paging, &mut run) {
        Err(Error::TooManyGroups { .. }) if tenant.has_places => {
            // More networks than a statement can bring along: our own evaluator looks at each row.
            let plan =
                plain::plan(run.connection, &logical, Tenant { has_places: false, ..tenant })?;
            page::page(Paging::new(&logical, &plan, &query.query, behind, limit), &mut run)
        }
        page => page,
    }
}

/// How many rows meet filter and search.
pub(crate) fn count(mut run: Run<'_>, tenant: Tenant, query: &RowQuery) -> Result<u64, Error> {
    let logical = LogicalQuery { orderby: Cow::default(), ..LogicalQuery::new(query) };
    let plan = places::plan(run.place_source(), &logical, tenant)?;
    if plan.is_exact() {
        if let Some(count) = count_of_blocks(&run, &logical, &plan)? {
            return Ok(count);
        }
        let Statement { text, binds } = plan.count().finish(tenant.dialect);
        let count: Option<i64> = run.connection.value(&text, binds.as_slice())?;
        return Ok(count.unwrap_or(0).unsigned_abs());
    }
    let filter = logical.residual_filter(&plan);
    let mut count = 0;
    run.each(&plan, &all_behind(&plan, &Position::default()), &mut |run, candidate| {
        run.check()?;
        if run.admits(plan.set, &filter, &candidate)?.is_some() {
            count += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(count)
}

/// How many rows of an exact plan there are, by blocks of columns; none if these can't say.
fn count_of_blocks(
    run: &Run<'_>,
    logical: &LogicalQuery<'_>,
    plan: &Plan<'_>,
) -> Result<Option<u64>, Error> {
    let Some(columns) = run.columns else { return Ok(None) };
    let question = blocks::question(plan, logical.filters.iter().map(|filter| &**filter));
    let counted = Blocks::new(run.connection, plan, question).and_then(|blocks| {
        let Some(blocks) = blocks else { return Ok(None) };
        let mut count = 0;
        blocks.each(run, columns, |_, rows| {
            count += rows.len() as u64;
            Ok(())
        })?;
        let beside = plan.behind(blocks.sequence).count().finish(plan.tenant.dialect);
        let beside: Option<i64> = run.connection.value(&beside.text, beside.binds.as_slice())?;
        columns.count_answer();
        Ok(Some(count + beside.unwrap_or(0).unsigned_abs()))
    });
    blocks::unless_damaged(counted)
}

/// What a page of the query costs. With `$apply`, what all of it costs.
pub fn cost(query: &RowQuery) -> Cost {
    if query.query.apply.is_some() {
        return Cost::Scan;
    }
    LogicalQuery::new(query).cost(NO_TENANT)
}
