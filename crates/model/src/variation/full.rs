//! What `odata.metadata=full` adds (OData JSON Format section 4.6).

use odata::edm::{Kind, Primitive, Property, StructuredType, Type};
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

/// Adds type, id and links to an object.
pub(super) fn annotate(members: &mut Vec<Member<'_>>, ty: &StructuredType, path: &str, root: &str) {
    let had: Vec<Member<'_>> = std::mem::take(members);
    let names: Vec<String> = had.iter().map(|member| member.name.raw().to_owned()).collect();
    let is_plain = |name: &str| !name.contains('@');
    let mut head = Vec::new();
    if !names.iter().any(|name| name == "@odata.type") {
        head.push(string("@odata.type", format!("#{}", ty.name)));
    }
    let is_entity = ty.kind == Kind::Entity && names.iter().any(|name| name == "id");
    if is_entity {
        head.push(string("@odata.id", path.to_owned()));
        head.push(string("@odata.editLink", path.to_owned()));
    }
    // The context, where there is one, stays first.
    let (context, rest): (Vec<_>, Vec<_>) =
        had.into_iter().partition(|member| member.name.is("@odata.context"));
    members.extend(context);
    members.append(&mut head);
    for member in rest {
        let property = ty.member(member.name.raw()).filter(|_| is_plain(member.name.raw()));
        if let Some(name) = property.and_then(|property| stated_type(property, &member.value)) {
            members.push(string(&format!("{}@odata.type", member.name.raw()), name));
        }
        members.push(member);
    }
    if is_entity {
        let missing = |property: &&Property| {
            property.is_navigation && !names.iter().any(|name| name == property.name)
        };
        for property in ty.properties.iter().filter(missing) {
            let link = format!("{root}{path}/{}", property.name);
            members.push(string(
                &format!("{}@odata.associationLink", property.name),
                format!("{link}/$ref"),
            ));
            members.push(string(&format!("{}@odata.navigationLink", property.name), link));
        }
    }
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

fn string(name: &str, value: String) -> Member<'static> {
    Member { name: Text::owned(name.to_owned()), value: Node::String(Text::of(&value)) }
}
