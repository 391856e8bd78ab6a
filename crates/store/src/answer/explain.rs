//! Explains how a query would be answered, for people.

use ::places::Maps;
use odata::bound::Apply;

use super::block_question;
use super::blocks::Blocks;
use super::branches::{self, Branches};
use super::chain::Chain;
use super::columns::Columns;
use super::logical::LogicalQuery;
use super::place_tables::PlaceSource;
use super::places;
use super::run::all_behind;
use super::word_buckets;
use crate::Error;
use crate::engine::{Connection, Dialect};
use crate::query::plan::Plan;
use crate::query::position::Position;
use crate::query::{Cost, Explanation, RowQuery};
use crate::sql::{Bind, Statement};
use crate::tables::search::Tenant;

/// How the query would be answered.
pub(crate) fn explain(
    (connection, maps): (&Connection, Option<&Maps>),
    tenant: Tenant,
    query: &RowQuery,
) -> Result<Explanation, Error> {
    let source = PlaceSource { connection, maps, meter: None };
    if let Some(apply) = &query.query.apply {
        let chain = Chain::new(query, apply);
        if let Some(branches) = Branches::new(&chain, apply)
            && let Some(explained) = explain_branches(source, (tenant, query), &branches)?
        {
            return Ok(explained);
        }
        let plan = places::chain_plan(source, &chain, tenant)?;
        return explain_apply(connection, &chain, &plan);
    }
    let query = LogicalQuery::new(query);
    let plan = places::plan(source, &query, tenant)?;
    let statement = leading(&query, &plan)?;
    Ok(Explanation {
        binds: statement.binds.iter().map(shown).collect(),
        engine_plan: engine_plan(connection, &statement)?,
        sql: vec![statement.text],
        residual: residual(&query, &plan),
        access: plan.access.describe(),
        cost: plan.cost(),
    })
}

/// The statements of all chains of a `concat`, if columns are enough for each.
fn explain_branches(
    source: PlaceSource<'_>,
    (tenant, query): (Tenant, &RowQuery),
    branches: &Branches<'_>,
) -> Result<Option<Explanation>, Error> {
    let chains = branches.chains(query);
    let plans = branches::plans(&chains, source, tenant)?;
    let Some(columns) = branches::columns(&chains, &plans) else { return Ok(None) };
    let shared = Blocks::new(
        source.connection,
        &plans[0],
        block_question::question(&branches::all(&chains, &columns)),
    )?;
    let mut all: Option<Explanation> = None;
    for (chain, plan) in chains.iter().zip(&plans) {
        let one = explain_apply(source.connection, chain, plan)?;
        let Some(all) = &mut all else {
            all = Some(one);
            continue;
        };
        all.sql.extend(one.sql);
        all.binds.extend(one.binds);
        all.engine_plan.extend(one.engine_plan);
        all.residual = both(all.residual.take(), one.residual);
    }
    if let (Some(all), Some(_)) = (&mut all, shared) {
        all.access = format!("{}, in one pass for {} chains", all.access, chains.len());
    }
    let rest = Apply { steps: branches.rest.to_vec() };
    let behind = (!rest.steps.is_empty()).then(|| format!("$apply={rest}"));
    Ok(all.map(|all| Explanation { residual: both(all.residual.clone(), behind), ..all }))
}

fn explain_apply(
    connection: &Connection,
    chain: &Chain<'_>,
    plan: &Plan<'_>,
) -> Result<Explanation, Error> {
    let columns = Columns::new(chain, plan);
    let question = columns.as_ref().and_then(|it| block_question::question(&[(chain, it)]));
    let blocks = Blocks::new(connection, plan, question)?;
    let beside = blocks.as_ref().map(|blocks| plan.behind(blocks.sequence));
    let access = match (&blocks, &beside) {
        (Some(blocks), Some(beside)) => format!(
            "{} of {} blocks of columns, and by SQL the {}",
            blocks.len(),
            blocks.all,
            beside.access.describe()
        ),
        _ => plan.access.describe(),
    };
    let of_rows = beside.as_ref().and_then(|beside| Columns::new(chain, beside));
    let statement = if let Some(columns) = of_rows.as_ref().or(columns.as_ref()) {
        columns.statement()
    } else {
        let start = Position::default();
        plan.page(&all_behind(plan, &start))?.finish(plan.tenant.dialect)
    };
    let steps = match &columns {
        Some(_) => &chain.steps[1..],
        None => chain.steps,
    };
    let apply = Apply { steps: steps.to_vec() };
    let rest = (!apply.steps.is_empty()).then(|| format!("$apply={apply}"));
    let residual: Vec<String> = residual(&chain.input, plan).into_iter().chain(rest).collect();
    Ok(Explanation {
        binds: statement.binds.iter().map(shown).collect(),
        engine_plan: engine_plan(connection, &statement)?,
        sql: vec![statement.text],
        residual: (!residual.is_empty()).then(|| residual.join("&")),
        access,
        cost: Cost::Scan,
    })
}

fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    let parts: Vec<String> = one.into_iter().chain(other).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The statement that leads to the rows of a page.
pub(super) fn leading(query: &LogicalQuery<'_>, plan: &Plan<'_>) -> Result<Statement, Error> {
    let start = Position::default();
    let is_by_words = word_buckets::is_served(plan, query);
    let mut slice = all_behind(plan, &start);
    if plan.is_exact() && plan.order.is_some() && !is_by_words {
        slice.limit = Some(60);
    }
    let sql = if is_by_words { plan.by_words(plan.range) } else { plan.page(&slice)? };
    Ok(sql.finish(plan.tenant.dialect))
}

fn engine_plan(connection: &Connection, statement: &Statement) -> Result<Vec<String>, Error> {
    let (explain, column) = match connection.dialect() {
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        Dialect::Postgres => ("EXPLAIN", 0),
    };
    let text = format!("{explain} {}", statement.text);
    connection.all(&text, statement.binds.as_slice(), |row| row.get(column))
}

/// A value for people: of a long one its beginning, and how long it is.
fn shown(bind: &Bind) -> String {
    const LONGEST: usize = 200;
    let text = format!("{bind:?}");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// What is left to our evaluator, as OData text.
fn residual(query: &LogicalQuery<'_>, plan: &Plan<'_>) -> Option<String> {
    let filters = plan.residual.iter().map(|filter| format!("$filter={filter}"));
    let searches = plan.searches.iter().map(|search| format!("$search={search}"));
    let mut parts: Vec<String> = filters.chain(searches).collect();
    if plan.order.is_none() {
        let keys: Vec<String> = query.orderby.iter().map(ToString::to_string).collect();
        parts.push(format!("$orderby={}", keys.join(",")));
    }
    (!parts.is_empty()).then(|| parts.join("&"))
}
