//! Annotations that stand apart from what they annotate (CSDL XML 4.01 section 14, CSDL JSON
//! section 5.2): what a service says of its abilities.

use super::xml_writer::Writer;
use crate::json::{Member, Node, Text};

/// What is said of one element of a model.
#[derive(Debug, Clone, Copy)]
pub struct Annotations {
    /// Path of the element, for example `shop.Service/best`.
    pub target: &'static str,
    /// Terms with their values. A term is written with the alias of its vocabulary.
    pub terms: &'static [(&'static str, Expression)],
}

/// The value of an annotation.
#[derive(Debug, Clone, Copy)]
pub enum Expression {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    String(&'static str),
    /// A member of an enumeration: type and member, with a slash between them.
    EnumMember(&'static str),
    /// The path of a property.
    PropertyPath(&'static str),
    /// The path of a navigation property.
    NavigationPropertyPath(&'static str),
    /// Several values.
    Collection(&'static [Expression]),
    /// Properties with their values.
    Record(&'static [(&'static str, Expression)]),
}

pub(super) fn push_xml(out: &mut Writer, annotations: &[Annotations]) {
    for Annotations { target, terms } in annotations {
        out.open("Annotations", &[("Target", (*target).into())]);
        for (term, value) in *terms {
            push_value(out, "Annotation", Some(("Term", term)), value);
        }
        out.close("Annotations");
    }
}

/// An element with a value: as an attribute where it has that form, else inside.
fn push_value(
    out: &mut Writer,
    tag: &str,
    named: Option<(&'static str, &'static str)>,
    value: &Expression,
) {
    let mut attributes: Vec<_> = named.map(|(key, name)| (key, name.into())).into_iter().collect();
    let (form, text) = match value {
        Expression::Bool(value) => ("Bool", value.to_string()),
        Expression::Int(value) => ("Int", value.to_string()),
        Expression::String(text) => ("String", (*text).to_owned()),
        Expression::EnumMember(text) => ("EnumMember", (*text).to_owned()),
        Expression::PropertyPath(text) => ("PropertyPath", (*text).to_owned()),
        Expression::NavigationPropertyPath(text) => ("NavigationPropertyPath", (*text).to_owned()),
        Expression::Collection(items) => {
            out.open(tag, &attributes);
            out.open("Collection", &[]);
            items.iter().for_each(|item| push_item(out, item));
            out.close("Collection");
            out.close(tag);
            return;
        }
        Expression::Record(properties) => {
            out.open(tag, &attributes);
            push_record(out, properties);
            out.close(tag);
            return;
        }
    };
    attributes.push((form, text.into()));
    out.empty(tag, &attributes);
}

fn push_item(out: &mut Writer, item: &Expression) {
    let (tag, text) = match item {
        Expression::Record(properties) => return push_record(out, properties),
        Expression::Collection(_) => return,
        Expression::Bool(value) => ("Bool", value.to_string()),
        Expression::Int(value) => ("Int", value.to_string()),
        Expression::String(text) => ("String", (*text).to_owned()),
        Expression::EnumMember(text) => ("EnumMember", (*text).to_owned()),
        Expression::PropertyPath(text) => ("PropertyPath", (*text).to_owned()),
        Expression::NavigationPropertyPath(text) => ("NavigationPropertyPath", (*text).to_owned()),
    };
    out.text(tag, &text);
}

fn push_record(out: &mut Writer, properties: &[(&'static str, Expression)]) {
    out.open("Record", &[]);
    for (name, value) in properties {
        push_value(out, "PropertyValue", Some(("Property", name)), value);
    }
    out.close("Record");
}

/// `$Annotations` of CSDL JSON: by target.
pub(super) fn to_json(annotations: &[Annotations]) -> Node<'static> {
    let of_target = |annotations: &Annotations| Member {
        name: Text::plain(annotations.target),
        value: Node::Object(
            annotations
                .terms
                .iter()
                .map(|(term, value)| Member {
                    name: Text::owned(format!("@{term}")),
                    value: value_json(value),
                })
                .collect(),
        ),
    };
    Node::Object(annotations.iter().map(of_target).collect())
}

fn value_json(value: &Expression) -> Node<'static> {
    match value {
        Expression::Bool(value) => Node::Bool(*value),
        Expression::Int(value) => Node::Number(value.to_string().into()),
        Expression::String(text)
        | Expression::PropertyPath(text)
        | Expression::NavigationPropertyPath(text) => Node::text(text),
        // CSDL JSON writes the member alone.
        Expression::EnumMember(text) => {
            Node::text(text.rsplit_once('/').map_or(*text, |(_, member)| member))
        }
        Expression::Collection(items) => Node::Array(items.iter().map(value_json).collect()),
        Expression::Record(properties) => {
            Node::object(properties.iter().map(|(name, value)| (*name, value_json(value))))
        }
    }
}
