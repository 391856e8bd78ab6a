//! Plans of questions about places, with the tables of places that their statements need.

use std::ops::ControlFlow;

use odata::eval::Meter;
use places::Maps;

use super::chain::Chain;
use super::columns::Columns;
use super::logical::LogicalQuery;
use super::plain;
use super::run::Run;
use crate::Error;
use crate::engine::{Connection, Row};
use crate::query::compiler::JoinedTables;
use crate::query::places::{PlaceRows, PlaceTable, PlaceTables};
use crate::query::plan::Plan;
use crate::sql::Statement;
use crate::tables::search::Tenant;

/// Networks whose places a statement brings along, at most, each as often as its place changes.
const MOST_NETWORKS: usize = 100_000;

/// What plans are made with.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) connection: &'a Connection,
    /// Of rows of ends.
    pub(super) maps: Option<&'a Maps>,
    pub(super) meter: Option<&'a Meter>,
}

impl<'a> Asked<'a> {
    /// Of a query under way.
    pub(super) fn of(run: &'a Run<'_>) -> Self {
        let (maps, meter) = (run.maps.as_deref(), Some(&run.budget.meter));
        Self { connection: run.connection, maps, meter }
    }
}

/// The plan of a query.
pub(super) fn plan<'q>(
    asked: Asked<'_>,
    query: &'q LogicalQuery<'_>,
    tenant: Tenant,
) -> Result<Plan<'q>, Error> {
    let make = |tenant| plain::plan(asked.connection, query, tenant);
    plan_with(asked, tenant, make, |_| JoinedTables::default())
}

/// The plan of a query that relies on no plain values.
pub(super) fn plan_of_any_values<'q>(
    asked: Asked<'_>,
    query: &'q LogicalQuery<'_>,
    tenant: Tenant,
) -> Result<Plan<'q>, Error> {
    plan_with(asked, tenant, |tenant| Ok(query.plan(tenant)), |_| JoinedTables::default())
}

/// The plan of the rows that a chain begins with.
pub(super) fn chain_plan<'q>(
    asked: Asked<'_>,
    chain: &'q Chain<'q>,
    tenant: Tenant,
) -> Result<Plan<'q>, Error> {
    let make = |tenant| plain::chain_plan(asked.connection, chain, tenant);
    let joined = |plan: &Plan<'_>| Columns::new(chain, plan).map(|columns| columns.joined());
    plan_with(asked, tenant, make, |plan| joined(plan).unwrap_or_default())
}

/// A plan with the tables of places that it and the columns of its chain need, or one that leaves places to
/// our own evaluator.
fn plan_with<'q>(
    asked: Asked<'_>,
    tenant: Tenant,
    make: impl Fn(Tenant) -> Result<Plan<'q>, Error>,
    others: impl Fn(&Plan<'q>) -> JoinedTables,
) -> Result<Plan<'q>, Error> {
    let Some(maps) = asked.maps else { return make(tenant) };
    let mut plan = make(Tenant { has_places: true, ..tenant })?;
    let mut used = plan.joined;
    used.add(others(&plan));
    if !used.has_places() || attach((asked, maps), &mut plan, used)? {
        return Ok(plan);
    }
    make(tenant)
}

/// Gives a plan the tables of places that it uses. Not if the networks are too many; whether it has them.
fn attach(
    (asked, maps): (Asked<'_>, &Maps),
    plan: &mut Plan<'_>,
    used: JoinedTables,
) -> Result<bool, Error> {
    let mut tables = PlaceTables::new(used);
    for table in PlaceTable::used(used) {
        let table = if maps.use_addresses() { table.by_address() } else { table };
        let rows = PlaceRows::new(table, used);
        match fill((asked, maps), plan, rows)? {
            Some(rows) => tables.add(rows),
            None => return Ok(false),
        }
    }
    plan.places = Some(tables);
    Ok(true)
}

/// The rows of a table; none if they are too many, or have text that an engine reads otherwise.
fn fill(
    (asked, maps): (Asked<'_>, &Maps),
    plan: &Plan<'_>,
    mut rows: PlaceRows,
) -> Result<Option<PlaceRows>, Error> {
    let table = rows.table();
    if !maps.has(table.kind()) {
        return Ok(Some(rows));
    }
    let stretches = stretches(maps, plan);
    let at: Vec<_> = stretches.iter().map(|(since, _)| maps.at(*since)).collect();
    let (mut count, mut fits) = (0, true);
    let Statement { text, binds } = plan.place_keys(table).finish(plan.tenant.dialect);
    asked.connection.scan(&text, binds.as_slice(), |row: &Row<'_>| {
        let key: String = row.get(0)?;
        let whereabouts = table.whereabouts(&key);
        fits &= whereabouts.is_some();
        for (stretch, maps) in stretches.iter().zip(&at) {
            count += 1;
            let place = whereabouts.as_ref().map(|end| maps.place(end)).unwrap_or_default();
            fits &= rows.add(&key, *stretch, &place);
        }
        let grown = rows.grown();
        let is_held = asked.meter.is_none_or(|meter| meter.keep(grown));
        fits &= count <= MOST_NETWORKS;
        Ok(if fits && is_held { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    asked.meter.map_or(Ok(()), Meter::check)?;
    Ok(fits.then_some(rows))
}

/// The times in which no map changes, within the range of a plan: from an instant (ticks) until another.
fn stretches(maps: &Maps, plan: &Plan<'_>) -> Vec<(i64, i64)> {
    let (from, until) = (plan.range.from, plan.range.until);
    let is_inside =
        |at: &i64| from.is_none_or(|from| *at > from) && until.is_none_or(|until| *at <= until);
    let mut bounds = vec![from.unwrap_or(i64::MIN)];
    bounds.extend(maps.turning_points().into_iter().filter(is_inside));
    bounds.push(i64::MAX);
    bounds.windows(2).map(|pair| (pair[0], pair[1])).collect()
}
