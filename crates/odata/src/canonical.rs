//! JSON checked against a type and put in canonical form.
//!
//! In canonical form a value says its type where that cannot be told from its place, members stay
//! in the order in which they came, declared members that were missing follow in the type's order
//! as `null`, `[]` or their default (a null that came stays one, but for collections), and control information that an answer writes anew (contexts,
//! links, counts; OData JSON Format section 4.6) is gone. Nothing else is lost: members that the
//! type does not declare stay as they are.

mod value;

use std::fmt;

use crate::edm::{EnumType, Property, StructuredType, Type};
use crate::json::{Member, Node, Pointer, Text};
use crate::suggest::within;

/// A value that its type does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// JSON Pointer (RFC 6901) to the value.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// A member of an evolvable enumeration that nothing declares, or a member of an object or a type that nothing
/// declares and that is nearly named as one that may stand there. It is kept, since services add members
/// without notice, but it may be misspelt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndeclaredName {
    /// JSON Pointer (RFC 6901) to the first value that has it.
    pub pointer: String,
    /// What it names.
    pub kind: NameKind,
    /// The name as it came.
    pub name: String,
    /// Name of the enumeration, or of the object's type.
    pub ty: &'static str,
    /// The declared name that was probably meant.
    pub meant: Option<&'static str>,
}

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A member of an enumeration or of an object.
    Member,
    /// The type of an object.
    Type,
}

impl fmt::Display for UndeclaredName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            NameKind::Member => "member",
            NameKind::Type => "type",
        };
        write!(f, "'{}' is not a declared {what} of {}", self.name, self.ty)?;
        match self.meant {
            Some(meant) => write!(f, "; did you mean '{meant}'? It is kept as it is"),
            None => f.write_str("; it is kept as it is"),
        }
    }
}

/// Most undeclared names that are told of one text. Others are kept as well.
const MOST_UNDECLARED: usize = 8;

/// Undeclared members of objects of one text that are compared with the declared ones, at most: others are
/// kept without a word.
const MOST_COMPARED: usize = 256;

/// Members of objects with fewer letters are too easily like another.
const SHORTEST_MEMBER: usize = 3;

/// A member of an object is misspelt if it differs by at most one letter in so many, since services add members
/// that are nearly named as others.
const LETTERS_PER_SLIP: usize = 5;

/// Letters by which a misspelt member differs from the one that was meant, at most.
pub(crate) const MISSPELT_LETTERS: usize = 2;

/// Tells the type of an object that does not say it, where the declared type has derived ones.
pub type Resolve = fn(&'static StructuredType, &[Member<'_>]) -> Option<&'static StructuredType>;

/// Checks values and brings them into canonical form.
#[derive(Debug)]
pub struct Canonicaliser {
    resolve: Resolve,
    has_unsettled_enum: bool,
    undeclared: Vec<UndeclaredName>,
    /// How many members may still be compared with declared ones.
    compared_left: usize,
}

/// More declared properties than this in one type would not fit the set of those that were seen.
const MOST_PROPERTIES: usize = 64;

impl Canonicaliser {
    /// With the service's own rule for objects that do not say their type.
    pub fn new(resolve: Resolve) -> Self {
        let undeclared = Vec::new();
        Self { resolve, has_unsettled_enum: false, undeclared, compared_left: MOST_COMPARED }
    }

    /// Whether an enumeration member was met that is not declared before the sentinel.
    pub fn has_unsettled_enum(&self) -> bool {
        self.has_unsettled_enum
    }

    /// The undeclared names that were met, each once.
    pub fn into_undeclared(self) -> Vec<UndeclaredName> {
        self.undeclared
    }

    /// Brings the members of an object of type `declared` (or a derived one) into canonical form
    /// and returns the type that they turned out to have. Navigation properties are not filled in.
    pub fn object(
        &mut self,
        members: &mut Vec<Member<'_>>,
        declared: &'static StructuredType,
        at: &Pointer<'_>,
    ) -> Result<&'static StructuredType, Mismatch> {
        drop_control_information(members);
        let ty = self.settle_type(members, declared, at)?;
        debug_assert!(
            ty.properties.len() <= MOST_PROPERTIES,
            "{} has too many properties",
            ty.name
        );
        let mut seen: u64 = 0;
        let mut expected = 0;
        let mut has_unknown = false;
        for member in members.iter_mut() {
            let Some(index) = find(ty, &member.name, expected) else {
                has_unknown |= !self.dynamic_member(member, ty, at)?;
                continue;
            };
            seen |= 1 << index;
            expected = index + 1;
            let property = &ty.properties[index];
            self.property(&mut member.value, property, &Pointer::Member(at, property.name))?;
        }
        if has_unknown {
            self.note_misspelt(members, (ty, seen), at);
        }
        let missing = ty.properties.iter().enumerate();
        for (index, property) in missing {
            if seen & (1 << index) == 0 && !property.is_navigation {
                let name = Text::plain(property.name);
                members.push(Member { name, value: absent(property) });
            }
        }
        Ok(ty)
    }

    fn settle_type(
        &mut self,
        members: &mut Vec<Member<'_>>,
        declared: &'static StructuredType,
        at: &Pointer<'_>,
    ) -> Result<&'static StructuredType, Mismatch> {
        let stated = members.iter().position(|member| is_type(member.name.raw()));
        if let Some(index) = stated {
            let name = match &members[index].value {
                Node::String(text) => text.value().into_owned(),
                other => {
                    let message = format!("expected the name of a type, found {}", other.kind());
                    let at = Pointer::Member(at, "@odata.type");
                    return Err(Mismatch { pointer: at.to_string(), message });
                }
            };
            members[..=index].rotate_right(1);
            members[0].name = Text::plain("@odata.type");
            let found = declared.find_derived(name.trim_start_matches('#'));
            if found.is_none() {
                self.note_type(&name, declared, at);
            }
            return Ok(found.unwrap_or(declared));
        }
        if declared.derived.is_empty() {
            return Ok(declared);
        }
        let Some(ty) = (self.resolve)(declared, members) else { return Ok(declared) };
        let value = Node::String(Text::owned(format!("#{}", ty.name)));
        members.insert(0, Member { name: Text::plain("@odata.type"), value });
        Ok(ty)
    }

    /// Checks a member that is not declared; whether it is one that is known nevertheless, or control
    /// information.
    fn dynamic_member(
        &mut self,
        member: &mut Member<'_>,
        ty: &'static StructuredType,
        at: &Pointer<'_>,
    ) -> Result<bool, Mismatch> {
        let Some(property) = ty.dynamic.iter().find(|property| member.name.is(property.name))
        else {
            return Ok(member.name.raw().contains('@'));
        };
        if !matches!(member.value, Node::Null) {
            self.property(&mut member.value, property, &Pointer::Member(at, property.name))?;
        }
        Ok(true)
    }

    /// Notes the members of an object that are not declared, and nearly named as a property that the object
    /// does not have otherwise.
    fn note_misspelt(
        &mut self,
        members: &[Member<'_>],
        (ty, seen): (&'static StructuredType, u64),
        at: &Pointer<'_>,
    ) {
        let is_known = |name: &Text<'_>| {
            let mut known = ty.properties.iter().chain(ty.dynamic);
            name.raw().contains('@') || known.any(|property| name.is(property.name))
        };
        for Member { name, .. } in members.iter().filter(|member| !is_known(&member.name)) {
            if !self.compares() {
                return;
            }
            let name = name.value();
            if name.len() < SHORTEST_MEMBER {
                continue;
            }
            let lacking = ty.properties.iter().enumerate();
            let lacking = lacking.filter(|(index, _)| seen & (1 << index) == 0);
            let lacking = lacking.map(|(_, property)| property.name);
            let most = (name.len() / LETTERS_PER_SLIP).clamp(1, MISSPELT_LETTERS);
            if let Some(meant) = within(most, &name, lacking) {
                let at = Pointer::Member(at, &name);
                self.note((NameKind::Member, &name), (ty.name, Some(meant)), &at);
            }
        }
    }

    /// Notes the name of a type that is nearly that of one which may stand there.
    fn note_type(&mut self, name: &str, declared: &'static StructuredType, at: &Pointer<'_>) {
        if !self.compares() {
            return;
        }
        let known = declared.derived.iter().map(|ty| ty.name);
        if let Some(meant) = nearest_type(name.trim_start_matches('#'), known) {
            let at = Pointer::Member(at, "@odata.type");
            self.note((NameKind::Type, name), (declared.name, Some(meant)), &at);
        }
    }

    /// Whether one more name may be compared with the declared ones; counts it.
    fn compares(&mut self) -> bool {
        if self.compared_left == 0 || self.undeclared.len() == MOST_UNDECLARED {
            return false;
        }
        self.compared_left -= 1;
        true
    }

    /// Notes a name, with what declares no such one and what was probably meant, unless it is noted or many are.
    fn note(
        &mut self,
        (kind, name): (NameKind, &str),
        (ty, meant): (&'static str, Option<&'static str>),
        at: &Pointer<'_>,
    ) {
        let is_noted =
            |noted: &UndeclaredName| noted.kind == kind && noted.name == name && noted.ty == ty;
        if self.undeclared.len() < MOST_UNDECLARED && !self.undeclared.iter().any(is_noted) {
            let (pointer, name) = (at.to_string(), name.to_owned());
            self.undeclared.push(UndeclaredName { pointer, kind, name, ty, meant });
        }
    }

    fn property(
        &mut self,
        node: &mut Node<'_>,
        property: &'static Property,
        at: &Pointer<'_>,
    ) -> Result<(), Mismatch> {
        if matches!(node, Node::Null) {
            // What was told stays told, but a collection is never null (CSDL section 8.2).
            if property.is_collection && !property.is_navigation {
                *node = absent(property);
            }
            return Ok(());
        }
        if !property.is_collection {
            return self.single(node, property.ty, at);
        }
        let Node::Array(items) = node else { return Err(mismatch(at, "an array", node)) };
        for (index, item) in items.iter_mut().enumerate() {
            if !matches!(item, Node::Null) {
                self.single(item, property.ty, &Pointer::Item(at, index))?;
            }
        }
        Ok(())
    }

    fn single(&mut self, node: &mut Node<'_>, ty: Type, at: &Pointer<'_>) -> Result<(), Mismatch> {
        match ty {
            Type::Primitive(primitive) => value::check(node, primitive, at),
            Type::Enum(ty) => self.enumeration(node, ty, at),
            Type::Structured(ty) => match node {
                Node::Object(members) => self.object(members, ty, at).map(drop),
                other => Err(mismatch(at, "an object", other)),
            },
            Type::Undeclared(_) => Ok(()),
        }
    }

    /// An evolvable enumeration takes any identifier: Graph adds members without notice.
    fn enumeration(
        &mut self,
        node: &Node<'_>,
        ty: &'static EnumType,
        at: &Pointer<'_>,
    ) -> Result<(), Mismatch> {
        let Node::String(text) = node else {
            return Err(mismatch(at, "the name of an enumeration member", node));
        };
        let name = text.raw();
        if ty.is_settled(name) || name == EnumType::SENTINEL && ty.is_evolvable() {
            return Ok(());
        }
        let is_identifier = !name.is_empty()
            && name.len() <= 128
            && !name.as_bytes()[0].is_ascii_digit()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !ty.is_evolvable() || !is_identifier {
            let known = ty.members.iter().map(|(known, _)| *known);
            let meant = within(MISSPELT_LETTERS, name, known);
            let meant = match meant {
                Some(meant) => format!("; did you mean '{meant}'?"),
                None => format!(", which has {}", ty.listed()),
            };
            let message = format!("'{}' is not a member of {}{meant}", text.value(), ty.name);
            return Err(Mismatch { pointer: at.to_string(), message });
        }
        self.has_unsettled_enum = true;
        self.note_undeclared(name, ty, at);
        Ok(())
    }

    fn note_undeclared(&mut self, name: &str, ty: &'static EnumType, at: &Pointer<'_>) {
        let known = || ty.members.iter().map(|(known, _)| *known);
        if self.undeclared.len() < MOST_UNDECLARED && !known().any(|it| it == name) {
            let meant = within(MISSPELT_LETTERS, name, known());
            self.note((NameKind::Member, name), (ty.name, meant), at);
        }
    }
}

/// The type whose name differs by at most as many letters behind the namespace as a misspelt member's.
fn nearest_type<'t>(name: &str, known: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let short = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let wanted = short(name);
    let mut known = known;
    known.find(|known| within(MISSPELT_LETTERS, &wanted, [short(known).as_str()]).is_some())
}

/// What stands for a declared property that an instance does not mention.
pub fn absent(property: &Property) -> Node<'static> {
    if property.is_collection {
        Node::Array(Vec::new())
    } else {
        property.default.map_or(Node::Null, |text| Node::String(Text::plain(text)))
    }
}

/// Whether the name is control information that answers write anew.
pub fn is_control_information(name: &str) -> bool {
    // Asked of every member of every record, and true of few.
    if !name.as_bytes().contains(&b'@') {
        return false;
    }
    let Some((target, term)) = name.split_once('@') else { return false };
    let term = term.strip_prefix("odata.").unwrap_or(term);
    match term {
        "type" => !target.is_empty(),
        // In an answer it says that this item can't be shown.
        "error" => target.is_empty(),
        "context" | "nextLink" | "deltaLink" | "count" | "id" | "etag" | "editLink"
        | "readLink" | "navigationLink" | "associationLink" | "metadataEtag" | "mediaReadLink"
        | "mediaEditLink" | "mediaContentType" | "mediaEtag" => true,
        _ => false,
    }
}

fn is_type(name: &str) -> bool {
    name == "@odata.type" || name == "@type"
}

fn drop_control_information(members: &mut Vec<Member<'_>>) {
    if members.iter().any(|member| is_control_information(member.name.raw())) {
        members.retain(|member| !is_control_information(member.name.raw()));
    }
}

/// The index of the property with that name; looked for first where the order of the type
/// suggests it, since nearly all records come in that order.
fn find(ty: &StructuredType, name: &Text<'_>, expected: usize) -> Option<usize> {
    if ty.properties.get(expected).is_some_and(|property| name.is(property.name)) {
        return Some(expected);
    }
    ty.properties.iter().position(|property| name.is(property.name))
}

fn mismatch(at: &Pointer<'_>, expected: &str, found: &Node<'_>) -> Mismatch {
    let message = format!("expected {expected}, found {}", found.kind());
    Mismatch { pointer: at.to_string(), message }
}
