//! Values as JSON (OData JSON Format section 7.1), so that they are read back exactly.

use super::time::Date;
use super::{Item, Value};
use crate::edm::{StructuredType, Type};
use crate::json::{Member, Node, Text, push_text, write_node};

/// Appends a value.
pub fn push_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Double(value) if value.is_finite() => {
            out.extend_from_slice(format!("{value:?}").as_bytes());
        }
        Value::Decimal(value) => push_value(out, &Value::Double(value.near)),
        Value::Object(item) => write_node(out, item.node),
        Value::Made(made) => write_node(out, &made.0),
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_value(out, item);
            }
            out.push(b']');
        }
        value => {
            out.push(b'"');
            push_text(out, &text_form(value).unwrap_or_default());
            out.push(b'"');
        }
    }
}

/// The value as a JSON value of its own.
pub fn node_of(value: &Value<'_>) -> Node<'static> {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(*value),
        Value::Int(value) => Node::Number(value.to_string().into()),
        Value::Double(value) if value.is_finite() => Node::Number(format!("{value:?}").into()),
        Value::Decimal(value) => node_of(&Value::Double(value.near)),
        Value::Object(item) => item.node.clone().into_owned(),
        Value::Made(made) => made.0.clone(),
        Value::List(items) => Node::Array(items.iter().map(node_of).collect()),
        value => Node::String(Text::of(&text_form(value).unwrap_or_default())),
    }
}

/// The text of a single value that is not null.
pub(super) fn text_form(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null | Value::Object(_) | Value::Made(_) | Value::List(_) => return None,
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(f64::INFINITY) => "INF".to_owned(),
        Value::Double(f64::NEG_INFINITY) => "-INF".to_owned(),
        Value::Double(value) => format!("{value:?}"),
        Value::Text(text) => text.to_string(),
        Value::Enum { name, .. } => name.to_string(),
        Value::Date(day) => Date(*day).to_string(),
        Value::TimeOfDay(time) => written(|text| time.write_time_of_day(text)),
        Value::Instant(moment) => moment.to_string(),
        Value::Duration(length) => written(|text| length.write_duration(text)),
        Value::Decimal(value) => format!("{:?}", value.near),
    })
}

fn written(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a string doesn't fail.
    let _ = write(&mut text);
    text
}

/// The type of a member that the model doesn't declare, as `@odata.type` states it; `None` where
/// the JSON tells it.
pub(super) fn type_form(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Int(_) => "#Int64".to_owned(),
        Value::Double(value) if !value.is_finite() => "#Double".to_owned(),
        Value::Enum { ty, .. } => format!("#{}", ty.name),
        Value::Date(_) => "#Date".to_owned(),
        Value::TimeOfDay(_) => "#TimeOfDay".to_owned(),
        Value::Instant(_) => "#DateTimeOffset".to_owned(),
        Value::Duration(_) => "#Duration".to_owned(),
        Value::Object(_) | Value::Made(_) => match value.object()?.ty {
            Type::Structured(ty) => format!("#{}", ty.name),
            _ => return None,
        },
        Value::List(items) => {
            let item = items.iter().find_map(type_form)?;
            format!("#Collection({})", item.trim_start_matches('#'))
        }
        _ => return None,
    })
}

/// A copy of an object that says its type.
fn with_type(node: &Node<'_>, ty: &StructuredType) -> Node<'static> {
    let mut copy = node.clone().into_owned();
    if let Node::Object(members) = &mut copy
        && members.iter().all(|member| !member.name.is("@odata.type"))
    {
        let stated = Node::String(Text::owned(format!("#{}", ty.name)));
        members.insert(0, Member { name: Text::plain("@odata.type"), value: stated });
    }
    copy
}

/// Adds a calculated member, with its type where that is needed, in place of one of that name.
pub fn set_member(members: &mut Vec<Member<'_>>, name: &str, value: &Value<'_>) {
    let annotation = format!("{name}@odata.type");
    members.retain(|member| !member.name.is(name) && !member.name.is(&annotation));
    let stated = match value {
        // An object says its type inside.
        Value::Object(_) | Value::Made(_) => None,
        value => type_form(value),
    };
    if let Some(ty) = stated {
        let value = Node::String(Text::owned(ty));
        members.push(Member { name: Text::of(&annotation), value });
    }
    let value = match value.object() {
        Some(Item { node, ty: Type::Structured(ty) }) => with_type(node, ty),
        _ => node_of(value),
    };
    members.push(Member { name: Text::of(name), value });
}
