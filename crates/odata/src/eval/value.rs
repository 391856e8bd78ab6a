//! Values of expressions: read from JSON by their type, compared as the language says.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::time::date_of;
use super::{HeapSize, Item};
use crate::edm::{EnumType, Primitive, StructuredType, Type};
use crate::json::{Node, Text};
use crate::literal::Literal;
use crate::primitive::{Decimal, Fine, Moment, folded};

/// The type of a value of which only its JSON tells something.
pub const DYNAMIC: Type = Type::Undeclared("");

/// A value. GUIDs are text: text that is a GUID is compared as one anyway.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// No value, a value that is not of its type, and NaN of a record.
    Null,
    /// `Edm.Boolean`
    Bool(bool),
    /// `Edm.Int32`, `Edm.Int64`
    Int(i64),
    /// `Edm.Single`, `Edm.Double`, `Edm.Decimal`; NaN only where it was calculated, or is a literal.
    Double(f64),
    /// A literal beside which an `f64` would stand elsewhere among whole numbers.
    Decimal(Decimal),
    /// `Edm.String`, `Edm.Guid`
    Text(Cow<'a, str>),
    /// A member of an enumeration, or several with commas between them.
    Enum {
        /// The enumeration.
        ty: &'static EnumType,
        /// As it stands in JSON; perhaps unknown to `ty`.
        name: Cow<'a, str>,
    },
    /// `Edm.Date`: days since 1970-01-01.
    Date(i64),
    /// `Edm.TimeOfDay`: since midnight.
    TimeOfDay(Fine),
    /// `Edm.DateTimeOffset`, equal to and ordered beside others whatever its zone.
    Instant(Moment),
    /// `Edm.Duration`
    Duration(Fine),
    /// An entity, a complex value, or JSON that is not of its type.
    Object(Item<'a>),
    /// A complex value that was calculated.
    Made(Box<(Node<'static>, Type)>),
    /// A collection.
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// The value that a JSON value stands for where `ty` is expected.
    pub fn of(node: &'a Node<'a>, ty: Type) -> Self {
        match (node, ty) {
            (Node::Null, _) => Self::Null,
            (Node::Array(items), _) => {
                Self::List(items.iter().map(|item| Self::of(item, ty)).collect())
            }
            (Node::Object(_), _) => Self::Object(Item { node, ty }),
            (_, Type::Primitive(primitive)) => Self::primitive(node, primitive),
            (Node::String(text), Type::Enum(ty)) => Self::Enum { ty, name: text.value() },
            (Node::Bool(value), _) => Self::Bool(*value),
            (Node::Number(digits), _) => {
                digits.parse().map_or_else(|_| Self::Double(parse_f64(digits)), Self::Int)
            }
            (Node::String(text), _) => Self::Text(text.value()),
        }
    }

    fn primitive(node: &'a Node<'a>, ty: Primitive) -> Self {
        match (node, ty) {
            (Node::Bool(value), _) => Self::Bool(*value),
            (Node::Number(digits), Primitive::Single | Primitive::Double | Primitive::Decimal) => {
                Self::Double(parse_f64(digits))
            }
            (Node::Number(digits), _) => {
                digits.parse().map_or_else(|_| Self::Double(parse_f64(digits)), Self::Int)
            }
            (Node::String(text), _) => Self::primitive_text(text, ty),
            _ => Self::Object(Item { node, ty: Type::Primitive(ty) }),
        }
    }

    /// What a string stands for. One that is not of its type stays text, equal to nothing else.
    fn primitive_text(text: &'a Text<'a>, ty: Primitive) -> Self {
        let raw = text.raw();
        let value = match ty {
            Primitive::DateTimeOffset => Moment::parse(raw).map(Self::Instant),
            Primitive::Duration => Fine::parse_duration(raw).map(Self::Duration),
            Primitive::Date => date_of(raw).map(Self::Date),
            Primitive::TimeOfDay => Fine::parse_time_of_day(raw).map(Self::TimeOfDay),
            Primitive::Int32 | Primitive::Int64 => raw.parse().ok().map(Self::Int),
            Primitive::Single | Primitive::Double | Primitive::Decimal => match raw {
                "NaN" => Some(Self::Null),
                _ => number(raw).map(Self::double),
            },
            _ => None,
        };
        value.unwrap_or_else(|| Self::Text(text.value()))
    }

    /// The value of a literal where `ty` is expected, if that is known.
    pub fn literal(literal: &Literal, ty: Option<Type>) -> Value<'static> {
        match literal {
            Literal::Null | Literal::Binary(_) | Literal::Geo(_) => Value::Null,
            Literal::Boolean(value) => Value::Bool(*value),
            Literal::Integer(value) => Value::Int(*value),
            Literal::Number(text) => number_literal(text),
            Literal::String(text) | Literal::Guid(text) => match ty {
                Some(Type::Enum(ty)) => enum_value(ty, text),
                _ => Value::Text(Cow::Owned(text.clone())),
            },
            Literal::Date(text) => date_of(text).map_or(Value::Null, Value::Date),
            Literal::TimeOfDay(text) => {
                Fine::parse_time_of_day(text).map_or(Value::Null, Value::TimeOfDay)
            }
            Literal::DateTimeOffset(at) => Value::Instant(*at),
            Literal::Duration(length) => Value::Duration(*length),
            Literal::Enum { members, .. } => match ty {
                Some(Type::Enum(ty)) => enum_value(ty, members),
                _ => Value::Text(Cow::Owned(members.clone())),
            },
        }
    }

    /// A number of a record, which is null for NaN.
    pub fn double(value: f64) -> Self {
        if value.is_nan() { Self::Null } else { Self::Double(value) }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Object(Item { node, ty }) => {
                Value::Made(Box::new((node.clone().into_owned(), ty)))
            }
            Self::Made(made) => Value::Made(made),
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Double(value) => Value::Double(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Enum { ty, name } => Value::Enum { ty, name: Cow::Owned(name.into_owned()) },
            Self::Date(value) => Value::Date(value),
            Self::TimeOfDay(value) => Value::TimeOfDay(value),
            Self::Instant(value) => Value::Instant(value),
            Self::Duration(value) => Value::Duration(value),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
        }
    }

    /// The object, whether it stands in JSON or was calculated.
    pub(super) fn object(&self) -> Option<Item<'_>> {
        match self {
            Self::Object(item) => Some(*item),
            Self::Made(made) => Some(Item { node: &made.0, ty: made.1 }),
            _ => None,
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// `eq`, which knows only true and false: null equals null, and values of different types
    /// are not equal.
    pub fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Text(a), Value::Text(b)) => a == b || folded(a) == folded(b),
            (Self::Enum { name: a, .. } | Self::Text(a), Value::Enum { name: b, .. })
            | (Self::Enum { name: a, .. }, Value::Text(b)) => a == b,
            (Self::Object(_) | Self::Made(_), Value::Object(_) | Value::Made(_)) => {
                let (left, right) = (self.object(), other.object());
                left.map(|item| item.node) == right.map(|item| item.node)
            }
            (Self::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (a, b) => a.order(b) == Some(Ordering::Equal),
        }
    }

    /// The order that `lt` and its kin go by; `None` for null and where there is none.
    pub fn order(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Self::Double(a), Value::Double(b)) => a.partial_cmp(b),
            (Self::Int(a), Value::Double(b)) => order_numbers(*a, *b),
            (Self::Decimal(a), Value::Double(b)) => a.near.partial_cmp(b),
            (Self::Int(a), Value::Decimal(b)) => Some(order_decimal(*a, *b)),
            (Self::Decimal(a), Value::Decimal(b)) => {
                let places = (a.floor, a.is_between).cmp(&(b.floor, b.is_between));
                Some(places.then(a.near.partial_cmp(&b.near)?))
            }
            (Self::Double(_), Value::Int(_) | Value::Decimal(_))
            | (Self::Decimal(_), Value::Int(_)) => other.order(self).map(Ordering::reverse),
            (Self::Text(a), Value::Text(b)) => Some(folded(a).as_bytes().cmp(folded(b).as_bytes())),
            (Self::Enum { ty, name: a }, Value::Enum { name: b, .. }) => {
                Some(enum_bits(ty, a)?.cmp(&enum_bits(ty, b)?))
            }
            (Self::Date(a), Value::Date(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Value::Instant(b)) => Some(a.at.cmp(&b.at)),
            (Self::TimeOfDay(a), Value::TimeOfDay(b)) | (Self::Duration(a), Value::Duration(b)) => {
                Some(a.cmp(b))
            }
            (Self::Date(a), Value::Instant(b)) => {
                Some(Fine::of(super::time::midnight(*a)?).cmp(&b.at))
            }
            (Self::Instant(_), Value::Date(_)) => other.order(self).map(Ordering::reverse),
            _ => None,
        }
    }

    /// Bytes that are gone through when the value is compared, roughly.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Enum { name, .. } => name.len(),
            Self::List(items) => {
                items.iter().map(Self::weight).sum::<usize>() + size_of_val(&**items)
            }
            _ => size_of::<Self>(),
        }
    }

    /// The number as the nearest `f64`.
    pub(super) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            Self::Decimal(value) => Some(value.near),
            _ => None,
        }
    }
}

impl HeapSize for Value<'_> {
    fn heap_size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Enum { name: text, .. } => text.len(),
            Self::Object(item) => item.node.heap_size(),
            Self::Made(made) => made.0.heap_size(),
            Self::List(items) => {
                size_of_val(items.as_slice()) + items.iter().map(Self::heap_size).sum::<usize>()
            }
            _ => 0,
        }
    }
}

/// What an object says of its type in `@odata.type` if that is the declared type or derives from
/// it, else the declared one. In canonical form the statement comes first; in an answer a context
/// may stand before it.
pub fn actual_type(node: &Node<'_>, declared: &'static StructuredType) -> &'static StructuredType {
    let members = node.as_object().unwrap_or_default();
    let stated = members.iter().take(2).find(|member| member.name.is("@odata.type"));
    let name = stated.and_then(|member| member.value.as_text()).map(Text::value);
    name.and_then(|name| declared.find_derived(name.trim_start_matches('#'))).unwrap_or(declared)
}

/// The value of a member of an enumeration, or of several together.
pub(super) fn enum_bits(ty: &EnumType, names: &str) -> Option<i64> {
    names.split(',').try_fold(0, |bits, name| Some(bits | member_value(ty, name.trim())?))
}

/// `has`. Members that are flags are compared by their bits as soon as one side has several.
pub(super) fn has_flags(ty: &EnumType, value: &str, wanted: &str) -> bool {
    if value == wanted {
        return true;
    }
    if !value.contains(',') && !wanted.contains(',') {
        return false;
    }
    match (enum_bits(ty, value), enum_bits(ty, wanted)) {
        (Some(value), Some(wanted)) => value & wanted == wanted,
        _ => false,
    }
}

fn member_value(ty: &EnumType, name: &str) -> Option<i64> {
    ty.members.iter().find(|(member, _)| *member == name).map(|(_, value)| *value)
}

/// A literal of an enumeration, with numbers put into the names that stand for them.
pub(super) fn enum_value(ty: &'static EnumType, text: &str) -> Value<'static> {
    let name = |part: &str| match part.parse::<i64>() {
        Ok(number) => {
            let member = ty.members.iter().find(|(_, value)| *value == number);
            member.map_or_else(|| part.to_owned(), |(name, _)| (*name).to_owned())
        }
        Err(_) => part.to_owned(),
    };
    let names: Vec<String> = text.split(',').map(|part| name(part.trim())).collect();
    Value::Enum { ty, name: Cow::Owned(names.join(",")) }
}

/// A number as OData writes it.
pub(super) fn number(text: &str) -> Option<f64> {
    match text {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ if text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            text.parse().ok()
        }
        _ => None,
    }
}

fn parse_f64(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::NAN)
}

/// The number as the nearest `f64` where that stands at the same place among whole numbers.
fn number_literal(text: &str) -> Value<'static> {
    let Some(near) = number(text) else { return Value::Null };
    let floor = near.floor();
    let is_there = |exact: &Decimal| {
        let is_equal = order_numbers(exact.floor, floor) == Some(Ordering::Equal);
        is_equal && (floor < near) == exact.is_between
    };
    match Decimal::parse(text) {
        Some(exact) if !is_there(&exact) => Value::Decimal(exact),
        _ => Value::Double(near),
    }
}

/// A whole number beside a decimal one, by their exact values.
fn order_decimal(whole: i64, other: Decimal) -> Ordering {
    let behind = if other.is_between { Ordering::Less } else { Ordering::Equal };
    whole.cmp(&other.floor).then(behind)
}

/// Compares by the exact values; NaN has no order.
fn order_numbers(int: i64, double: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if double >= BEYOND {
        return Some(Ordering::Less);
    }
    if double < -BEYOND {
        return Some(Ordering::Greater);
    }
    let whole = double.trunc();
    Some(int.cmp(&(whole as i64)).then(whole.partial_cmp(&double)?))
}
