//! `$apply`: over columns where the first aggregation needs nothing else, else over JSON.
//!
//! Both give the same: rows come in the same order, the same aggregators take them, and the keys of
//! a group are copied from the JSON of the first row of it.

use std::borrow::Cow;
use std::ops::ControlFlow;

use model::rows::{QUALITY, RowSet};
use odata::bound::{Apply, Query};
use odata::edm::Type;
use odata::eval::{Meter, Pager, Sieve, Window};
use odata::json::{Member, Node, write_node};

use super::block_groups::over_columns;
use super::branches::Branches;
use super::chain::Chain;
use super::columns::Columns;
use super::evaluation::{environment, load};
use super::parts::{Parts, parts};
use super::pipeline::{left_out, pipeline, sizes, too_much};
use super::places;
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
    let apply = query.query.apply.as_ref().unwrap_or(&nothing);
    let (chain, run) = (&Chain::new(query, apply), &mut run);
    let of_branches = match Branches::new(chain, apply) {
        Some(branches) => branches.run(query, tenant, run)?,
        None => None,
    };
    let nodes = if let Some(nodes) = of_branches {
        nodes
    } else {
        let plan = &places::chain_plan(run.place_source(), chain, tenant)?;
        match Columns::new(chain, plan) {
            Some(columns) => over_columns(chain, &columns, run)?,
            None => over_json(chain, plan, (run, parts_of_options(&query.query)))?,
        }
    };
    let is_shown = query.query.select.as_ref().is_some_and(|it| it.find(QUALITY).is_some());
    finish((&query.query, query.rows), nodes, !is_shown, &run.budget.meter)
}

/// What the options behind `$apply` look at, of items that it keeps as they are.
fn parts_of_options(query: &Query) -> Parts {
    if query.search.is_some() {
        return Parts::SEARCHED;
    }
    let computed = query.compute.iter().map(|member| &member.value);
    let ordered = query.orderby.iter().map(|key| &key.value);
    parts(&computed.chain(ordered).chain(&query.filter).collect::<Vec<_>>())
}

/// The chain over the JSON of rows, with these parts of them beside those that the chain looks at.
fn over_json(
    chain: &Chain<'_>,
    plan: &Plan<'_>,
    (run, behind): (&mut Run<'_>, Parts),
) -> Result<Vec<Node<'static>>, Error> {
    let set = plan.set;
    let filter = chain.input.residual_filter(plan);
    let parts = chain.parts().and(filter.parts).and(behind);
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

/// The options of the query that come behind `$apply`. A row that was kept as it is shows its verdict only
/// where that is selected.
fn finish(
    (query, set): (&Query, RowSet),
    nodes: Vec<Node<'static>>,
    hides_verdict: bool,
    meter: &Meter,
) -> Result<Vec<Vec<u8>>, Error> {
    let sieve = Sieve::new(query);
    let window = Window::of(query, 0, usize::MAX);
    let ty = Type::Structured(set.ty());
    let mut pager = Pager::new(&sieve, window, ty, environment(meter));
    for node in nodes {
        let text = |node: &Node<'_>| {
            let mut out = Vec::new();
            let item = without_related(node);
            match item.as_object() {
                Some(members) if hides_verdict && is_row_with_verdict(&item, set) => {
                    let shown = members.iter().filter(|member| !member.name.is(QUALITY));
                    write_node(&mut out, &Node::Object(shown.cloned().collect()));
                }
                _ => write_node(&mut out, &item),
            }
            out
        };
        if pager.offer(Cow::Owned(node), text).is_break() {
            break;
        }
    }
    Ok(pager.finish()?.items)
}

/// Whether an item is a row that was read with its verdict. What an aggregation gives has no more members
/// than its keys and figures, and so never all that a row has.
fn is_row_with_verdict(item: &Node<'_>, set: RowSet) -> bool {
    let mut declared = set.ty().properties.iter().filter(|it| it.is_served && !it.is_navigation);
    item.get(QUALITY).is_some() && declared.all(|property| item.get(property.name).is_some())
}

/// An item without what is related to it, which an answer shows only where it is expanded.
fn without_related<'n>(node: &'n Node<'n>) -> Cow<'n, Node<'n>> {
    let is_related = |member: &&Member<'_>| {
        let related = ["sessions", "segments", "participants_v2"];
        matches!(member.value, Node::Array(_)) && related.iter().any(|name| member.name.is(name))
    };
    let Node::Object(members) = node else { return Cow::Borrowed(node) };
    // Of what items are joined with too.
    let is_free = |member: &Member<'_>| {
        !is_related(&member) && matches!(without_related(&member.value), Cow::Borrowed(_))
    };
    if members.iter().all(is_free) {
        return Cow::Borrowed(node);
    }
    let own = members.iter().filter(|member| !is_related(member)).map(|member| Member {
        name: member.name.clone(),
        value: without_related(&member.value).into_owned(),
    });
    Cow::Owned(Node::Object(own.collect()))
}
