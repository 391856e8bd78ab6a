//! The keys of `groupby`, with `rollup`: which groups an item belongs to.

use super::Excess;
use super::identity::push_identity;
use crate::bound::{GroupKey, Path, PathStep, Ty};
use crate::edm::StructuredType;
use crate::eval::json_form::{node_of, type_form};
use crate::eval::program::path::CompiledPath;
use crate::eval::{Scope, Value};
use crate::json::{Member, Node, Text};

/// Groupings that roll-ups may multiply to.
const MOST_GROUPINGS: usize = 256;

/// The prepared keys of a `groupby`.
#[derive(Debug)]
pub(super) struct Grouping {
    keys: Vec<KeyPath>,
    /// The keys that are grouped by together, by index; several with roll-ups.
    sets: Vec<Vec<usize>>,
}

#[derive(Debug)]
struct KeyPath {
    path: CompiledPath,
    names: Vec<KeyName>,
}

/// A name on the path of a key.
#[derive(Debug)]
struct KeyName {
    name: String,
    /// The type that the path casts the member to.
    cast: Option<&'static StructuredType>,
}

impl Grouping {
    /// Prepares keys.
    ///
    /// # Errors
    /// [`Excess::TooManyGroupings`] when roll-ups multiply to too many.
    pub(super) fn new(group_keys: &[GroupKey]) -> Result<Self, Excess> {
        let mut keys = Vec::new();
        let mut sets = vec![Vec::new()];
        for key in group_keys {
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
        Ok(Self { keys, sets })
    }

    /// How many groupings there are; one without roll-ups.
    pub(super) fn len(&self) -> usize {
        self.sets.len()
    }

    /// Appends bytes that are the same for the items of a group only.
    pub(super) fn push_identity(&self, set: usize, scope: &Scope<'_, '_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&(set as u32).to_be_bytes());
        for key in &self.sets[set] {
            push_identity(out, &self.keys[*key].path.value(scope));
        }
    }

    /// The keys of an item's group, nested as in their paths.
    pub(super) fn keys(&self, set: usize, scope: &Scope<'_, '_>) -> Node<'static> {
        let mut nested = Node::Object(Vec::new());
        for key in &self.sets[set] {
            let KeyPath { path, names } = &self.keys[*key];
            if let ([KeyName { name, .. }], Some(ty)) = (names.as_slice(), path.stated_type(scope))
            {
                state_type(&mut nested, name, ty);
            }
            let mut value = Node::Null;
            path.reach(scope, &mut |item| {
                value = item.map_or(Node::Null, |item| item.node.clone().into_owned());
            });
            graft(&mut nested, names, value);
        }
        nested
    }
}

/// The keys of a group with these values, nested as in their paths. What the model doesn't declare says its
/// type, as it does in an item.
pub fn group_keys<'k, 'v>(
    keys: impl IntoIterator<Item = (&'k Path, Value<'v>)>,
) -> Vec<Member<'static>> {
    let mut nested = Node::Object(Vec::new());
    for (path, value) in keys {
        if let ([PathStep::Member(name)], Some(ty)) = (path.steps.as_slice(), type_form(&value)) {
            state_type(&mut nested, name, Node::String(Text::owned(ty)));
        }
        graft(&mut nested, &names(path), node_of(&value));
    }
    match nested {
        Node::Object(members) => members,
        _ => Vec::new(),
    }
}

/// Says the type of a calculated key, before its value.
fn state_type(keys: &mut Node<'static>, name: &str, ty: Node<'static>) {
    let Node::Object(members) = keys else { return };
    let annotation = format!("{name}@odata.type");
    members.retain(|member| !member.name.is(&annotation));
    members.push(Member { name: Text::of(&annotation), value: ty });
}

/// The names on a path.
fn names(path: &Path) -> Vec<KeyName> {
    let mut names: Vec<KeyName> = Vec::new();
    let named = |name: &str| KeyName { name: name.to_owned(), cast: None };
    for step in &path.steps {
        match step {
            PathStep::Property(property) => names.push(named(property.name)),
            PathStep::Member(name) => names.push(named(name)),
            PathStep::Call(call) => names.push(named(&call.to_string())),
            PathStep::Cast(ty) => {
                if let Some(last) = names.last_mut() {
                    last.cast = Some(ty);
                }
            }
            _ => {}
        }
    }
    names
}

impl KeyPath {
    fn new(path: &Path) -> Self {
        Self { path: CompiledPath::new(path, Ty::Dynamic), names: names(path) }
    }
}

/// Puts a value where a path leads to, making the objects on the way. They are of the types that
/// the path casts to, unless the value is null: then the item may have been of another.
fn graft(node: &mut Node<'static>, names: &[KeyName], value: Node<'static>) {
    let (Node::Object(members), [KeyName { name, cast }, rest @ ..]) = (node, names) else {
        return;
    };
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
