//! CSDL XML 4.01.

use std::borrow::Cow;

use super::annotations::{Annotations, push_xml};
use super::xml_writer::{Attribute, Writer};
use super::{KEY, own_properties, type_name, unqualified, vocabularies};
use crate::ODataVersion;
use crate::edm::{
    EnumType, Kind, Model, Operation, Parameter, Primitive, Property, Schema, StructuredType, Type,
};

const EDMX: &str = "http://docs.oasis-open.org/odata/ns/edmx";
const EDM: &str = "http://docs.oasis-open.org/odata/ns/edm";

/// `$metadata` as `application/xml`. `annotations` stand in the schema of the container, which must
/// be there if there are any.
pub fn xml(model: &Model, annotations: &[Annotations], version: ODataVersion) -> String {
    let mut out = Writer::new();
    out.open("edmx:Edmx", &[("Version", version.text().into()), ("xmlns:edmx", EDMX.into())]);
    for vocabulary in vocabularies(annotations) {
        out.open("edmx:Reference", &[("Uri", format!("{}.xml", vocabulary.uri).into())]);
        let include =
            [("Namespace", vocabulary.namespace.into()), ("Alias", vocabulary.alias.into())];
        out.empty("edmx:Include", &include);
        out.close("edmx:Reference");
    }
    out.open("edmx:DataServices", &[]);
    for schema in model.schemas {
        self::schema(&mut out, schema, annotations);
    }
    out.close("edmx:DataServices");
    out.close("edmx:Edmx");
    out.finish()
}

fn schema(out: &mut Writer, schema: &Schema, annotations: &[Annotations]) {
    let mut attributes: Vec<Attribute<'_>> = vec![("Namespace", schema.namespace.into())];
    attributes.extend(schema.alias.map(|alias| ("Alias", alias.into())));
    attributes.push(("xmlns", EDM.into()));
    out.open("Schema", &attributes);
    for ty in schema.enums.iter().filter(|ty| ty.is_served) {
        enum_type(out, ty);
    }
    for ty in schema.types.iter().filter(|ty| ty.is_served) {
        structured(out, ty);
    }
    for operation in schema.operations.iter().filter(|operation| operation.is_served) {
        self::operation(out, operation);
    }
    if let Some(container) = &schema.container {
        out.open("EntityContainer", &[("Name", container.name.into())]);
        for (name, ty) in container.entity_sets {
            out.empty("EntitySet", &[("Name", (*name).into()), ("EntityType", ty.name.into())]);
        }
        for (name, ty) in container.singletons {
            out.empty("Singleton", &[("Name", (*name).into()), ("Type", ty.name.into())]);
        }
        out.close("EntityContainer");
        push_xml(out, annotations);
    }
    out.close("Schema");
}

fn enum_type(out: &mut Writer, ty: &EnumType) {
    out.open("EnumType", &[("Name", unqualified(ty.name).into())]);
    for (name, value) in ty.members {
        out.empty("Member", &[("Name", (*name).into()), ("Value", value.to_string().into())]);
    }
    out.close("EnumType");
}

fn structured(out: &mut Writer, ty: &StructuredType) {
    let tag = match ty.kind {
        Kind::Entity => "EntityType",
        Kind::Complex => "ComplexType",
    };
    let mut attributes: Vec<Attribute<'_>> = vec![("Name", unqualified(ty.name).into())];
    attributes.extend(ty.base.map(|base| ("BaseType", base.name.into())));
    attributes.extend(ty.is_abstract.then(|| ("Abstract", "true".into())));
    attributes.extend(ty.is_open.then(|| ("OpenType", "true".into())));
    out.open(tag, &attributes);
    if ty.kind == Kind::Entity && own_properties(ty).any(|property| property.name == KEY) {
        out.open("Key", &[]);
        out.empty("PropertyRef", &[("Name", KEY.into())]);
        out.close("Key");
    }
    description(out, ty.description);
    for property in own_properties(ty) {
        self::property(out, property);
    }
    out.close(tag);
}

fn property(out: &mut Writer, property: &Property) {
    let mut attributes: Vec<Attribute<'_>> = vec![("Name", property.name.into())];
    attributes.push(("Type", type_text(property.ty, property.is_collection)));
    if !property.is_nullable {
        attributes.push(("Nullable", "false".into()));
    }
    let tag = if property.is_navigation {
        attributes.push(("ContainsTarget", "true".into()));
        "NavigationProperty"
    } else {
        "Property"
    };
    attributes.extend(property.default.map(|value| ("DefaultValue", value.into())));
    if matches!(property.ty, Type::Primitive(Primitive::Decimal)) {
        attributes.push(("Scale", "variable".into()));
    }
    attributes.extend(precision(property.ty));
    if !is_annotated(property) {
        out.empty(tag, &attributes);
        return;
    }
    out.open(tag, &attributes);
    description(out, property.description);
    if let Some(unit) = property.unit {
        annotation(out, "Measures.Unit", unit);
    }
    if property.is_personal {
        out.empty("Annotation", &[("Term", "PersonalData.IsPotentiallyPersonal".into())]);
    }
    if let Some(reason) = property.deprecated {
        deprecation(out, reason);
    }
    out.close(tag);
}

fn is_annotated(property: &Property) -> bool {
    !property.description.is_empty()
        || property.unit.is_some()
        || property.is_personal
        || property.deprecated.is_some()
}

fn description(out: &mut Writer, text: &str) {
    if !text.is_empty() {
        annotation(out, "Core.Description", text);
    }
}

fn annotation(out: &mut Writer, term: &str, text: &str) {
    out.empty("Annotation", &[("Term", term.into()), ("String", text.into())]);
}

fn deprecation(out: &mut Writer, reason: &str) {
    out.open("Annotation", &[("Term", "Core.Revisions".into())]);
    out.open("Collection", &[]);
    out.open("Record", &[]);
    let kind = "Core.RevisionKind/Deprecated";
    out.empty("PropertyValue", &[("Property", "Kind".into()), ("EnumMember", kind.into())]);
    out.empty("PropertyValue", &[("Property", "Description".into()), ("String", reason.into())]);
    out.close("Record");
    out.close("Collection");
    out.close("Annotation");
}

fn operation(out: &mut Writer, operation: &Operation) {
    let tag = if operation.is_action { "Action" } else { "Function" };
    let mut attributes: Vec<Attribute<'_>> = vec![("Name", operation.name.into())];
    attributes.extend(operation.is_bound.then(|| ("IsBound", "true".into())));
    attributes.extend(operation.is_composable.then(|| ("IsComposable", "true".into())));
    attributes.extend(operation.entity_set_path.map(|path| ("EntitySetPath", path.into())));
    out.open(tag, &attributes);
    for parameter in operation.parameters {
        let mut attributes: Vec<Attribute<'_>> = vec![("Name", parameter.name.into())];
        attributes.extend(facets(parameter));
        if !parameter.is_optional {
            out.empty("Parameter", &attributes);
            continue;
        }
        out.open("Parameter", &attributes);
        out.open("Annotation", &[("Term", "Core.OptionalParameter".into())]);
        out.empty("Record", &[]);
        out.close("Annotation");
        out.close("Parameter");
    }
    if let Some(returns) = &operation.returns {
        out.empty("ReturnType", &facets(returns));
    }
    out.close(tag);
}

fn facets(parameter: &Parameter) -> Vec<Attribute<'static>> {
    let mut attributes = vec![("Type", type_text(parameter.ty, parameter.is_collection))];
    attributes.extend((!parameter.is_nullable).then(|| ("Nullable", "false".into())));
    attributes.extend(precision(parameter.ty));
    attributes
}

fn precision(ty: Type) -> Option<Attribute<'static>> {
    super::precision(ty).map(|digits| ("Precision", digits.to_string().into()))
}

fn type_text(ty: Type, is_collection: bool) -> Cow<'static, str> {
    let name = type_name(ty);
    if is_collection { format!("Collection({name})").into() } else { name.into() }
}
