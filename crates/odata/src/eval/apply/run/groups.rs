//! The groups of a `groupby`, each with a run of its own through a chain of transformations.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Budget, State};
use crate::eval::apply::group::Grouping;
use crate::eval::apply::plan::Stage;
use crate::eval::apply::{Excess, Setting};
use crate::eval::{HeapSize, Scope};
use crate::json::{Member, Node};

/// The groups met so far.
pub(in crate::eval::apply) struct Groups<'p> {
    grouping: &'p Grouping,
    /// What becomes of each group; `None` for nothing but its keys.
    inner: Option<&'p [Stage]>,
    /// Indices of the groups by the identities of their keys.
    indices: HashMap<Box<[u8]>, usize>,
    groups: Vec<Group<'p>>,
    /// Room for the identity of the item at hand.
    scratch: Vec<u8>,
}

struct Group<'p> {
    set: usize,
    keys: Node<'static>,
    states: Vec<State<'p>>,
    out: Vec<Node<'static>>,
    is_done: bool,
}

impl<'p> Groups<'p> {
    pub(super) fn new(grouping: &'p Grouping, inner: Option<&'p [Stage]>) -> Self {
        Self { grouping, inner, indices: HashMap::new(), groups: Vec::new(), scratch: Vec::new() }
    }

    /// Takes an item into its group of each grouping.
    pub(super) fn push(
        &mut self,
        item: &Node<'_>,
        setting: &Setting<'p>,
        budget: &mut Budget,
    ) -> Result<(), Excess> {
        let scope = Scope::new(setting.item(item), setting.environment);
        let meter = setting.environment.meter;
        for set in 0..self.grouping.len() {
            meter.step();
            meter.check()?;
            let index = self.group(set, &scope, setting, budget)?;
            let group = &mut self.groups[index];
            if let (Some(inner), false) = (self.inner, group.is_done) {
                let item = Cow::Borrowed(item);
                let Group { states, out, .. } = group;
                group.is_done = super::push(inner, states, item, setting, budget, out)?.is_break();
            }
        }
        Ok(())
    }

    /// The index of the group of an item, a new one if there is none yet.
    fn group(
        &mut self,
        set: usize,
        scope: &Scope<'_, '_>,
        setting: &Setting<'p>,
        budget: &mut Budget,
    ) -> Result<usize, Excess> {
        self.scratch.clear();
        self.grouping.push_identity(set, scope, &mut self.scratch);
        if let Some(index) = self.indices.get(&*self.scratch) {
            return Ok(*index);
        }
        budget.take_group()?;
        let keys = self.grouping.keys(set, scope);
        let states = super::states(self.inner.unwrap_or_default(), setting);
        let identity = self.scratch.len();
        setting.environment.meter.keep(
            size_of::<Group<'_>>() + size_of_val(states.as_slice()) + keys.heap_size() + identity,
        );
        let index = self.groups.len();
        self.groups.push(Group { set, keys, states, out: Vec::new(), is_done: false });
        self.indices.insert(self.scratch.as_slice().into(), index);
        Ok(index)
    }

    /// What the groups have become, the finest grouping first.
    pub(super) fn finish(
        mut self,
        setting: &Setting<'p>,
        budget: &mut Budget,
    ) -> Result<Vec<Node<'static>>, Excess> {
        // Stable, so that groups stay in the order in which they were met.
        self.groups.sort_by_key(|group| group.set);
        let mut items = Vec::new();
        for Group { keys, mut states, mut out, .. } in self.groups {
            let Some(inner) = self.inner else {
                budget.take_item()?;
                items.push(keys);
                continue;
            };
            super::finish(inner, &mut states, setting, budget, &mut out)?;
            items.extend(out.into_iter().map(|item| with_keys(&keys, item)));
        }
        Ok(items)
    }
}

/// An item with the keys of its group in front; one that still has them keeps its own.
fn with_keys(keys: &Node<'static>, item: Node<'static>) -> Node<'static> {
    let (Node::Object(keys), Node::Object(members)) = (keys, item) else { return Node::Null };
    let is_missing = |key: &&Member<'static>| members.iter().all(|member| member.name != key.name);
    let mut all: Vec<Member<'static>> = keys.iter().filter(is_missing).cloned().collect();
    all.extend(members);
    Node::Object(all)
}
