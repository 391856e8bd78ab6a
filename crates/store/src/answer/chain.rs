//! The chain of `$apply`: which rows go into it, and what it makes of them.

use odata::bound::{Apply, Expr, GroupKey, Transformation};

use super::logical::LogicalQuery;
use super::parts::{Parts, parts, parts_of_path};
use crate::query::RowQuery;
use crate::query::inline::Members;

/// A chain, cut where rows become something else.
#[derive(Debug)]
pub(super) struct Chain<'q> {
    /// Which rows go in: the conditions that the chain begins with.
    pub(super) input: LogicalQuery<'q>,
    /// Members that the rows get, by their names.
    pub(super) members: Members,
    /// Calculations, from which conditions have been taken out.
    pub(super) computing: Vec<&'q Transformation>,
    /// The rest.
    pub(super) steps: &'q [Transformation],
}

impl<'q> Chain<'q> {
    pub(super) fn new(query: &RowQuery, apply: &'q Apply) -> Self {
        let mut members = Members::default();
        let mut input = LogicalQuery::all(query.rows, query.not_before);
        let mut computing = Vec::new();
        let mut steps = apply.steps.iter();
        while let Some(step) = steps.as_slice().first() {
            match step {
                Transformation::Identity => {}
                Transformation::Filter(condition) => input.filters.push(members.inline(condition)),
                Transformation::Search(search) if computing.is_empty() => {
                    input.searches.push(search);
                }
                Transformation::Compute(computed) => {
                    members.add(computed);
                    input.compute.to_mut().extend(computed.iter().cloned());
                    computing.push(step);
                }
                _ => break,
            }
            steps.next();
        }
        Self { input, members, computing, steps: steps.as_slice() }
    }

    /// What of a row the chain looks at beside its own members.
    pub(super) fn parts(&self) -> Parts {
        let computed: Vec<_> = self.input.compute.iter().map(|member| &member.value).collect();
        parts(&computed).and(parts_of_steps(self.steps))
    }
}

/// What steps look at, those inside others too.
fn parts_of_steps(steps: &[Transformation]) -> Parts {
    let of_all = |all: &mut dyn Iterator<Item = &Expr>| parts(&all.collect::<Vec<_>>());
    let of_step = |step: &Transformation| match step {
        Transformation::Identity | Transformation::Skip(_) | Transformation::Top(_) => {
            Parts::default()
        }
        Transformation::Search(_) => Parts::SEARCHED,
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
        Transformation::Join { path, apply, .. } => {
            let inner = apply.iter().map(|apply| parts_of_steps(&apply.steps));
            inner.fold(parts(&[path]), Parts::and)
        }
        Transformation::Extreme { amount, by, .. } => parts(&[amount, by]),
    };
    steps.iter().map(of_step).fold(Parts::default(), Parts::and)
}
