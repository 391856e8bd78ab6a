//! Answers that are not a plain copy: selections, metadata levels and the other wishes a request
//! can have, in one pass over the assembled text.

mod full;

use std::borrow::Cow;

use odata::MetadataLevel;
use odata::bound::{Query, Select};
use odata::edm::{EnumType, Kind, Primitive, Property, StructuredType, Type};
use odata::json::{Member, Node, Text, write_node};

use crate::fragment::Corrupt;
use crate::generated;

/// The wishes of a request, and the settings that shape answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Control information.
    pub metadata: MetadataLevel,
    /// `Edm.Int64` and `Edm.Decimal` as strings.
    pub ieee754_compatible: bool,
    /// Leave out `null`, `""` and `[]`.
    pub omit_nulls: bool,
    /// Show enumeration members that stand behind the sentinel.
    pub unknown_enum_members: bool,
    /// Show the deprecated `organizer`, `participants` and `identity`.
    pub legacy_identities: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            metadata: MetadataLevel::Minimal,
            ieee754_compatible: false,
            omit_nulls: false,
            unknown_enum_members: false,
            legacy_identities: true,
        }
    }
}

impl Shape {
    /// Whether a plain copy has this shape already. `has_unsettled_enum` is whether the copy holds
    /// enumeration members that not everyone may see.
    pub fn is_plain(&self, has_unsettled_enum: bool) -> bool {
        let others = Self { unknown_enum_members: false, ..*self };
        others == Self::default() && (self.unknown_enum_members || !has_unsettled_enum)
    }
}

/// What an assembled answer holds.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The declared type of the value, or of the items of the collection.
    pub ty: Type,
    /// A collection (with `value`) rather than one entity.
    pub is_collection: bool,
    /// The path of the value or collection, as contexts write it.
    pub path: &'a str,
    /// The service root with the version and a closing slash, for links.
    pub root: &'a str,
}

/// Gives the assembled answer the wanted shape.
pub fn vary(
    text: &[u8],
    subject: &Subject<'_>,
    query: &Query,
    shape: &Shape,
) -> Result<Vec<u8>, Corrupt> {
    let mut members = members_of(text)?;
    let pass = Pass { shape, root: subject.root };
    match subject.ty {
        Type::Structured(ty) if !subject.is_collection => {
            pass.object(&mut members, ty, Some(query), query.select.as_ref(), subject.path);
        }
        _ => {
            pass.annotations(&mut members);
            for member in &mut members {
                if member.name.is("@odata.count") {
                    pass.quote_number(&mut member.value);
                }
                if !member.name.is("value") {
                    continue;
                }
                match &mut member.value {
                    Node::Array(items) if subject.is_collection => {
                        for item in items {
                            pass.item(item, subject, query);
                        }
                    }
                    value => pass.item(value, subject, query),
                }
            }
        }
    }
    Ok(written(members, text.len()))
}

/// Gives one item of a collection, as text with its braces, the wanted shape.
pub fn vary_item(
    text: &[u8],
    subject: &Subject<'_>,
    query: &Query,
    shape: &Shape,
) -> Result<Vec<u8>, Corrupt> {
    let mut item = Node::Object(members_of(text)?);
    Pass { shape, root: subject.root }.item(&mut item, subject, query);
    let mut out = Vec::with_capacity(text.len());
    write_node(&mut out, &item);
    Ok(out)
}

fn members_of(text: &[u8]) -> Result<Vec<Member<'_>>, Corrupt> {
    let text = std::str::from_utf8(text).map_err(|_| Corrupt)?;
    match Node::parse(text) {
        Ok(Node::Object(members)) => Ok(members),
        _ => Err(Corrupt),
    }
}

fn written(members: Vec<Member<'_>>, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    write_node(&mut out, &Node::Object(members));
    out
}

struct Pass<'a> {
    shape: &'a Shape,
    root: &'a str,
}

impl Pass<'_> {
    /// Shapes an item of a collection, or a value that is no object.
    fn item(&self, item: &mut Node<'_>, subject: &Subject<'_>, query: &Query) {
        let path = match item {
            Node::Object(members) => full::entity_path(subject.path, members),
            _ => String::new(),
        };
        self.value(item, subject.ty, Some(query), query.select.as_ref(), &path);
    }

    /// Shapes an object of type `declared`. `query` is given for entities, `select` also for
    /// complex values of which only some members are wanted.
    fn object(
        &self,
        members: &mut Vec<Member<'_>>,
        declared: &'static StructuredType,
        query: Option<&Query>,
        select: Option<&Select>,
        path: &str,
    ) {
        let ty = actual_type(members, declared);
        let is_entity = ty.kind == Kind::Entity
            && query.is_none_or(|query| query.apply.is_none())
            && members.iter().any(|member| member.name.is("id"));
        if let Some(select) = select {
            members.retain(|member| is_selected(member.name.raw(), ty, query, select));
        }
        for member in members.iter_mut() {
            let Some(property) = ty.member(&member.name.value()) else {
                if member.name.raw().ends_with("@odata.count") {
                    self.quote_number(&mut member.value);
                }
                continue;
            };
            if !self.shape.legacy_identities && is_legacy(ty, property) {
                member.value = odata::canonical::absent(property);
            }
            let chosen = select.and_then(|select| select.find_of(property.name, ty));
            let inner = chosen.and_then(|member| member.select.as_ref());
            self.property(&mut member.value, property, query, inner, path);
        }
        self.calculated(members, ty, query);
        if self.shape.omit_nulls {
            members.retain(|member| !is_empty(&member.value));
            drop_orphans(members);
        }
        self.annotations(members);
        if self.shape.metadata == MetadataLevel::Full {
            let place = is_entity.then_some(full::Place { path, root: self.root });
            full::annotate(members, ty, place, |property| {
                select.is_none_or(|select| is_selected(property.name, ty, query, select))
            });
        }
    }

    /// Writes the numbers that the query made as the form wants them, with a type where JSON tells none.
    fn calculated(
        &self,
        members: &mut Vec<Member<'_>>,
        ty: &'static StructuredType,
        query: Option<&Query>,
    ) {
        let (true, Some(query)) = (self.shape.ieee754_compatible, query) else { return };
        let mut at = 0;
        while let Some(member) = members.get(at) {
            let name = member.name.value().into_owned();
            let is_number = matches!(member.value, Node::Number(_)) && !name.contains('@');
            let wide = [Primitive::Int64, Primitive::Decimal].map(Type::Primitive);
            let found = (is_number && ty.member(&name).is_none())
                .then(|| query.calculated(&name).filter(|ty| wide.contains(ty)));
            let annotation = format!("{name}@odata.type");
            let stated = members.iter().find(|member| member.name.is(&annotation));
            let is_integer = stated.is_some_and(|stated| is_text(&stated.value, "#Int64"));
            if found.is_some_and(|found| found.is_some() || is_integer) {
                let is_stated = stated.is_some();
                self.quote_number(&mut members[at].value);
                if !is_stated {
                    members.insert(at, full::string(&annotation, "#Decimal".to_owned()));
                    at += 1;
                }
            }
            at += 1;
        }
    }

    fn property(
        &self,
        node: &mut Node<'_>,
        property: &'static Property,
        query: Option<&Query>,
        select: Option<&Select>,
        path: &str,
    ) {
        let nested = query.and_then(|query| query.expanded(property.name));
        let inner = if property.is_navigation {
            nested.and_then(|query| query.select.as_ref())
        } else {
            select
        };
        let path = match node {
            // It is an entity of its own, not a part of what leads to it.
            Node::Object(members) if property.name == crate::log::CALL_RECORD => {
                full::entity_path("communications/callRecords", members)
            }
            _ => format!("{path}/{}", property.name),
        };
        match node {
            Node::Array(items) => {
                for item in items {
                    let item_path = match item {
                        Node::Object(members) if property.is_navigation => {
                            full::entity_path(&path, members)
                        }
                        _ => path.clone(),
                    };
                    self.value(item, property.ty, nested, inner, &item_path);
                }
            }
            node => self.value(node, property.ty, nested, inner, &path),
        }
    }

    fn value(
        &self,
        node: &mut Node<'_>,
        ty: Type,
        query: Option<&Query>,
        select: Option<&Select>,
        path: &str,
    ) {
        match (ty, node) {
            (Type::Structured(ty), Node::Object(members)) => {
                self.object(members, ty, query, select, path);
            }
            (Type::Enum(ty), Node::String(text))
                if !self.shape.unknown_enum_members
                    && ty.is_evolvable()
                    && !ty.is_settled(text.raw()) =>
            {
                *text = Text::plain(EnumType::SENTINEL);
            }
            (Type::Primitive(Primitive::Int64 | Primitive::Decimal), node) => {
                self.quote_number(node);
            }
            _ => {}
        }
    }

    fn quote_number(&self, node: &mut Node<'_>) {
        if let (true, Node::Number(digits)) = (self.shape.ieee754_compatible, &*node) {
            *node = Node::String(Text::owned(digits.clone().into_owned()));
        }
    }

    fn annotations(&self, members: &mut Vec<Member<'_>>) {
        if self.shape.metadata == MetadataLevel::None {
            members.retain(|member| {
                let term = member.name.raw().split_once("@odata.").map(|(_, term)| term);
                matches!(term, None | Some("nextLink" | "count"))
            });
        }
    }
}

/// Whether a member stays when only `select` is wanted. What is expanded stays anyway.
fn is_selected(
    name: &str,
    ty: &'static StructuredType,
    query: Option<&Query>,
    select: &Select,
) -> bool {
    let (target, is_annotation) = match name.split_once('@') {
        Some(("", _)) => return true,
        Some((target, _)) => (target, true),
        None => (name, false),
    };
    let is_navigation = ty.member(target).is_some_and(|property| property.is_navigation);
    if is_navigation {
        // However it is shown: a count alone is an annotation of what is not there.
        let is_expanded =
            query.is_some_and(|query| query.expand.iter().any(|item| item.property.name == target));
        return is_expanded || select.all || select.find_of(target, ty).is_some();
    }
    debug_assert!(!is_annotation || !target.is_empty(), "an annotation without a target stays");
    select.all || select.find_of(target, ty).is_some()
}

fn is_legacy(ty: &StructuredType, property: &Property) -> bool {
    let is = |other: &'static StructuredType| std::ptr::eq(ty, other);
    is(&generated::CALL_RECORD) && matches!(property.name, "organizer" | "participants")
        || (is(&generated::PARTICIPANT_ENDPOINT) || is(&generated::LEG_ROW))
            && property.name == "identity"
}

fn is_text(node: &Node<'_>, text: &str) -> bool {
    matches!(node, Node::String(found) if found.is(text))
}

fn is_empty(node: &Node<'_>) -> bool {
    match node {
        Node::Null => true,
        Node::String(text) => text.raw().is_empty(),
        Node::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Drops contexts of members that are gone; next links stay.
fn drop_orphans(members: &mut Vec<Member<'_>>) {
    let names: Vec<String> = members.iter().map(|member| member.name.raw().to_owned()).collect();
    members.retain(|member| match member.name.raw().split_once("@odata.context") {
        Some((target, _)) if !target.is_empty() => names.iter().any(|name| name == target),
        _ => true,
    });
}

fn actual_type(
    members: &[Member<'_>],
    declared: &'static StructuredType,
) -> &'static StructuredType {
    let stated = members.iter().take(2).find(|member| member.name.is("@odata.type"));
    let name: Option<Cow<'_, str>> =
        stated.and_then(|member| member.value.as_text()).map(Text::value);
    name.and_then(|name| declared.find_derived(name.trim_start_matches('#'))).unwrap_or(declared)
}
