//! `groupby`, with `rollup`: a chain of transformations for each combination of values.

use std::collections::HashMap;

use super::identity::push_identity;
use super::plan::Stage;
use super::run::{self, Budget, State};
use super::{Excess, Setting};
use crate::bound::{GroupKey, Path, PathStep, Ty};
use crate::edm::StructuredType;
use crate::eval::path::Way;
use crate::eval::{HeapSize, Scope};
use crate::json::{Member, Node, Text};

/// Groupings that roll-ups may multiply to.
const MOST_GROUPINGS: usize = 256;

/// A prepared `groupby`.
#[derive(Debug)]
pub(super) struct Grouping {
    keys: Vec<KeyPath>,
    /// The keys that are grouped by together, by index; several with roll-ups.
    sets: Vec<Vec<usize>>,
    /// What becomes of each group; `None` for nothing but its keys.
    inner: Option<Vec<Stage>>,
}

#[derive(Debug)]
struct KeyPath {
    way: Way,
    names: Vec<(String, Option<&'static StructuredType>)>,
}

/// The groups met so far.
pub(super) struct Groups<'p> {
    grouping: &'p Grouping,
    found: HashMap<Box<[u8]>, usize>,
    groups: Vec<Group<'p>>,
    scratch: Vec<u8>,
}

struct Group<'p> {
    set: usize,
    keys: Node<'static>,
    states: Vec<State<'p>>,
    out: Vec<Node<'static>>,
    is_done: bool,
}

impl Grouping {
    pub(super) fn new(asked: &[GroupKey], inner: Option<Vec<Stage>>) -> Result<Self, Excess> {
        let mut keys = Vec::new();
        let mut sets = vec![Vec::new()];
        for key in asked {
            let first = keys.len();
            let (paths, fewest) = match key {
                GroupKey::Path(path) => (std::slice::from_ref(path), 1),
                GroupKey::Rollup { paths, all } => (&**paths, usize::from(!all).min(paths.len())),
            };
            keys.extend(paths.iter().map(KeyPath::new));
            let levels = (fewest..=paths.len()).rev();
            let extended = |level: usize, set: &[usize]| -> Vec<usize> {
                set.iter().copied().chain(first..first + level).collect()
            };
            sets = sets
                .iter()
                .flat_map(|set| levels.clone().map(|level| extended(level, set)))
                .collect();
            if sets.len() > MOST_GROUPINGS {
                return Err(Excess::TooManyGroupings(MOST_GROUPINGS));
            }
        }
        Ok(Self { keys, sets, inner })
    }
}

/// The keys of a group, nested as in their paths, for whoever knows their values.
pub fn group_keys<'k>(
    keys: impl IntoIterator<Item = (&'k Path, Node<'static>)>,
) -> Vec<Member<'static>> {
    let mut nested = Node::Object(Vec::new());
    for (path, value) in keys {
        graft(&mut nested, &names(path), value);
    }
    match nested {
        Node::Object(members) => members,
        _ => Vec::new(),
    }
}

/// The names on a path, each with the type that it is cast to.
fn names(path: &Path) -> Vec<(String, Option<&'static StructuredType>)> {
    let mut names: Vec<(String, Option<&'static StructuredType>)> = Vec::new();
    for step in &path.steps {
        match step {
            PathStep::Property(property) => names.push((property.name.to_owned(), None)),
            PathStep::Member(name) => names.push((name.clone(), None)),
            PathStep::Cast(ty) => {
                if let Some((_, cast)) = names.last_mut() {
                    *cast = Some(ty);
                }
            }
            _ => {}
        }
    }
    names
}

impl KeyPath {
    fn new(path: &Path) -> Self {
        Self { way: Way::new(path, Ty::Dynamic), names: names(path) }
    }
}

impl<'p> Groups<'p> {
    pub(super) fn new(grouping: &'p Grouping) -> Self {
        Self { grouping, found: HashMap::new(), groups: Vec::new(), scratch: Vec::new() }
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
        for set in 0..self.grouping.sets.len() {
            meter.step();
            meter.check()?;
            let index = self.group(set, &scope, setting, budget)?;
            let group = &mut self.groups[index];
            if let (Some(inner), false) = (&self.grouping.inner, group.is_done) {
                let item = std::borrow::Cow::Borrowed(item);
                let Group { states, out, .. } = group;
                group.is_done = run::push(inner, states, item, setting, budget, out)?.is_break();
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
        let grouping = self.grouping;
        self.scratch.clear();
        self.scratch.extend_from_slice(&(set as u32).to_be_bytes());
        for key in &grouping.sets[set] {
            push_identity(&mut self.scratch, &grouping.keys[*key].way.value(scope));
        }
        if let Some(index) = self.found.get(&*self.scratch) {
            return Ok(*index);
        }
        budget.take_group()?;
        let mut keys = Node::Object(Vec::new());
        for key in &grouping.sets[set] {
            let KeyPath { way, names } = &grouping.keys[*key];
            let value = way.node(scope).map_or(Node::Null, |item| item.node.clone().into_owned());
            graft(&mut keys, names, value);
        }
        let states = run::states(grouping.inner.as_deref().unwrap_or_default(), setting);
        let identity = self.scratch.len();
        setting.environment.meter.keep(
            size_of::<Group<'_>>() + size_of_val(states.as_slice()) + keys.heap_size() + identity,
        );
        let index = self.groups.len();
        self.groups.push(Group { set, keys, states, out: Vec::new(), is_done: false });
        self.found.insert(self.scratch.as_slice().into(), index);
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
            let Some(inner) = &self.grouping.inner else {
                budget.take_item()?;
                items.push(keys);
                continue;
            };
            run::finish(inner, &mut states, setting, budget, &mut out)?;
            items.extend(out.into_iter().map(|item| with_keys(&keys, item)));
        }
        Ok(items)
    }
}

/// Puts a value where a path leads to, making the objects on the way. They are of the types that
/// the path casts to, unless the value is null: then the item may have been of another.
fn graft(
    node: &mut Node<'static>,
    names: &[(String, Option<&'static StructuredType>)],
    value: Node<'static>,
) {
    let (Node::Object(members), [(name, cast), rest @ ..]) = (node, names) else { return };
    if rest.is_empty() {
        let known = members.iter().any(|member| member.name.is(name));
        // Paths that lead here by different casts: all but one are null.
        if !known || !matches!(value, Node::Null) {
            members.retain(|member| !member.name.is(name));
            members.push(Member { name: Text::of(name), value });
        }
        return;
    }
    let index = members.iter().position(|member| member.name.is(name)).unwrap_or_else(|| {
        members.push(Member { name: Text::of(name), value: Node::Object(Vec::new()) });
        members.len() - 1
    });
    let inner = &mut members[index].value;
    if let (Some(ty), Node::Object(inner)) = (cast, &mut *inner)
        && !matches!(value, Node::Null)
        && !inner.iter().any(|member| member.name.is("@odata.type"))
    {
        let stated = Node::String(Text::owned(format!("#{}", ty.name)));
        inner.insert(0, Member { name: Text::plain("@odata.type"), value: stated });
    }
    graft(inner, rest, value);
}

/// An item with the keys of its group in front; one that still has them keeps its own.
fn with_keys(keys: &Node<'static>, item: Node<'static>) -> Node<'static> {
    let (Node::Object(keys), Node::Object(members)) = (keys, item) else { return Node::Null };
    let is_missing = |key: &&Member<'static>| members.iter().all(|member| member.name != key.name);
    let mut all: Vec<Member<'static>> = keys.iter().filter(is_missing).cloned().collect();
    all.extend(members);
    Node::Object(all)
}
