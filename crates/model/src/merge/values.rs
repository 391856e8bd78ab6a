//! Two values of the same place.

use std::collections::BTreeSet;

use odata::edm::{EnumType, Property, StructuredType, Type};
use odata::json::{Member, Node, Pointer, Text};
use odata::primitive::DateTimeOffset;

/// Both sides state a value and the two differ.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) pointer: String,
}

impl Conflict {
    pub(super) fn at(at: &Pointer<'_>) -> Self {
        Self { pointer: at.to_string() }
    }
}

/// Merges `new` into `old`, both of type `ty`; whether that changed anything.
pub(super) fn merge_members<'a>(
    old: &mut Vec<Member<'a>>,
    new: Vec<Member<'a>>,
    ty: &'static StructuredType,
    at: &Pointer<'_>,
) -> Result<bool, Conflict> {
    let ty = actual_type(old, ty);
    let mut is_changed = false;
    for member in new {
        let name = member.name.value().into_owned();
        let at = Pointer::Member(at, &name);
        let property = ty.member(&name);
        let Some(slot) = old.iter_mut().find(|slot| slot.name == member.name) else {
            // A type that was only told this time says nothing new about the value.
            if name != "@odata.type" {
                is_changed |= !is_blank(&member.value, property);
                old.push(member);
            }
            continue;
        };
        is_changed |= merge_value(&mut slot.value, member.value, property, &at)?;
    }
    Ok(is_changed)
}

/// Whether `new` states nothing that `made`, which was derived, does not say.
pub(super) fn says_the_same(made: &Node<'_>, new: &Node<'_>) -> bool {
    let mut merged = made.clone();
    matches!(merge_value(&mut merged, new.clone(), None, &Pointer::Root), Ok(false))
}

fn merge_value<'a>(
    old: &mut Node<'a>,
    new: Node<'a>,
    property: Option<&'static Property>,
    at: &Pointer<'_>,
) -> Result<bool, Conflict> {
    if is_blank(&new, property) {
        let says_more = matches!(old, Node::Null) && !matches!(new, Node::Null);
        if says_more {
            *old = new;
        }
        return Ok(says_more);
    }
    if is_blank(old, property) {
        *old = new;
        return Ok(true);
    }
    match (old, new) {
        (Node::Object(old), Node::Object(new)) => {
            let ty = property.and_then(|property| match property.ty {
                Type::Structured(ty) => Some(ty),
                _ => None,
            });
            merge_members(old, new, ty.unwrap_or(&UNTYPED), at)
        }
        (Node::Array(old), Node::Array(new)) => merge_arrays(old, new, property, at),
        (old, new) => {
            if is_same(old, &new) {
                Ok(false)
            } else {
                Err(Conflict::at(at))
            }
        }
    }
}

/// Entities are matched by id, values that are only names form a set, all else goes by position.
fn merge_arrays<'a>(
    old: &mut Vec<Node<'a>>,
    new: Vec<Node<'a>>,
    property: Option<&'static Property>,
    at: &Pointer<'_>,
) -> Result<bool, Conflict> {
    if property.is_some_and(|property| property.is_navigation) {
        return merge_entities(old, new, property, at);
    }
    if property.is_some_and(|property| matches!(property.ty, Type::Enum(_))) {
        return if names(old) == names(&new) { Ok(false) } else { Err(Conflict::at(at)) };
    }
    if old.len() != new.len() {
        return Err(Conflict::at(at));
    }
    let mut is_changed = false;
    for (index, (old, new)) in old.iter_mut().zip(new).enumerate() {
        is_changed |= merge_value(old, new, property, &Pointer::Item(at, index))?;
    }
    Ok(is_changed)
}

fn merge_entities<'a>(
    old: &mut Vec<Node<'a>>,
    new: Vec<Node<'a>>,
    property: Option<&'static Property>,
    at: &Pointer<'_>,
) -> Result<bool, Conflict> {
    if old.len() != new.len() {
        return Err(Conflict::at(at));
    }
    let mut is_changed = false;
    for (index, item) in new.into_iter().enumerate() {
        let at = Pointer::Item(at, index);
        let key = |node: &Node<'_>| {
            node.get("id").and_then(Node::as_text).map(|id| crate::key::key(&id.value()))
        };
        let wanted = key(&item);
        let Some(slot) = old.iter_mut().find(|slot| key(slot) == wanted) else {
            return Err(Conflict::at(&at));
        };
        is_changed |= merge_value(slot, item, property, &at)?;
    }
    Ok(is_changed)
}

fn names<'n>(nodes: &'n [Node<'_>]) -> BTreeSet<&'n str> {
    nodes.iter().filter_map(Node::as_text).map(Text::raw).collect()
}

/// Whether a value states nothing.
fn is_blank(node: &Node<'_>, property: Option<&'static Property>) -> bool {
    match node {
        Node::Null => true,
        Node::Array(items) => items.is_empty(),
        Node::String(text) if text.raw().is_empty() => true,
        Node::String(text) => property.is_some_and(|property| {
            property.default == Some(text.raw())
                || matches!(property.ty, Type::Enum(_)) && text.raw() == EnumType::SENTINEL
        }),
        _ => false,
    }
}

fn is_same(old: &Node<'_>, new: &Node<'_>) -> bool {
    match (old, new) {
        (Node::Number(old), Node::Number(new)) => {
            old == new || (old.len() < 16 && new.len() < 16 && old.parse::<f64>() == new.parse())
        }
        (Node::String(old), Node::String(new)) if old != new => {
            let is_key =
                old.raw().len() == 36 && crate::key::key(old.raw()) == crate::key::key(new.raw());
            let instant = DateTimeOffset::parse(old.raw());
            is_key || instant.is_some() && instant == DateTimeOffset::parse(new.raw())
        }
        (old, new) => old == new,
    }
}

fn actual_type(
    members: &[Member<'_>],
    declared: &'static StructuredType,
) -> &'static StructuredType {
    let stated = members.first().filter(|member| member.name.is("@odata.type"));
    let name = stated.and_then(|member| member.value.as_text());
    name.and_then(|name| declared.find_derived(name.raw().trim_start_matches('#')))
        .unwrap_or(declared)
}

/// Stands for the type of what no schema describes.
static UNTYPED: StructuredType = StructuredType {
    name: "Edm.Untyped",
    kind: odata::edm::Kind::Complex,
    base: None,
    derived: &[],
    is_abstract: false,
    is_open: true,
    properties: &[],
    dynamic: &[],
    description: "",
    is_served: false,
};
