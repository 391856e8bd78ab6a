//! What a service says of itself: `$metadata` in both formats of CSDL 4.01, and the service
//! document.
//!
//! Only what is served is printed; what the tables hold beyond it (declared for completeness, or
//! known dynamic members) stays inside.

mod annotations;
mod json;
mod xml;
mod xml_writer;

use crate::edm::{Container, Model, Primitive, Property, StructuredType, Type};
use crate::json::{Node, write_node};

pub use annotations::{Annotations, Expression};
pub use json::json;
pub use xml::xml;

/// Name of the property by which every entity type that has a key is keyed.
const KEY: &str = "id";

/// A vocabulary of which the printed text uses terms.
struct Vocabulary {
    namespace: &'static str,
    alias: &'static str,
    /// Address without the ending that says the format.
    uri: &'static str,
}

/// Those of the properties come first.
const VOCABULARIES: [Vocabulary; 5] = [
    Vocabulary {
        namespace: "Org.OData.Core.V1",
        alias: "Core",
        uri: "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1",
    },
    Vocabulary {
        namespace: "Org.OData.Measures.V1",
        alias: "Measures",
        uri: "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Measures.V1",
    },
    Vocabulary {
        namespace: "Org.OData.PersonalData.V1",
        alias: "PersonalData",
        uri: "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.PersonalData.V1",
    },
    Vocabulary {
        namespace: "Org.OData.Capabilities.V1",
        alias: "Capabilities",
        uri: "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1",
    },
    Vocabulary {
        namespace: "Org.OData.Aggregation.V1",
        alias: "Aggregation",
        uri: "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Aggregation.V1",
    },
];

/// The vocabularies that a document refers to: those of the properties, and what it says apart.
fn vocabularies(annotations: &[Annotations]) -> impl Iterator<Item = &'static Vocabulary> {
    let used = |vocabulary: &Vocabulary| {
        let mut terms = annotations.iter().flat_map(|of| of.terms);
        terms.any(|(term, _)| term.split_once('.').is_some_and(|(a, _)| a == vocabulary.alias))
    };
    let of_properties = 3;
    let wanted: Vec<bool> = VOCABULARIES
        .iter()
        .enumerate()
        .map(|(index, vocabulary)| index < of_properties || used(vocabulary))
        .collect();
    VOCABULARIES
        .iter()
        .zip(wanted)
        .filter_map(|(vocabulary, is_wanted)| is_wanted.then_some(vocabulary))
}

/// The service document (OData JSON Format 4.01 section 5): what can be reached from the root.
/// `root` is the root's absolute URL without a slash at its end.
pub fn service_document(model: &Model, root: &str) -> String {
    let root_of = |kind: &'static str| {
        move |(name, _): &(&'static str, _)| {
            Node::object([
                ("name", Node::text(name)),
                ("kind", Node::text(kind)),
                ("url", Node::text(name)),
            ])
        }
    };
    let sets = containers(model).flat_map(|(_, container)| container.entity_sets);
    let singletons = containers(model).flat_map(|(_, container)| container.singletons);
    let value =
        sets.map(root_of("EntitySet")).chain(singletons.map(root_of("Singleton"))).collect();
    print(&Node::object([
        ("@odata.context", Node::text(&format!("{root}/$metadata"))),
        ("value", Node::Array(value)),
    ]))
}

/// The properties that the type declares itself, as far as they are served.
fn own_properties(ty: &StructuredType) -> impl Iterator<Item = &'static Property> {
    ty.properties.iter().filter(|property| property.is_served && !property.is_inherited)
}

fn containers(model: &Model) -> impl Iterator<Item = (&'static str, &'static Container)> {
    model.schemas.iter().filter_map(|schema| Some((schema.namespace, schema.container.as_ref()?)))
}

/// The last part of a qualified name.
fn unqualified(name: &'static str) -> &'static str {
    name.rsplit_once('.').map_or(name, |(_, last)| last)
}

fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Primitive(primitive) => primitive.name(),
        Type::Enum(ty) => ty.name,
        Type::Structured(ty) => ty.name,
        Type::Undeclared(name) => name,
    }
}

/// Digits of a second that values of a type may have, where it would be none without a word (CSDL
/// section 7.2.3): all that are taken in are kept.
fn precision(ty: Type) -> Option<u32> {
    let is_temporal = matches!(
        ty,
        Type::Primitive(Primitive::DateTimeOffset | Primitive::Duration | Primitive::TimeOfDay)
    );
    is_temporal.then_some(12)
}

fn print(node: &Node<'_>) -> String {
    let mut out = Vec::new();
    write_node(&mut out, node);
    String::from_utf8(out).expect("JSON is written from text")
}

#[cfg(test)]
mod tests;
