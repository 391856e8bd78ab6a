//! Primitive values in JSON (OData JSON Format section 7.1).

use std::borrow::Cow;

use super::{Mismatch, mismatch};
use crate::edm::Primitive;
use crate::json::{Node, Pointer};
use crate::primitive::{DateTimeOffset, Duration, parse_guid};

/// Checks a value that is not null. Numbers that came as strings, as `IEEE754Compatible=true`
/// writes them, become numbers with the same digits.
pub(super) fn check(
    node: &mut Node<'_>,
    primitive: Primitive,
    at: &Pointer<'_>,
) -> Result<(), Mismatch> {
    if let (Primitive::Int64 | Primitive::Decimal, Node::String(text)) = (primitive, &*node)
        && let Ok(Node::Number(digits)) = Node::parse(&text.value())
    {
        *node = Node::Number(Cow::Owned(digits.into_owned()));
    }
    let is_sound = match (primitive, &*node) {
        (Primitive::Boolean, Node::Bool(_)) => true,
        (Primitive::Int32, Node::Number(digits)) => digits.parse::<i32>().is_ok(),
        (Primitive::Int64, Node::Number(digits)) => digits.parse::<i64>().is_ok(),
        (Primitive::Single | Primitive::Double, Node::Number(_)) => true,
        (Primitive::Single | Primitive::Double, Node::String(text)) => {
            matches!(text.raw(), "NaN" | "INF" | "-INF")
        }
        (Primitive::Decimal, Node::Number(digits)) => is_decimal(digits),
        (Primitive::String | Primitive::Stream, Node::String(_)) => true,
        (Primitive::Guid, Node::String(text)) => parse_guid(text.raw()).is_some(),
        (Primitive::Date, Node::String(text)) => {
            text.raw().len() == 10 && DateTimeOffset::parse(text.raw()).is_some()
        }
        (Primitive::TimeOfDay, Node::String(text)) => is_time_of_day(text.raw()),
        (Primitive::DateTimeOffset, Node::String(text)) => {
            text.raw().len() > 10 && DateTimeOffset::parse(text.raw()).is_some()
        }
        (Primitive::Duration, Node::String(text)) => Duration::parse(text.raw()).is_some(),
        _ => return Err(mismatch(at, expected(primitive), node)),
    };
    if is_sound {
        return Ok(());
    }
    let mut shown = Vec::new();
    crate::json::write_node(&mut shown, node);
    shown.truncate(80);
    let shown = String::from_utf8_lossy(&shown);
    let (name, expected) = (primitive.name(), expected(primitive));
    let message = format!("{shown} is not a value of {name}: expected {expected}");
    Err(Mismatch { pointer: at.to_string(), message })
}

fn is_time_of_day(text: &str) -> bool {
    DateTimeOffset::parse(&format!("1970-01-01T{text}Z")).is_some()
}

fn is_decimal(digits: &str) -> bool {
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    !digits.is_empty()
        && digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
}

fn expected(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Boolean => "a boolean",
        Primitive::Int32 | Primitive::Int64 => "an integer",
        Primitive::Single | Primitive::Double | Primitive::Decimal => "a number",
        Primitive::String | Primitive::Stream => "a string",
        Primitive::Guid => "a GUID such as \"9b145b4b-4127-4c66-b641-7028b4988053\"",
        Primitive::Date => "a date such as \"2020-02-25\"",
        Primitive::TimeOfDay => "a time of day such as \"18:52:21\"",
        Primitive::DateTimeOffset => "an instant such as \"2020-02-25T18:52:21.2169889Z\"",
        Primitive::Duration => "a duration such as \"PT0.016S\"",
    }
}
