//! Whether JSON of an answer says what a value is.

use serde_json::Value as Json;

use super::arithmetic::TICK;
use super::value::{Object, Value, date, duration, instant, time_of_day};

/// How far doubles may differ, relative to the larger one: the order of a sum is nobody's promise.
const TOLERANCE: f64 = 1e-9;

/// Whether the JSON stands for the value. What is null may be missing, annotations don't count, and
/// what is related need not be shown.
pub fn agrees(value: &Value, json: &Json) -> bool {
    match (value, json) {
        // A record's own NaN is shown as it came.
        (Value::Null, json) => says_nothing(json) || *json == "NaN",
        (Value::Bool(value), Json::Bool(other)) => value == other,
        (Value::Int(whole), Json::Number(number)) => match number.as_i64() {
            Some(other) => *whole == other,
            None => number.as_f64().is_some_and(|other| is_near(*whole as f64, other)),
        },
        (Value::Float(value), Json::Number(number)) => {
            number.as_f64().is_some_and(|other| is_near(*value, other))
        }
        (Value::Float(value), Json::String(text)) => match text.as_str() {
            "INF" => *value == f64::INFINITY,
            "-INF" => *value == f64::NEG_INFINITY,
            "NaN" => value.is_nan(),
            _ => false,
        },
        (Value::Text(value) | Value::Member(_, value), Json::String(text)) => **value == **text,
        (Value::Instant { at, .. }, Json::String(text)) => {
            matches!(instant(text), Some(Value::Instant { at: other, .. }) if other == *at)
        }
        (Value::Duration(length), Json::String(text)) => match duration(text) {
            Some(Value::Duration(other)) => {
                other.abs_diff(*length) <= TICK.unsigned_abs()
                    || is_near(other as f64, *length as f64)
            }
            _ => false,
        },
        (Value::Date(days), Json::String(text)) => {
            text.len() == 10 && matches!(date(text), Some(Value::Date(other)) if other == *days)
        }
        (Value::TimeOfDay(time), Json::String(text)) => {
            matches!(time_of_day(text), Some(Value::TimeOfDay(other)) if other == *time)
        }
        (Value::List(items), Json::Array(others)) => {
            items.len() == others.len()
                && items.iter().zip(others).all(|(item, other)| agrees(item, other))
        }
        (Value::Object(object), json) if json.is_null() || json.is_object() => {
            members_agree(object, json)
        }
        _ => false,
    }
}

fn members_agree(object: &Object, json: &Json) -> bool {
    let is_known = |name: &str| !name.contains('@');
    let said = json.as_object().into_iter().flatten().filter(|(name, _)| is_known(name));
    let is_right = |name: &str, value: &Value| {
        let property = object.ty.and_then(|ty| ty.member(name));
        let is_related = property.is_some_and(|property| property.is_navigation);
        match json.get(name) {
            None if is_related => true,
            None => agrees(value, &Json::Null),
            Some(other) => agrees(value, other),
        }
    };
    let expected = object.members.iter().filter(|(name, _)| is_known(name));
    expected.clone().all(|(name, value)| is_right(name, value))
        && said
            .into_iter()
            .all(|(name, value)| object.members.contains_key(name) || says_nothing(value))
}

/// Null, or an object without anything else.
fn says_nothing(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Object(members) => {
            members.iter().all(|(name, value)| name.contains('@') || says_nothing(value))
        }
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_near(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq() || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}
