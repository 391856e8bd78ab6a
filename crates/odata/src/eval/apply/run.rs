//! Items on their way through the stages of a chain.

mod groups;

use std::borrow::Cow;
use std::ops::ControlFlow;

use self::groups::Groups;
use super::aggregate::Aggregator;
use super::extreme::Ranking;
use super::join::JoinStage;
use super::plan::{Figures, Stage};
use super::{Excess, Setting, Sizes};
use crate::eval::json_form::set_member;
use crate::eval::page::{Pager, compute};
use crate::eval::{HeapSize, Scope};
use crate::json::Node;

/// What a stage remembers of the items that came by.
pub(super) enum State<'p> {
    Nothing,
    /// Items still to skip or to let through.
    Left(usize),
    Sorted(Pager<'p, Node<'static>>),
    Figures(&'p Figures, Aggregator),
    Groups(Groups<'p>),
    Branches(Vec<Branch<'p>>),
    Ranking(Ranking<'p>),
    /// Its items went on.
    Finished,
}

pub(super) struct Branch<'p> {
    stages: &'p [Stage],
    states: Vec<State<'p>>,
    out: Vec<Node<'static>>,
    is_done: bool,
}

/// What may still be kept.
pub(super) struct Budget {
    sizes: Sizes,
    left: Sizes,
}

impl Budget {
    pub(super) fn new(sizes: Sizes) -> Self {
        Self { sizes, left: sizes }
    }

    pub(super) fn take_group(&mut self) -> Result<(), Excess> {
        let left = self.left.groups.checked_sub(1);
        self.left.groups = left.ok_or(Excess::TooManyGroups(self.sizes.groups))?;
        Ok(())
    }

    pub(super) fn take_item(&mut self) -> Result<(), Excess> {
        self.take_items(1)
    }

    fn take_items(&mut self, count: usize) -> Result<(), Excess> {
        let left = self.left.items.checked_sub(count);
        self.left.items = left.ok_or(Excess::TooManyItems(self.sizes.items))?;
        Ok(())
    }

    fn take_values(&mut self, count: usize) -> Result<(), Excess> {
        let left = self.left.values.checked_sub(count);
        self.left.values = left.ok_or(Excess::TooManyValues(self.sizes.values))?;
        Ok(())
    }

    fn give_back(&mut self, items: usize) {
        self.left.items += items;
    }
}

/// What stages remember before the first item.
pub(super) fn states<'p>(stages: &'p [Stage], setting: &Setting<'p>) -> Vec<State<'p>> {
    stages.iter().map(|stage| State::new(stage, setting)).collect()
}

impl<'p> State<'p> {
    fn new(stage: &'p Stage, setting: &Setting<'p>) -> Self {
        match stage {
            Stage::Filter(_) | Stage::Search(_) | Stage::Compute(_) | Stage::Join(..) => {
                Self::Nothing
            }
            Stage::Skip(count) | Stage::Top(count) => Self::Left(*count),
            Stage::Sort(sieve, window) => {
                Self::Sorted(Pager::new(sieve, *window, setting.ty, setting.environment))
            }
            Stage::Aggregate(figures) => {
                Self::Figures(figures, Aggregator::new(&figures.aggregates))
            }
            Stage::Group(grouping, inner) => Self::Groups(Groups::new(grouping, inner.as_deref())),
            Stage::Concat(chains) => {
                let branch = |stages: &'p Vec<Stage>| Branch {
                    stages,
                    states: states(stages, setting),
                    out: Vec::new(),
                    is_done: false,
                };
                Self::Branches(chains.iter().map(branch).collect())
            }
            Stage::Extreme(choice) => Self::Ranking(Ranking::new(choice, setting)),
        }
    }
}

/// Takes an item through the stages, as far as it goes. `Break` means that no further item can
/// matter.
pub(super) fn push<'p>(
    stages: &'p [Stage],
    states: &mut [State<'p>],
    item: Cow<'_, Node<'_>>,
    setting: &Setting<'p>,
    budget: &mut Budget,
    out: &mut Vec<Node<'static>>,
) -> Result<ControlFlow<()>, Excess> {
    let meter = setting.environment.meter;
    if !meter.step() {
        meter.check()?;
    }
    let ([stage, stages @ ..], [state, states @ ..]) = (stages, states) else {
        budget.take_item()?;
        meter.keep(item.heap_size());
        meter.check()?;
        out.push(item.into_owned().into_owned());
        return Ok(ControlFlow::Continue(()));
    };
    let passes = match (stage, &mut *state) {
        (Stage::Filter(condition), _) => {
            condition.holds(&Scope::new(setting.item(&item), setting.environment))
        }
        (Stage::Search(search), _) => setting.environment.finds(search, setting.item(&item)),
        (Stage::Compute(members), _) => {
            let mut item = item;
            compute(members, item.to_mut(), setting.ty, None, setting.environment);
            return push(stages, states, item, setting, budget, out);
        }
        (Stage::Join(joining, inner), _) => {
            let related = related((joining, inner.as_deref()), &item, setting, budget)?;
            let mut item = item.into_owned();
            for related in related {
                joining.put(&mut item, related);
                let item = Cow::Borrowed(&item);
                if push(stages, states, item, setting, budget, out)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        (Stage::Skip(_), State::Left(left)) => {
            let is_behind = *left == 0;
            *left = left.saturating_sub(1);
            is_behind
        }
        (Stage::Top(_), State::Left(left)) => {
            let Some(rest) = left.checked_sub(1) else { return Ok(ControlFlow::Break(())) };
            *left = rest;
            let flow = push(stages, states, item, setting, budget, out)?;
            return Ok(if rest == 0 { ControlFlow::Break(()) } else { flow });
        }
        (_, state) => {
            return state.keep(&item, setting, budget);
        }
    };
    if passes {
        return push(stages, states, item, setting, budget, out);
    }
    Ok(ControlFlow::Continue(()))
}

impl<'p> State<'p> {
    /// Takes an item that goes no further before all have come.
    fn keep(
        &mut self,
        item: &Node<'_>,
        setting: &Setting<'p>,
        budget: &mut Budget,
    ) -> Result<ControlFlow<()>, Excess> {
        match self {
            Self::Sorted(pager) => {
                let before = pager.held();
                let keep = |item: &Node<'_>| item.clone().into_owned();
                let _ = pager.offer(Cow::Borrowed(item), keep);
                budget.take_items(pager.held() - before)?;
            }
            Self::Figures(figures, aggregator) => {
                let scope = Scope::new(setting.item(item), setting.environment);
                budget.take_values(feed(aggregator, figures, &scope))?;
            }
            Self::Groups(groups) => groups.push(item, setting, budget)?,
            Self::Ranking(ranking) => budget.take_items(ranking.push(item, setting))?,
            Self::Branches(branches) => {
                for Branch { stages, states, out, is_done } in branches.iter_mut() {
                    if !*is_done {
                        let item = Cow::Borrowed(item);
                        *is_done = push(stages, states, item, setting, budget, out)?.is_break();
                    }
                }
                if branches.iter().all(|branch| branch.is_done) {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Self::Nothing | Self::Left(_) | Self::Finished => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The items that were held back.
    fn release(
        self,
        setting: &Setting<'p>,
        budget: &mut Budget,
    ) -> Result<Vec<Node<'static>>, Excess> {
        let (items, held) = match self {
            Self::Nothing | Self::Left(_) | Self::Finished => return Ok(Vec::new()),
            Self::Sorted(pager) => {
                let held = pager.held();
                (pager.finish()?.items, held)
            }
            Self::Ranking(ranking) => {
                let held = ranking.held();
                (ranking.finish()?, held)
            }
            Self::Figures(figures, aggregator) => {
                let mut members = Vec::new();
                for (figure, value) in figures.aggregates.iter().zip(aggregator.finish()?) {
                    set_member(&mut members, &figure.alias, &value);
                }
                (vec![Node::Object(members)], 0)
            }
            Self::Groups(groups) => {
                let items = groups.finish(setting, budget)?;
                let held = items.len();
                (items, held)
            }
            Self::Branches(branches) => {
                let mut items = Vec::new();
                for Branch { stages, mut states, mut out, .. } in branches {
                    finish(stages, &mut states, setting, budget, &mut out)?;
                    items.append(&mut out);
                }
                let held = items.len();
                (items, held)
            }
        };
        budget.give_back(held);
        Ok(items)
    }
}

/// What an item is joined with.
fn related(
    (joining, inner): (&JoinStage, Option<&[Stage]>),
    item: &Node<'_>,
    setting: &Setting<'_>,
    budget: &mut Budget,
) -> Result<Vec<Node<'static>>, Excess> {
    let mut nodes = joining.related(item, setting)?;
    if let Some(inner) = inner {
        let setting = &Setting { ty: joining.ty, ..*setting };
        let mut states = states(inner, setting);
        let mut out = Vec::new();
        for node in nodes {
            let node = Cow::Owned(node);
            if push(inner, &mut states, node, setting, budget, &mut out)?.is_break() {
                break;
            }
        }
        finish(inner, &mut states, setting, budget, &mut out)?;
        // They go on with the item.
        budget.give_back(out.len());
        nodes = out;
    }
    if nodes.is_empty() && joining.is_outer {
        nodes.push(Node::Null);
    }
    Ok(nodes)
}

/// Gives the values of an item to the figures; how many more are kept.
fn feed(aggregator: &mut Aggregator, figures: &Figures, scope: &Scope<'_, '_>) -> usize {
    let mut kept = 0;
    for (index, program) in figures.values.iter().enumerate() {
        let Some(program) = program else {
            aggregator.count_item(index);
            continue;
        };
        let _ = program.each(scope, &mut |value| {
            let bytes = aggregator.add(index, &value);
            kept += usize::from(bytes > 0);
            if scope.environment.meter.keep(bytes) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
    }
    kept
}

/// Lets what the stages held back go on, one stage after the other.
pub(super) fn finish<'p>(
    stages: &'p [Stage],
    states: &mut [State<'p>],
    setting: &Setting<'p>,
    budget: &mut Budget,
    out: &mut Vec<Node<'static>>,
) -> Result<(), Excess> {
    for index in 0..states.len() {
        let state = std::mem::replace(&mut states[index], State::Finished);
        for item in state.release(setting, budget)? {
            let (behind, rest) = (&stages[index + 1..], &mut states[index + 1..]);
            if push(behind, rest, Cow::Owned(item), setting, budget, out)?.is_break() {
                break;
            }
        }
    }
    Ok(())
}
