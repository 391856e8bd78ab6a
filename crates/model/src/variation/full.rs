//! What `odata.metadata=full` adds (OData JSON Format section 4.6).

use odata::edm::{Primitive, Property, StructuredType, Type};
use odata::json::{Member, Node, Text};
use odata::key;

/// The path of an entity of the collection at `collection`.
pub(super) fn entity_path(collection: &str, members: &[Member<'_>]) -> String {
    let id = members.iter().find(|member| member.name.is("id"));
    match id.and_then(|member| member.value.as_text()) {
        Some(id) => format!("{collection}{}", key::in_parentheses(&id.value())),
        None => collection.to_owned(),
    }
}

/// Where an entity is.
pub(super) struct Place<'a> {
    /// Its path, as contexts write it.
    pub(super) path: &'a str,
    /// The service root with the version and a closing slash.
    pub(super) root: &'a str,
}

/// Adds the type to an object, and to an entity its id and the links of the navigation properties that
/// are `shown`, whether they are expanded or not.
pub(super) fn annotate(
    members: &mut Vec<Member<'_>>,
    ty: &StructuredType,
    place: Option<Place<'_>>,
    shown: impl Fn(&Property) -> bool,
) {
    let had: Vec<Member<'_>> = std::mem::take(members);
    let mut head = Vec::new();
    if !had.iter().any(|member| member.name.is("@odata.type")) {
        head.push(string("@odata.type", format!("#{}", ty.name)));
    }
    let mut linked: Vec<&Property> = Vec::new();
    if let Some(Place { path, .. }) = place {
        head.push(string("@odata.id", path.to_owned()));
        head.push(string("@odata.editLink", path.to_owned()));
        let is_linked = |property: &&Property| property.is_navigation && shown(property);
        linked.extend(ty.properties.iter().filter(is_linked));
    }
    // The context, where there is one, stays first.
    let (context, rest): (Vec<_>, Vec<_>) =
        had.into_iter().partition(|member| member.name.is("@odata.context"));
    members.extend(context);
    members.append(&mut head);
    for member in rest {
        let name = member.name.raw();
        let property = name.split('@').next().unwrap_or_default();
        // Links stand before what else is said of their property.
        if let Some(at) = linked.iter().position(|linked| linked.name == property) {
            push_links(members, linked.remove(at), place.as_ref());
        }
        let property = ty.member(name);
        if let Some(stated) = property.and_then(|property| stated_type(property, &member.value)) {
            members.push(string(&format!("{name}@odata.type"), stated));
        }
        members.push(member);
    }
    for property in linked {
        push_links(members, property, place.as_ref());
    }
}

fn push_links(members: &mut Vec<Member<'_>>, property: &Property, place: Option<&Place<'_>>) {
    let Some(Place { path, root }) = place else { return };
    let link = format!("{root}{path}/{}", property.name);
    let reference = format!("{link}/$ref");
    members.push(string(&format!("{}@odata.associationLink", property.name), reference));
    members.push(string(&format!("{}@odata.navigationLink", property.name), link));
}

/// The type of a value that its JSON form does not tell.
fn stated_type(property: &Property, value: &Node<'_>) -> Option<String> {
    if property.is_navigation || matches!(value, Node::Null) {
        return None;
    }
    let name = match property.ty {
        Type::Primitive(Primitive::Boolean | Primitive::Double | Primitive::String)
            if !property.is_collection =>
        {
            return None;
        }
        Type::Primitive(primitive) => primitive.name().trim_start_matches("Edm."),
        Type::Enum(ty) => ty.name,
        Type::Structured(_) if !property.is_collection => return None,
        Type::Structured(ty) => ty.name,
        Type::Undeclared(_) => return None,
    };
    Some(if property.is_collection { format!("#Collection({name})") } else { format!("#{name}") })
}

pub(super) fn string(name: &str, value: String) -> Member<'static> {
    Member { name: Text::owned(name.to_owned()), value: Node::String(Text::of(&value)) }
}
