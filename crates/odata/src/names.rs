//! Finding what a name means: properties, types and operations as clients spell them.
//!
//! A type or operation may be written with its namespace, with the namespace's alias or last part
//! (`callRecords.getPstnCalls`), or without any.

use crate::edm::{EnumType, Model, Operation, Property, Schema, StructuredType, Type};

/// The property of that name which the service has, declared or known to be carried by an open type.
pub(crate) fn property(ty: &'static StructuredType, name: &str) -> Option<&'static Property> {
    ty.property(name)
        .filter(|property| property.is_served)
        .or_else(|| ty.dynamic.iter().find(|property| property.name == name))
}

/// The property by whose value an entity is addressed.
pub(crate) fn key(ty: &'static StructuredType) -> Option<&'static Property> {
    ty.properties.iter().find(|property| !property.is_navigation && !property.is_nullable)
}

/// `ty` itself or a type derived from it, by its name with a namespace.
pub(crate) fn derived(
    model: &'static Model,
    ty: &'static StructuredType,
    name: &str,
) -> Option<&'static StructuredType> {
    if !name.contains('.') {
        return None;
    }
    std::iter::once(ty).chain(ty.derived.iter().copied()).find(|candidate| {
        candidate.name == name
            || model.schemas.iter().any(|schema| is_name_of(schema, candidate.name, name))
    })
}

fn is_name_of(schema: &Schema, qualified: &str, name: &str) -> bool {
    let bare = qualified.strip_prefix(schema.namespace).and_then(|rest| rest.strip_prefix('.'));
    bare.is_some_and(|bare| !bare.contains('.') && is_spelling(schema, bare, name))
}

/// Whether `name` is `bare` with this schema's namespace, its last part, or its alias.
fn is_spelling(schema: &Schema, bare: &str, name: &str) -> bool {
    let Some(qualifier) = name.strip_suffix(bare).and_then(|rest| rest.strip_suffix('.')) else {
        return false;
    };
    let last = schema.namespace.rsplit('.').next();
    qualifier == schema.namespace || schema.alias == Some(qualifier) || last == Some(qualifier)
}

/// The operations of that name with the namespaces that declare them.
pub(crate) fn operations<'n>(
    model: &'static Model,
    name: &'n str,
) -> impl Iterator<Item = (&'static str, &'static Operation)> + use<'n> {
    model.schemas.iter().flat_map(move |schema| {
        schema
            .operations
            .iter()
            .filter(move |operation| {
                operation.name == name || is_spelling(schema, operation.name, name)
            })
            .map(|operation| (schema.namespace, operation))
    })
}

/// The names of what is bound to values of that type, as `like` is written: with a namespace or without.
pub(crate) fn operation_names(
    model: &'static Model,
    ty: &'static StructuredType,
    is_collection: bool,
    like: &str,
) -> impl Iterator<Item = String> {
    let is_qualified = like.contains('.');
    model.schemas.iter().flat_map(move |schema| {
        let bound = schema.operations.iter();
        let bound = bound.filter(move |operation| is_bound_to(operation, ty, is_collection));
        bound.map(move |operation| {
            if is_qualified {
                format!("{}.{}", schema.namespace, operation.name)
            } else {
                operation.name.to_owned()
            }
        })
    })
}

/// Whether an operation is bound to values of that type.
pub(crate) fn is_bound_to(
    operation: &Operation,
    ty: &'static StructuredType,
    is_collection: bool,
) -> bool {
    operation.is_bound
        && operation.parameters.first().is_some_and(|binding| {
            binding.is_collection == is_collection
                && matches!(binding.ty, Type::Structured(bound) if ty.is_a(bound))
        })
}

/// The enumeration with that name, which has to have a namespace.
pub(crate) fn enumeration(model: &'static Model, name: &str) -> Option<&'static EnumType> {
    if !name.contains('.') {
        return None;
    }
    model.schemas.iter().flat_map(|schema| schema.enums).copied().find(|candidate| {
        candidate.name == name
            || model.schemas.iter().any(|schema| is_name_of(schema, candidate.name, name))
    })
}

/// The names of the members of all enumerations.
pub(crate) fn enum_members(model: &'static Model) -> impl Iterator<Item = &'static str> {
    let enums = model.schemas.iter().flat_map(|schema| schema.enums);
    enums.flat_map(|ty| ty.members).map(|(name, _)| *name)
}

/// The entity or complex type with that name, which has to have a namespace.
pub(crate) fn structured(model: &'static Model, name: &str) -> Option<&'static StructuredType> {
    let types = || model.schemas.iter().flat_map(|schema| schema.types).copied();
    types().find(|ty| ty.name == name).or_else(|| types().find_map(|ty| derived(model, ty, name)))
}

/// The names of the properties of a type, for suggestions.
pub(crate) fn property_names(ty: &'static StructuredType) -> impl Iterator<Item = &'static str> {
    let declared = ty.properties.iter().filter(|property| property.is_served);
    declared.chain(ty.dynamic).map(|property| property.name)
}
