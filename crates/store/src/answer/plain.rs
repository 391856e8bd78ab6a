//! Plans of which SQL decides more, where all records that are asked have plain values.
//!
//! Nearly always they have. Whether they do is asked only if it makes a difference, of an index in which
//! stand the records that have others.

use super::chain::Chain;
use super::columns::Columns;
use super::logical::LogicalQuery;
use crate::Error;
use crate::engine::Connection;
use crate::query::plan::Plan;
use crate::sql::Statement;
use crate::tables::search::Tenant;

/// The plan of a query.
pub(super) fn plan<'q>(
    connection: &Connection,
    query: &'q LogicalQuery<'_>,
    tenant: Tenant,
) -> Result<Plan<'q>, Error> {
    let plan = query.plan(tenant);
    if plan.residual.is_empty() && plan.order.is_some() {
        return Ok(plan);
    }
    let plain = of_plain_values(query, tenant);
    let is_better =
        plain.residual.len() < plan.residual.len() || plain.order.is_some() && plan.order.is_none();
    Ok(if is_better && holds(connection, &plan)? { plain } else { plan })
}

/// The plan of the rows that a chain begins with: one with which columns are enough, if there is one.
pub(super) fn chain_plan<'q>(
    connection: &Connection,
    chain: &'q Chain<'q>,
    tenant: Tenant,
) -> Result<Plan<'q>, Error> {
    let plan = plan(connection, &chain.input, tenant)?;
    if plan.tenant.has_plain_values || Columns::new(chain, &plan).is_some() {
        return Ok(plan);
    }
    let plain = of_plain_values(&chain.input, tenant);
    let is_better = Columns::new(chain, &plain).is_some();
    Ok(if is_better && holds(connection, &plan)? { plain } else { plan })
}

fn of_plain_values<'q>(query: &'q LogicalQuery<'_>, tenant: Tenant) -> Plan<'q> {
    query.plan(Tenant { has_plain_values: true, ..tenant })
}

/// Whether all records that a plan may look at have plain values. The plan is the one for any values: the
/// other leaves out starts at which only those may be that state more than their column tells.
fn holds(connection: &Connection, plan: &Plan<'_>) -> Result<bool, Error> {
    let Statement { text, binds } = plan.odd_records().finish(plan.tenant.dialect);
    Ok(!connection.exists(&text, binds.as_slice())?)
}
