//! CSDL JSON 4.01.

use super::annotations::{Annotations, to_json};
use super::{KEY, containers, own_properties, print, type_name, unqualified, vocabularies};
use crate::edm::{
    EnumType, Kind, Model, Operation, Parameter, Primitive, Property, Schema, StructuredType, Type,
};
use crate::json::{Member, Node, Text};

type Members = Vec<(&'static str, Node<'static>)>;

/// `$metadata` as `application/json`. `annotations` stand in the schema of the container.
pub fn json(model: &Model, annotations: &[Annotations]) -> String {
    let mut members = vec![("$Version", Node::text("4.01"))];
    for (namespace, container) in containers(model) {
        let name = format!("{namespace}.{}", container.name);
        members.push(("$EntityContainer", Node::text(&name)));
    }
    members.push(("$Reference", references(annotations)));
    let schemas = model.schemas.iter();
    members.extend(schemas.map(|schema| (schema.namespace, self::schema(schema, annotations))));
    print(&Node::object(members))
}

fn references(annotations: &[Annotations]) -> Node<'static> {
    let reference = |vocabulary: &super::Vocabulary| {
        let include = Node::object([
            ("$Namespace", Node::text(vocabulary.namespace)),
            ("$Alias", Node::text(vocabulary.alias)),
        ]);
        Member {
            name: Text::owned(format!("{}.json", vocabulary.uri)),
            value: Node::object([("$Include", Node::Array(vec![include]))]),
        }
    };
    Node::Object(vocabularies(annotations).map(reference).collect())
}

fn schema(schema: &Schema, annotations: &[Annotations]) -> Node<'static> {
    let mut members: Members = Vec::new();
    members.extend(schema.alias.map(|alias| ("$Alias", Node::text(alias))));
    let enums = schema.enums.iter().filter(|ty| ty.is_served);
    members.extend(enums.map(|ty| (unqualified(ty.name), enum_type(ty))));
    let types = schema.types.iter().filter(|ty| ty.is_served);
    members.extend(types.map(|ty| (unqualified(ty.name), structured(ty))));
    for operation in schema.operations.iter().filter(|operation| operation.is_served) {
        let overload = self::operation(operation);
        match members.iter_mut().find(|(name, _)| *name == operation.name) {
            Some((_, Node::Array(overloads))) => overloads.push(overload),
            _ => members.push((operation.name, Node::Array(vec![overload]))),
        }
    }
    if let Some(container) = &schema.container {
        let mut contents = vec![("$Kind", Node::text("EntityContainer"))];
        contents.extend(container.entity_sets.iter().map(|(name, ty)| {
            let members = vec![("$Collection", Node::Bool(true)), ("$Type", Node::text(ty.name))];
            (*name, Node::object(members))
        }));
        contents.extend(
            container
                .singletons
                .iter()
                .map(|(name, ty)| (*name, Node::object([("$Type", Node::text(ty.name))]))),
        );
        members.push((container.name, Node::object(contents)));
        if !annotations.is_empty() {
            members.push(("$Annotations", to_json(annotations)));
        }
    }
    Node::object(members)
}

fn enum_type(ty: &EnumType) -> Node<'static> {
    let mut members = vec![("$Kind", Node::text("EnumType"))];
    let number = |value: i64| Node::Number(value.to_string().into());
    members.extend(ty.members.iter().map(|(name, value)| (*name, number(*value))));
    Node::object(members)
}

fn structured(ty: &StructuredType) -> Node<'static> {
    let kind = match ty.kind {
        Kind::Entity => "EntityType",
        Kind::Complex => "ComplexType",
    };
    let mut members = vec![("$Kind", Node::text(kind))];
    members.extend(ty.base.map(|base| ("$BaseType", Node::text(base.name))));
    members.extend(ty.is_abstract.then_some(("$Abstract", Node::Bool(true))));
    members.extend(ty.is_open.then_some(("$OpenType", Node::Bool(true))));
    if ty.kind == Kind::Entity && own_properties(ty).any(|property| property.name == KEY) {
        members.push(("$Key", Node::Array(vec![Node::text(KEY)])));
    }
    describe(&mut members, ty.description);
    members.extend(own_properties(ty).map(|property| (property.name, self::property(property))));
    Node::object(members)
}

fn property(property: &Property) -> Node<'static> {
    let mut members: Members = Vec::new();
    if property.is_navigation {
        members.push(("$Kind", Node::text("NavigationProperty")));
    }
    push_type(&mut members, property.ty, property.is_collection);
    // A collection is never null, and CSDL wants no word on the items of a navigation property.
    if property.is_nullable && !(property.is_navigation && property.is_collection) {
        members.push(("$Nullable", Node::Bool(true)));
    }
    if property.is_navigation {
        members.push(("$ContainsTarget", Node::Bool(true)));
    }
    members.extend(precision(property.ty));
    members.extend(property.default.map(|value| ("$DefaultValue", Node::text(value))));
    describe(&mut members, property.description);
    members.extend(property.unit.map(|unit| ("@Measures.Unit", Node::text(unit))));
    if property.is_personal {
        members.push(("@PersonalData.IsPotentiallyPersonal", Node::Bool(true)));
    }
    if let Some(reason) = property.deprecated {
        let revision =
            Node::object([("Kind", Node::text("Deprecated")), ("Description", Node::text(reason))]);
        members.push(("@Core.Revisions", Node::Array(vec![revision])));
    }
    Node::object(members)
}

fn describe(members: &mut Members, text: &'static str) {
    if !text.is_empty() {
        members.push(("@Core.Description", Node::text(text)));
    }
}

fn operation(operation: &Operation) -> Node<'static> {
    let kind = if operation.is_action { "Action" } else { "Function" };
    let mut members = vec![("$Kind", Node::text(kind))];
    members.extend(operation.is_bound.then_some(("$IsBound", Node::Bool(true))));
    members.extend(operation.is_composable.then_some(("$IsComposable", Node::Bool(true))));
    members.extend(operation.entity_set_path.map(|path| ("$EntitySetPath", Node::text(path))));
    let parameters = operation.parameters.iter().map(|parameter| {
        let mut members = vec![("$Name", Node::text(parameter.name))];
        members.extend(facets(parameter));
        let nothing = || Node::Object(Vec::new());
        members.extend(parameter.is_optional.then(|| ("@Core.OptionalParameter", nothing())));
        Node::object(members)
    });
    members.push(("$Parameter", Node::Array(parameters.collect())));
    members.extend(
        operation.returns.as_ref().map(|returns| ("$ReturnType", Node::object(facets(returns)))),
    );
    Node::object(members)
}

fn facets(parameter: &Parameter) -> Members {
    let mut members = Vec::new();
    push_type(&mut members, parameter.ty, parameter.is_collection);
    members.extend(parameter.is_nullable.then_some(("$Nullable", Node::Bool(true))));
    members.extend(precision(parameter.ty));
    members
}

fn precision(ty: Type) -> Option<(&'static str, Node<'static>)> {
    super::precision(ty).map(|digits| ("$Precision", Node::Number(digits.to_string().into())))
}

/// Without a word the type is `Edm.String`.
fn push_type(members: &mut Members, ty: Type, is_collection: bool) {
    if !matches!(ty, Type::Primitive(Primitive::String)) {
        members.push(("$Type", Node::text(type_name(ty))));
    }
    members.extend(is_collection.then_some(("$Collection", Node::Bool(true))));
}
