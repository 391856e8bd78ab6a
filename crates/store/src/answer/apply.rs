//! `$apply`: over columns where the first aggregation needs nothing else, else over JSON.
//!
//! Both give the same: rows come in the same order, the same aggregators take them, and the keys of
//! a group are copied from the JSON of the first row of it.

use std::borrow::Cow;
use std::ops::ControlFlow;

use model::rows::RowSet;
use odata::bound::{Apply, Query};
use odata::edm::Type;
use odata::eval::{Meter, Pager, Sieve, Window};
use odata::json::{Node, write_node};

use super::chain::Chain;
use super::columns::Columns;
use super::evaluation::{environment, load};
use super::pipeline::{left_out, pipeline, sizes, too_much};
use super::run::{Run, all_behind};
use crate::Error;
use crate::query::RowQuery;
use crate::query::plan::Plan;
use crate::query::position::Position;
use crate::tables::search::Tenant;

/// Runs `$apply`, and what of the query comes behind it: JSON objects.
pub(crate) fn apply(
    mut run: Run<'_>,
    tenant: Tenant,
    query: &RowQuery,
) -> Result<Vec<Vec<u8>>, Error> {
    let nothing = Apply { steps: Vec::new() };
    let chain = &Chain::new(query, query.query.apply.as_ref().unwrap_or(&nothing));
    let plan = &chain.input.plan(tenant);
    let run = &mut run;
    let nodes = match Columns::new(chain, plan) {
        Some(columns) => columns.run(chain, run)?,
        None => over_json(chain, plan, run)?,
    };
    finish(&query.query, query.rows, nodes, &run.budget.meter)
}

/// The chain over the JSON of rows.
fn over_json(
    chain: &Chain<'_>,
    plan: &Plan<'_>,
    run: &mut Run<'_>,
) -> Result<Vec<Node<'static>>, Error> {
    let set = plan.set;
    let filter = chain.input.residual_filter(plan);
    let parts = chain.parts().and(filter.parts);
    let steps = chain.computing.iter().copied().chain(chain.steps).cloned().collect();
    let pipeline = pipeline(steps, set)?;
    let mut flow = pipeline.start(sizes(run.budget), environment(&run.budget.meter));
    let start = Position::default();
    run.each(plan, &all_behind(plan, &start), &mut |run, candidate| {
        run.check()?;
        run.scanned += 1;
        let text = match run.text(set, &candidate.row, parts) {
            Err(Error::Corrupt(cause)) => return Ok(left_out(&cause)),
            text => text?,
        };
        let node = match load(&text, &run.budget.meter) {
            Err(Error::Corrupt(cause)) => return Ok(left_out(&cause)),
            node => node?,
        };
        if !filter.admits(&node, &run.budget.meter)? {
            return Ok(ControlFlow::Continue(()));
        }
        flow.push(Cow::Owned(node)).map_err(|excess| too_much(&excess))
    })?;
    flow.finish().map_err(|excess| too_much(&excess))
}

/// The options of the query that come behind `$apply`.
fn finish(
    query: &Query,
    set: RowSet,
    nodes: Vec<Node<'static>>,
    meter: &Meter,
) -> Result<Vec<Vec<u8>>, Error> {
    let sieve = Sieve::new(query);
    let window = Window::of(query, 0, usize::MAX);
    let ty = Type::Structured(set.ty());
    let mut pager = Pager::new(&sieve, window, ty, environment(meter));
    for mut node in nodes {
        leave_related(&mut node);
        let text = |node: &Node<'_>| {
            let mut out = Vec::new();
            write_node(&mut out, node);
            out
        };
        if pager.offer(Cow::Owned(node), text).is_break() {
            break;
        }
    }
    Ok(pager.finish()?.items)
}

/// Takes out of a row what is related to it, which an answer shows only where it is expanded.
fn leave_related(node: &mut Node<'_>) {
    let Node::Object(members) = node else { return };
    let related = ["sessions", "segments", "participants_v2"];
    members.retain(|member| {
        let is_related = related.iter().any(|name| member.name.is(name));
        !(is_related && matches!(member.value, Node::Array(_)))
    });
}
