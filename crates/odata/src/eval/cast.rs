//! `cast` and `isof` (URL Conventions 5.1.1.10). A cast that fails is null.

use std::borrow::Cow;

use super::json_form::text_form;
use super::time::{date_of, day_of, time_in_day};
use super::value::{enum_bits, enum_value, number};
use super::{Item, Value};
use crate::edm::{EnumType, Primitive, Type};
use crate::primitive::{Fine, Moment, parse_guid};

/// The value as one of another type.
pub(super) fn cast(value: Value<'_>, ty: Type) -> Value<'_> {
    match (value, ty) {
        (Value::Null, _) => Value::Null,
        (Value::List(items), ty) => {
            Value::List(items.into_iter().map(|item| cast(item, ty)).collect())
        }
        (Value::Object(item), Type::Structured(ty)) => {
            item.cast(ty).map_or(Value::Null, Value::Object)
        }
        (Value::Made(made), Type::Structured(ty)) => {
            let fits = Item { node: &made.0, ty: made.1 }.cast(ty).is_some();
            if fits { Value::Made(made) } else { Value::Null }
        }
        (value, Type::Enum(ty)) => to_enum(value, ty),
        (value, Type::Primitive(ty)) => to_primitive(value, ty),
        _ => Value::Null,
    }
}

fn to_enum<'a>(value: Value<'a>, ty: &'static EnumType) -> Value<'a> {
    let name = match &value {
        Value::Enum { ty: other, .. } if std::ptr::eq(*other, ty) => return value,
        Value::Text(name) => name.to_string(),
        Value::Int(number) => number.to_string(),
        _ => return Value::Null,
    };
    match enum_value(ty, &name) {
        Value::Enum { ty, name } if enum_bits(ty, &name).is_some() => Value::Enum { ty, name },
        _ => Value::Null,
    }
}

fn to_primitive(value: Value<'_>, ty: Primitive) -> Value<'_> {
    let result = match ty {
        Primitive::String | Primitive::Stream => match value {
            Value::Text(text) => Some(Value::Text(text)),
            value => text_form(&value).map(|text| Value::Text(Cow::Owned(text))),
        },
        Primitive::Guid => match value {
            Value::Text(text) if parse_guid(&text).is_some() => Some(Value::Text(text)),
            _ => None,
        },
        Primitive::Boolean => match value {
            Value::Bool(value) => Some(Value::Bool(value)),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
            _ => None,
        },
        Primitive::Int32 => {
            whole(&value).filter(|whole| i32::try_from(*whole).is_ok()).map(Value::Int)
        }
        Primitive::Int64 => whole(&value).map(Value::Int),
        Primitive::Single | Primitive::Double | Primitive::Decimal => match value {
            Value::Text(text) => number(&text).map(Value::Double),
            Value::Enum { ty, name } => enum_bits(ty, &name).map(|bits| Value::Double(bits as f64)),
            value => value.as_f64().map(Value::Double),
        },
        Primitive::Date => match value {
            Value::Date(day) => Some(Value::Date(day)),
            Value::Instant(moment) => Some(Value::Date(day_of(moment.local().ticks))),
            Value::Text(text) => date_of(&text).map(Value::Date),
            _ => None,
        },
        Primitive::TimeOfDay => match value {
            Value::TimeOfDay(time) => Some(Value::TimeOfDay(time)),
            Value::Instant(moment) => Some(Value::TimeOfDay(time_in_day(moment.local()))),
            Value::Text(text) => Fine::parse_time_of_day(&text).map(Value::TimeOfDay),
            _ => None,
        },
        Primitive::DateTimeOffset => match value {
            Value::Instant(moment) => Some(Value::Instant(moment)),
            Value::Date(day) => {
                super::time::midnight(day).map(|ticks| Value::Instant(Moment::utc(ticks)))
            }
            Value::Text(text) => Moment::parse(&text).map(Value::Instant),
            _ => None,
        },
        Primitive::Duration => match value {
            Value::Duration(length) => Some(Value::Duration(length)),
            Value::Text(text) => Fine::parse_duration(&text).map(Value::Duration),
            _ => None,
        },
    };
    result.unwrap_or(Value::Null)
}

/// The number, rounded as `round` does it.
fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Double(value) => super::arithmetic::nearest(*value),
        Value::Decimal(value) => super::arithmetic::nearest(value.near),
        Value::Text(text) => text.parse().ok(),
        Value::Enum { ty, name } => enum_bits(ty, name),
        _ => None,
    }
}

/// Whether a value is of a type already; null is of none.
pub(super) fn is_of(value: &Value<'_>, ty: Type) -> bool {
    let Type::Primitive(primitive) = ty else {
        return match (value, ty) {
            (Value::Object(_) | Value::Made(_), Type::Structured(ty)) => {
                value.object().is_some_and(|item| item.cast(ty).is_some())
            }
            (Value::Enum { ty, .. }, Type::Enum(wanted)) => std::ptr::eq(*ty, wanted),
            _ => false,
        };
    };
    match (value, primitive) {
        (Value::Int(value), Primitive::Int32) => i32::try_from(*value).is_ok(),
        (Value::Text(text), Primitive::Guid) => parse_guid(text).is_some(),
        (Value::Bool(_), Primitive::Boolean)
        | (
            Value::Int(_),
            Primitive::Int64 | Primitive::Single | Primitive::Double | Primitive::Decimal,
        )
        | (
            Value::Double(_) | Value::Decimal(_),
            Primitive::Single | Primitive::Double | Primitive::Decimal,
        )
        | (Value::Text(_), Primitive::String)
        | (Value::Date(_), Primitive::Date)
        | (Value::TimeOfDay(_), Primitive::TimeOfDay)
        | (Value::Instant(_), Primitive::DateTimeOffset)
        | (Value::Duration(_), Primitive::Duration) => true,
        _ => false,
    }
}
