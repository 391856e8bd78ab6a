//! `$apply`: over columns where the first aggregation needs nothing else, else over JSON.
//!
//! Both give the same: rows come in the same order, the same aggregators take them, and the keys of
//! a group are copied from the JSON of the first row of it.

use std::borrow::Cow;
use std::ops::ControlFlow;

use model::rows::RowSet;
use odata::bound::{Apply, Expr, GroupKey, Query, Transformation};
use odata::edm::Type;
use odata::eval::{Excess, Meter, Pager, Pipeline, Sieve, Sizes, Window};
use odata::json::{Node, write_node};

use super::asked::Asked;
use super::columns::Columns;
use super::judge::{environment, parts, parts_of_path};
use super::loader::Parts;
use super::run::{Run, whole};
use crate::query::RowQuery;
use crate::query::inline::Members;
use crate::query::planned::Planned;
use crate::query::position::Position;
use crate::{Budget, Cause, Error};

/// Single values that percentiles and distinct counts may keep.
const MOST_VALUES: usize = 4_000_000;

/// A chain, cut where rows become something else.
#[derive(Debug)]
pub(super) struct Chain {
    /// Which rows go in: the conditions that the chain begins with.
    pub(super) asked: Asked,
    /// Members that the rows get, by their names.
    pub(super) members: Members,
    /// Calculations, from which conditions have been taken out.
    pub(super) computing: Vec<Transformation>,
    /// The rest.
    pub(super) steps: Vec<Transformation>,
}

impl Chain {
    pub(super) fn new(query: &RowQuery, apply: &Apply) -> Self {
        let mut members = Members::default();
        let mut asked = Asked::all(query.rows, query.not_before);
        let mut computing = Vec::new();
        let mut steps = apply.steps.iter();
        while let Some(step) = steps.as_slice().first() {
            match step {
                Transformation::Identity => {}
                Transformation::Filter(condition) => asked.filters.push(members.inline(condition)),
                Transformation::Search(search) if computing.is_empty() => {
                    asked.searches.push(search.clone());
                }
                Transformation::Compute(computed) => {
                    members.add(computed);
                    asked.compute.extend(computed.iter().cloned());
                    computing.push(step.clone());
                }
                _ => break,
            }
            steps.next();
        }
        Self { asked, members, computing, steps: steps.cloned().collect() }
    }

    /// What of a row the chain looks at beside its own members.
    fn parts(&self) -> Parts {
        let computed: Vec<_> = self.asked.compute.iter().map(|member| &member.value).collect();
        parts(&computed).and(parts_of_steps(&self.steps))
    }
}

/// What steps look at, those inside others too.
fn parts_of_steps(steps: &[Transformation]) -> Parts {
    let of_all = |all: &mut dyn Iterator<Item = &Expr>| parts(&all.collect::<Vec<_>>());
    let of_step = |step: &Transformation| match step {
        Transformation::Identity | Transformation::Skip(_) | Transformation::Top(_) => {
            Parts::default()
        }
        Transformation::Search(_) => Parts::ALL,
        Transformation::Filter(condition) => parts(&[condition]),
        Transformation::Compute(members) => of_all(&mut members.iter().map(|it| &it.value)),
        Transformation::OrderBy(keys) => of_all(&mut keys.iter().map(|key| &key.value)),
        Transformation::Aggregate(figures) => {
            of_all(&mut figures.iter().filter_map(|figure| figure.value.as_ref()))
        }
        Transformation::GroupBy { keys, apply } => {
            let inner = apply.iter().map(|apply| parts_of_steps(&apply.steps));
            let paths = keys.iter().flat_map(|key| match key {
                GroupKey::Path(path) => std::slice::from_ref(path),
                GroupKey::Rollup { paths, .. } => paths,
            });
            paths.map(parts_of_path).chain(inner).fold(Parts::default(), Parts::and)
        }
        Transformation::Concat(chains) => {
            let each = chains.iter().map(|chain| parts_of_steps(&chain.steps));
            each.fold(Parts::default(), Parts::and)
        }
        Transformation::Extreme { amount, by, .. } => parts(&[amount, by]),
    };
    steps.iter().map(of_step).fold(Parts::default(), Parts::and)
}

/// Runs `$apply`, and what of the query comes behind it.
pub(super) fn apply(
    chain: &Chain,
    planned: &Planned<'_>,
    query: &RowQuery,
    run: &mut Run<'_>,
) -> Result<Vec<Vec<u8>>, Error> {
    let nodes = match Columns::new(chain, planned) {
        Some(columns) => columns.run(chain, run)?,
        None => over_json(chain, planned, run)?,
    };
    finish(&query.query, query.rows, nodes, &run.budget.meter)
}

/// The chain over the JSON of rows.
pub(super) fn over_json(
    chain: &Chain,
    planned: &Planned<'_>,
    run: &mut Run<'_>,
) -> Result<Vec<Node<'static>>, Error> {
    let set = planned.set;
    let judge = chain.asked.judge(planned);
    let parts = chain.parts().and(judge.parts);
    let steps = chain.computing.iter().chain(&chain.steps).cloned().collect();
    let pipeline = pipeline(steps, set)?;
    let mut flow = pipeline.start(sizes(run.budget), environment(&run.budget.meter));
    let start = Position::default();
    run.each(planned, &whole(&start), &mut |run, candidate| {
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
        if !judge.admits(&node, &run.budget.meter)? {
            return Ok(ControlFlow::Continue(()));
        }
        flow.push(Cow::Owned(node)).map_err(|excess| too_much(&excess))
    })?;
    flow.finish().map_err(|excess| too_much(&excess))
}

/// A row that can't be read is no part of a figure.
pub(super) fn left_out(cause: &Cause) -> ControlFlow<()> {
    tracing::error!(%cause, "$apply leaves a row out");
    ControlFlow::Continue(())
}

pub(super) fn pipeline(steps: Vec<Transformation>, set: RowSet) -> Result<Pipeline, Error> {
    Pipeline::new(&Apply { steps }, Type::Structured(set.ty())).map_err(|excess| too_much(&excess))
}

pub(super) fn sizes(budget: &Budget) -> Sizes {
    Sizes { groups: budget.groups, items: budget.groups, values: MOST_VALUES }
}

pub(super) fn too_much(excess: &Excess) -> Error {
    match excess {
        Excess::TooManyGroups(limit)
        | Excess::TooManyItems(limit)
        | Excess::TooManyValues(limit)
        | Excess::TooManyGroupings(limit) => Error::TooManyGroups { limit: *limit },
        Excess::Exhausted(exhausted) => Error::from(*exhausted),
    }
}

/// The JSON of a row, if there is memory for it.
pub(super) fn load<'t>(text: &'t [u8], meter: &Meter) -> Result<Node<'t>, Error> {
    meter.load(text.len());
    meter.check()?;
    node(text)
}

pub(super) fn node(text: &[u8]) -> Result<Node<'_>, Error> {
    let text = std::str::from_utf8(text).ok();
    let node = text.and_then(|text| Node::parse(text).ok());
    node.ok_or_else(|| Error::Corrupt(Cause::new("a row is no JSON")))
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
