//! Plans of questions about places. Those about all rows get the tables of places that their statements need;
//! pages read these slice by slice.

use super::chain::Chain;
use super::columns::Columns;
use super::logical::LogicalQuery;
use super::place_tables::{PlaceSource, tables};
use super::plain;
use crate::Error;
use crate::query::compiler::JoinedTables;
use crate::query::plan::Plan;
use crate::tables::search::Tenant;

/// The plan of a query.
pub(super) fn plan<'q>(
    source: PlaceSource<'_>,
    query: &'q LogicalQuery<'_>,
    tenant: Tenant,
) -> Result<Plan<'q>, Error> {
    let make = |tenant| plain::plan(source.connection, query, tenant);
    plan_with(source, tenant, make, |_| JoinedTables::default())
}

/// The plan of the rows that a chain begins with.
pub(super) fn chain_plan<'q>(
    source: PlaceSource<'_>,
    chain: &'q Chain<'q>,
    tenant: Tenant,
) -> Result<Plan<'q>, Error> {
    let make = |tenant| plain::chain_plan(source.connection, chain, tenant);
    let joined = |plan: &Plan<'_>| Columns::new(chain, plan).map(|columns| columns.joined());
    plan_with(source, tenant, make, |plan| joined(plan).unwrap_or_default())
}

/// A plan with the tables of places that it and the columns of its chain need, or one that leaves places to
/// our own evaluator.
fn plan_with<'q>(
    source: PlaceSource<'_>,
    tenant: Tenant,
    make: impl Fn(Tenant) -> Result<Plan<'q>, Error>,
    others: impl Fn(&Plan<'q>) -> JoinedTables,
) -> Result<Plan<'q>, Error> {
    if source.maps.is_none() {
        return make(tenant);
    }
    let mut plan = make(Tenant { has_places: true, ..tenant })?;
    let mut used = plan.joined;
    used.add(others(&plan));
    if !used.has_places() {
        return Ok(plan);
    }
    plan.places = tables(source, &plan, plan.range, used)?;
    if plan.places.is_some() { Ok(plan) } else { make(tenant) }
}
