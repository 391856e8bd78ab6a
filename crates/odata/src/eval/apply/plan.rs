//! Transformations made ready to run.

use super::Excess;
use super::extreme::Choice;
use super::group::Grouping;
use super::join::JoinStage;
use crate::bound::{Aggregate, Apply, Search, Transformation};
use crate::eval::Program;
use crate::eval::page::{Calculation, Sieve, Window, calculations};

/// A prepared transformation.
#[derive(Debug)]
pub(super) enum Stage {
    Filter(Program),
    Search(Search),
    Compute(Vec<Calculation>),
    /// Sorts, and cuts at once what follows in the chain.
    Sort(Sieve, Window),
    Skip(usize),
    Top(usize),
    Aggregate(Figures),
    /// Groups, and what becomes of each; `None` for nothing but its keys.
    Group(Grouping, Option<Vec<Stage>>),
    Concat(Vec<Vec<Stage>>),
    Extreme(Choice),
    /// Joins, and what becomes of the related items of an item first.
    Join(JoinStage, Option<Vec<Stage>>),
}

/// Figures, and where their values come from.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) values: Vec<Option<Program>>,
}

impl Figures {
    fn new(aggregates: &[Aggregate]) -> Self {
        let program = |figure: &Aggregate| figure.value.as_ref().map(Program::new);
        Self { aggregates: aggregates.to_vec(), values: aggregates.iter().map(program).collect() }
    }
}

/// Prepares a chain.
pub(super) fn stages(apply: &Apply) -> Result<Vec<Stage>, Excess> {
    let mut stages = Vec::with_capacity(apply.steps.len());
    let mut steps = apply.steps.iter().peekable();
    while let Some(step) = steps.next() {
        stages.push(match step {
            Transformation::Identity => continue,
            Transformation::Filter(condition) => Stage::Filter(Program::new(condition)),
            Transformation::Search(search) => Stage::Search(search.clone()),
            Transformation::Compute(members) => Stage::Compute(calculations(members)),
            Transformation::OrderBy(keys) => {
                let mut window = Window::ALL;
                if let Some(Transformation::Skip(count)) = steps.peek() {
                    window.start = whole(*count);
                    steps.next();
                }
                if let Some(Transformation::Top(count)) = steps.peek() {
                    window.room = whole(*count);
                    steps.next();
                }
                Stage::Sort(Sieve::sorted_by(keys), window)
            }
            Transformation::Skip(count) => Stage::Skip(whole(*count)),
            Transformation::Top(count) => Stage::Top(whole(*count)),
            Transformation::Aggregate(figures) => Stage::Aggregate(Figures::new(figures)),
            Transformation::GroupBy { keys, apply } => {
                let inner = apply.as_ref().map(self::stages).transpose()?;
                Stage::Group(Grouping::new(keys)?, inner)
            }
            Transformation::Concat(chains) => {
                Stage::Concat(chains.iter().map(self::stages).collect::<Result<_, _>>()?)
            }
            Transformation::Join { path, alias, apply, is_outer } => {
                let inner = apply.as_ref().map(self::stages).transpose()?;
                Stage::Join(JoinStage::new(path, alias, *is_outer), inner)
            }
            Transformation::Extreme { kind, amount, by } => {
                Stage::Extreme(Choice::new(*kind, amount, by))
            }
        });
    }
    Ok(stages)
}

fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
