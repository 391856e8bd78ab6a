//! Nested options of `$expand` applied inside one item: collections of entities that stand in it
//! filtered, sorted and cut, others taken out.
//!
//! `$select` is not applied here; members that `$compute` adds are there for it.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::page::{Pager, Sieve, Window};
use super::value::actual_type;
use super::{Item, Searcher};
use crate::bound::{ExpandItem, ExpandKind, Query};
use crate::edm::{Property, Type};
use crate::json::{Member, Node, push_text, write_node};

/// The expansions of a query, prepared.
#[derive(Debug)]
pub struct Shaper<'q> {
    expansions: Vec<Expansion<'q>>,
}

#[derive(Debug)]
struct Expansion<'q> {
    item: &'q ExpandItem,
    sieve: Sieve,
    inner: Shaper<'q>,
}

/// A navigation property of an entity inside an answer.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// Where the entity itself stands; `None` for the one that is shaped.
    pub parent: Option<&'p Place<'p>>,
    /// The entity that has the property.
    pub owner: Item<'p>,
    /// What is expanded.
    pub expand: &'p ExpandItem,
}

/// What went into an expanded collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Items that are shown.
    pub shown: usize,
    /// Items that met the conditions, if they were counted.
    pub count: Option<u64>,
    /// There are more than fit, and `$top` allows them.
    pub has_more: bool,
}

/// Knows the addresses and sizes that an answer has around what is expanded.
pub trait Presenter {
    /// The most items of a collection that go inside; `None` for all.
    fn room(&self, _: &Place<'_>) -> Option<usize> {
        None
    }

    /// Whether a navigation property is shown though it isn't expanded.
    fn keeps(&self, _: &'static Property) -> bool {
        false
    }

    /// Adds what stands before an expanded property: its context.
    fn before(&mut self, place: &Place<'_>, members: &mut Members<'_>);

    /// Adds what stands behind an expanded collection: its next link.
    fn after(&mut self, place: &Place<'_>, found: Found, members: &mut Members<'_>);

    /// The address of an entity, for `/$ref`.
    fn reference(&mut self, place: &Place<'_>, entity: Item<'_>) -> String;
}

/// Appends members of an object.
#[derive(Debug)]
pub struct Members<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Members<'o> {
    /// At the start of an object whose brace stands already.
    fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, is_first: true }
    }

    /// Appends the name, made of parts that need no escapes; the value is the caller's to append.
    pub fn begin(&mut self, name: &[&str]) -> &mut Vec<u8> {
        self.out.extend_from_slice(if self.is_first { b"\"" } else { b",\"" });
        self.is_first = false;
        for part in name {
            self.out.extend_from_slice(part.as_bytes());
        }
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Appends a member whose value is text made of parts.
    pub fn text(&mut self, name: &[&str], text: &[&str]) {
        let out = self.begin(name);
        out.push(b'"');
        for part in text {
            push_text(out, part);
        }
        out.push(b'"');
    }
}

impl<'q> Shaper<'q> {
    /// Prepares the expansions of a query.
    pub fn new(query: &'q Query) -> Self {
        let expansion = |item: &'q ExpandItem| Expansion {
            item,
            sieve: Sieve::new(&item.query),
            inner: Self::new(&item.query),
        };
        Self { expansions: query.expand.iter().map(expansion).collect() }
    }

    /// Appends an item as an object.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        item: Item<'_>,
        searcher: &dyn Searcher,
        presenter: &mut dyn Presenter,
    ) {
        out.push(b'{');
        self.write_members(out, item, searcher, presenter);
        out.push(b'}');
    }

    /// Appends the members of an item.
    pub fn write_members(
        &self,
        out: &mut Vec<u8>,
        item: Item<'_>,
        searcher: &dyn Searcher,
        presenter: &mut dyn Presenter,
    ) {
        let mut pass = Pass { outermost: item, searcher, presenter };
        pass.members(self, item, None, &mut Members::new(out));
    }

    fn expands(&self, name: &str) -> bool {
        self.expansions.iter().any(|expansion| expansion.item.property.name == name)
    }
}

/// The shaping of one item and everything inside it.
struct Pass<'p> {
    outermost: Item<'p>,
    searcher: &'p dyn Searcher,
    presenter: &'p mut dyn Presenter,
}

/// An item of a collection: where it stands, or a copy if members were calculated for it.
type Chosen = (usize, Option<Node<'static>>);

impl Pass<'_> {
    fn members(
        &mut self,
        shaper: &Shaper<'_>,
        item: Item<'_>,
        parent: Option<&Place<'_>>,
        members: &mut Members<'_>,
    ) {
        for member in item.node.as_object().unwrap_or_default() {
            if self.stays(shaper, item, member) {
                write_node(members.begin(&[member.name.raw()]), &member.value);
            }
        }
        for expansion in &shaper.expansions {
            let place = Place { parent, owner: item, expand: expansion.item };
            let property = expansion.item.property;
            let value = item.node.get(property.name);
            if property.is_collection {
                let items = value.and_then(Node::as_array).unwrap_or_default();
                self.collection(expansion, items, &place, members);
            } else if expansion.item.kind != ExpandKind::Count {
                self.single(expansion, value, &place, members);
            }
        }
    }

    /// Whether a member is written as it is: everything but navigation properties and annotations
    /// of them.
    fn stays(&self, shaper: &Shaper<'_>, item: Item<'_>, member: &Member<'_>) -> bool {
        let Type::Structured(declared) = item.ty else { return true };
        let name = member.name.value();
        let target = name.split_once('@').map_or(&*name, |(target, _)| target);
        match actual_type(item.node, declared).property(target) {
            Some(property) if property.is_navigation => {
                !shaper.expands(target) && self.presenter.keeps(property)
            }
            _ => true,
        }
    }

    fn collection(
        &mut self,
        expansion: &Expansion<'_>,
        items: &[Node<'_>],
        place: &Place<'_>,
        members: &mut Members<'_>,
    ) {
        let ExpandItem { property, kind, query } = expansion.item;
        if *kind == ExpandKind::Count {
            let window = Window { room: 0, ..Window::ALL };
            let (_, matched) = self.choose(expansion, items, window);
            let count = matched.to_string();
            members.begin(&[property.name, "@odata.count"]).extend_from_slice(count.as_bytes());
            return;
        }
        let room = self.presenter.room(place).unwrap_or(usize::MAX);
        let (selection, _) = self.choose(expansion, items, Window::of(query, 0, room));
        let found = Found {
            shown: selection.items.len(),
            count: selection.count,
            has_more: selection.has_more,
        };
        self.presenter.before(place, members);
        if let Some(count) = found.count {
            let count = count.to_string();
            members.begin(&[property.name, "@odata.count"]).extend_from_slice(count.as_bytes());
        }
        let out = members.begin(&[property.name]);
        out.push(b'[');
        for (index, (number, copy)) in selection.items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let node = copy.as_ref().unwrap_or(&items[*number]);
            self.entity(expansion, node, place, out);
        }
        out.push(b']');
        self.presenter.after(place, found, members);
    }

    /// The items that go inside, and how many met the conditions.
    fn choose(
        &self,
        expansion: &Expansion<'_>,
        items: &[Node<'_>],
        window: Window,
    ) -> (super::page::Selection<Chosen>, usize) {
        let ExpandItem { property, kind, .. } = expansion.item;
        let has_copies = expansion.sieve.computes();
        let mut pager =
            Pager::new(&expansion.sieve, window, property.ty, self.searcher).inside(self.outermost);
        for (index, node) in items.iter().enumerate() {
            let keep = |node: &Node<'_>| (index, has_copies.then(|| node.clone().into_owned()));
            let flow = pager.offer(Cow::Borrowed(node), keep);
            if flow == ControlFlow::Break(()) && *kind != ExpandKind::Count {
                break;
            }
        }
        let matched = pager.matched();
        (pager.finish(), matched)
    }

    fn single(
        &mut self,
        expansion: &Expansion<'_>,
        value: Option<&Node<'_>>,
        place: &Place<'_>,
        members: &mut Members<'_>,
    ) {
        let property = expansion.item.property;
        self.presenter.before(place, members);
        match value {
            Some(node @ Node::Object(_)) if expansion.sieve.computes() => {
                let mut node = node.clone();
                let outermost = Some(self.outermost);
                expansion.sieve.compute(&mut node, property.ty, outermost, self.searcher);
                self.entity(expansion, &node, place, members.begin(&[property.name]));
            }
            Some(node @ Node::Object(_)) => {
                self.entity(expansion, node, place, members.begin(&[property.name]));
            }
            _ => members.begin(&[property.name]).extend_from_slice(b"null"),
        }
    }

    fn entity(
        &mut self,
        expansion: &Expansion<'_>,
        node: &Node<'_>,
        place: &Place<'_>,
        out: &mut Vec<u8>,
    ) {
        let item = Item { node, ty: expansion.item.property.ty };
        out.push(b'{');
        let mut members = Members::new(out);
        if expansion.item.kind == ExpandKind::Refs {
            let address = self.presenter.reference(place, item);
            members.text(&["@odata.id"], &[&address]);
        } else {
            self.members(&expansion.inner, item, Some(place), &mut members);
        }
        out.push(b'}');
    }
}
