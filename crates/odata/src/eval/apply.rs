//! `$apply`: transformations of a collection, item by item where that is possible (OData Extension
//! for Data Aggregation 4.0, section 3).
//!
//! Results are JSON objects: the keys of groups nested as in their paths, then figures by their
//! aliases, with `@odata.type` where the JSON doesn't tell the type. Groups and rows come in the
//! order in which they were first met.

mod aggregate;
mod extreme;
mod group;
mod identity;
mod join;
mod plan;
mod run;
mod sum;

use std::borrow::Cow;
use std::ops::ControlFlow;

pub use aggregate::Aggregator;
pub use group::group_keys;
pub use identity::push_identity;

use super::{Environment, Exhausted, Item};
use crate::bound::Apply;
use crate::edm::Type;
use crate::json::Node;
use plan::Stage;
use run::{Budget, State};

/// A prepared `$apply`.
#[derive(Debug)]
pub struct Pipeline {
    stages: Vec<Stage>,
    ty: Type,
}

/// How much may be kept in memory at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Groups of all `groupby` together.
    pub groups: usize,
    /// Whole items: of the result, and those that sorting and `top…` have to keep.
    pub items: usize,
    /// Single values that percentiles and distinct counts have to keep.
    pub values: usize,
}

/// More than may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// By [`Sizes::groups`].
    #[error("more than {0} groups")]
    TooManyGroups(usize),
    /// By [`Sizes::items`].
    #[error("more than {0} items")]
    TooManyItems(usize),
    /// By [`Sizes::values`].
    #[error("more than {0} values")]
    TooManyValues(usize),
    /// Roll-ups beside each other multiply.
    #[error("more than {0} groupings by rollup")]
    TooManyGroupings(usize),
    /// By the meter.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// A collection on its way through a [`Pipeline`].
#[expect(missing_debug_implementations, reason = "a searcher need not be printable")]
pub struct Run<'p> {
    stages: &'p [Stage],
    states: Vec<State<'p>>,
    budget: Budget,
    setting: Setting<'p>,
    out: Vec<Node<'static>>,
}

/// What is the same for all items.
#[derive(Clone, Copy)]
struct Setting<'p> {
    ty: Type,
    environment: Environment<'p>,
}

impl Setting<'_> {
    fn item<'a>(&self, node: &'a Node<'a>) -> Item<'a> {
        Item { node, ty: self.ty }
    }
}

impl Pipeline {
    /// Prepares transformations of items of type `ty`.
    pub fn new(apply: &Apply, ty: Type) -> Result<Self, Excess> {
        Ok(Self { stages: plan::stages(apply)?, ty })
    }

    /// Begins with a collection.
    pub fn start<'p>(&'p self, sizes: Sizes, environment: Environment<'p>) -> Run<'p> {
        let setting = Setting { ty: self.ty, environment };
        Run {
            stages: &self.stages,
            states: run::states(&self.stages, &setting),
            budget: Budget::new(sizes),
            setting,
            out: Vec::new(),
        }
    }
}

impl Run<'_> {
    /// Takes the next item; `Break` means that no further item can matter.
    pub fn push(&mut self, item: Cow<'_, Node<'_>>) -> Result<ControlFlow<()>, Excess> {
        let Self { stages, states, budget, setting, out } = self;
        let meter = setting.environment.meter;
        let made = meter.made();
        let flow = run::push(stages, states, item, setting, budget, out)?;
        meter.forget(made);
        meter.check()?;
        Ok(flow)
    }

    /// The result.
    pub fn finish(mut self) -> Result<Vec<Node<'static>>, Excess> {
        let Self { stages, states, budget, setting, out } = &mut self;
        run::finish(stages, states, setting, budget, out)?;
        setting.environment.meter.check()?;
        Ok(self.out)
    }
}
