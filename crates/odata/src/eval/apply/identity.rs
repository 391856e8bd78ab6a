//! What makes two values the same for groups and distinct counts: equal numbers whatever their
//! types, text byte for byte, GUIDs whatever their case, instants whatever their zone.

use crate::eval::Value;
use crate::json::write_node;
use crate::primitive::{Fine, folded};

/// Appends bytes that are the same for the same values only, and no prefix of others.
pub fn push_identity(out: &mut Vec<u8>, value: &Value<'_>) {
    let (tag, number) = match value {
        Value::Null => return out.push(0),
        Value::Text(text) => return push_bytes(out, 1, folded(text).as_bytes()),
        Value::Enum { name, .. } => return push_bytes(out, 1, name.as_bytes()),
        Value::Object(_) | Value::Made(_) => {
            let mut text = Vec::new();
            if let Some(item) = value.object() {
                write_node(&mut text, item.node);
            }
            return push_bytes(out, 2, &text);
        }
        Value::List(items) => {
            out.push(3);
            out.extend_from_slice(&(items.len() as u64).to_be_bytes());
            return items.iter().for_each(|item| push_identity(out, item));
        }
        Value::Bool(value) => (4, u64::from(*value)),
        Value::Int(value) => (5, *value as u64),
        Value::Double(value) if Value::Int(*value as i64).equals(&Value::Double(*value)) => {
            (5, *value as i64 as u64)
        }
        Value::Double(value) => (6, value.to_bits()),
        Value::Date(value) => (7, *value as u64),
        Value::Decimal(value) => (6, value.near.to_bits()),
        Value::TimeOfDay(value) => return push_time(out, 8, *value),
        Value::Instant(value) => return push_time(out, 9, value.at),
        Value::Duration(value) => return push_time(out, 10, *value),
    };
    out.push(tag);
    out.extend_from_slice(&number.to_be_bytes());
}

fn push_time(out: &mut Vec<u8>, tag: u8, time: Fine) {
    out.push(tag);
    out.extend_from_slice(&time.ticks.to_be_bytes());
    out.extend_from_slice(&time.rest.to_be_bytes());
}

fn push_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}
