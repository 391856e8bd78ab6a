//! `cast` and `isof` (URL Conventions 5.1.1.10). A cast that fails is null.

use odata::edm::{Primitive, Type};
use odata::primitive::{Fine, Moment, parse_guid};

use super::function::there;
use super::value::{Value, date, declared, duration, instant, midnight, time_of_day};

/// The value as one of `ty`.
pub(super) fn cast(value: &Value, ty: Type) -> Value {
    let result = match (value, ty) {
        (Value::Null, _) => None,
        (Value::List(items), ty) => {
            Some(Value::list(items.iter().map(|item| cast(item, ty)).collect()))
        }
        (value, ty) if is_of(value, ty) => Some(value.clone()),
        (value, Type::Primitive(Primitive::String)) => text(value).map(|text| Value::text(&text)),
        (Value::Int(number), Type::Enum(ty)) => {
            let found = ty.members.iter().find(|(_, value)| value == number);
            found.map(|(name, _)| Value::Member(ty, (*name).into()))
        }
        (Value::Text(name), Type::Enum(ty)) => {
            declared(ty, name).map(|_| Value::Member(ty, name.clone()))
        }
        (Value::Member(of, name), Type::Primitive(Primitive::Int32 | Primitive::Int64)) => {
            declared(of, name).map(Value::Int)
        }
        (Value::Text(text), Type::Primitive(primitive)) => parsed(text, primitive),
        (Value::Int(number), Type::Primitive(primitive)) => whole(*number, primitive),
        (Value::Float(number), Type::Primitive(primitive)) => {
            let rounded = number.round();
            let fits =
                (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded);
            fits.then(|| whole(rounded as i64, primitive)).flatten()
        }
        (Value::Date(days), Type::Primitive(Primitive::DateTimeOffset)) => {
            Some(Value::Instant { at: midnight(*days), offset: 0 })
        }
        (Value::Instant { at, offset }, Type::Primitive(Primitive::Date)) => {
            Some(Value::Date(there(*at, *offset).div_euclid(midnight(1)) as i64))
        }
        (Value::Instant { at, offset }, Type::Primitive(Primitive::TimeOfDay)) => {
            Some(Value::TimeOfDay(there(*at, *offset).rem_euclid(midnight(1))))
        }
        _ => None,
    };
    result.unwrap_or(Value::Null)
}

fn whole(number: i64, primitive: Primitive) -> Option<Value> {
    match primitive {
        Primitive::Int32 => i32::try_from(number).ok().map(|_| Value::Int(number)),
        Primitive::Int64 => Some(Value::Int(number)),
        Primitive::Single | Primitive::Double | Primitive::Decimal => {
            Some(Value::Float(number as f64))
        }
        _ => None,
    }
}

fn parsed(text: &str, primitive: Primitive) -> Option<Value> {
    match primitive {
        Primitive::Boolean => text.to_ascii_lowercase().parse().ok().map(Value::Bool),
        Primitive::Int32 => text.parse::<i32>().ok().map(|number| Value::Int(number.into())),
        Primitive::Int64 => text.parse().ok().map(Value::Int),
        Primitive::Single | Primitive::Double | Primitive::Decimal => match text {
            "INF" => Some(Value::Float(f64::INFINITY)),
            "-INF" => Some(Value::Float(f64::NEG_INFINITY)),
            "NaN" => Some(Value::Float(f64::NAN)),
            text if text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => {
                text.parse().ok().map(Value::float)
            }
            _ => None,
        },
        Primitive::Guid => parse_guid(text).map(|_| Value::text(text)),
        Primitive::Date if text.len() == 10 => date(text),
        Primitive::TimeOfDay => time_of_day(text),
        Primitive::DateTimeOffset => instant(text),
        Primitive::Duration => duration(text),
        _ => None,
    }
}

/// As answers write the value.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) if number.is_infinite() => {
            Some(if *number > 0.0 { "INF" } else { "-INF" }.to_owned())
        }
        Value::Float(number) => Some(format!("{number:?}")),
        Value::Text(text) | Value::Member(_, text) => Some(text.to_string()),
        Value::Instant { at, offset } => {
            let moment =
                Moment { at: Fine::from_picoseconds(*at)?, offset: (*offset).try_into().ok()? };
            Some(moment.to_string())
        }
        Value::Duration(length) => {
            let mut text = String::new();
            Fine::from_picoseconds(*length)?.write_duration(&mut text).ok()?;
            Some(text)
        }
        Value::Date(days) => {
            let midnight = Moment { at: Fine::from_picoseconds(midnight(*days))?, offset: 0 };
            midnight.to_string().split('T').next().map(Into::into)
        }
        Value::TimeOfDay(time) => {
            let text = Moment { at: Fine::from_picoseconds(*time)?, offset: 0 }.to_string();
            text.split('T').nth(1).map(|time| time.trim_end_matches('Z').to_owned())
        }
        Value::Decimal(text) => Some(text.to_string()),
        Value::Null | Value::Object(_) | Value::List(_) => None,
    }
}

/// Whether the value is one of `ty`.
pub(super) fn is_of(value: &Value, ty: Type) -> bool {
    match (value, ty) {
        (Value::Object(object), Type::Structured(ty)) => object.ty.is_some_and(|own| own.is_a(ty)),
        (Value::Member(own, _), Type::Enum(ty)) => std::ptr::eq(*own, ty),
        (value, Type::Primitive(primitive)) => match value {
            Value::Bool(_) => primitive == Primitive::Boolean,
            Value::Int(number) => {
                primitive == Primitive::Int64
                    || primitive == Primitive::Int32 && i32::try_from(*number).is_ok()
            }
            Value::Float(_) | Value::Decimal(_) => {
                matches!(primitive, Primitive::Single | Primitive::Double | Primitive::Decimal)
            }
            Value::Text(text) => {
                primitive == Primitive::String
                    || primitive == Primitive::Guid && parse_guid(text).is_some()
            }
            Value::Instant { .. } => primitive == Primitive::DateTimeOffset,
            Value::Duration(_) => primitive == Primitive::Duration,
            Value::Date(_) => primitive == Primitive::Date,
            Value::TimeOfDay(_) => primitive == Primitive::TimeOfDay,
            _ => false,
        },
        _ => false,
    }
}
