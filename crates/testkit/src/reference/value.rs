//! Values with their types, made from JSON by the tables of the model, and how they compare.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use odata::edm::{EnumType, Primitive, Property, StructuredType, Type};
use odata::primitive::{DateTimeOffset, Fine, Moment, TICKS_PER_DAY, parse_guid};
use serde_json::Value as Json;

/// A value of the language.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing; also what a NaN of a record counts as.
    Null,
    /// `Edm.Boolean`
    Bool(bool),
    /// `Edm.Int32`, `Edm.Int64`
    Int(i64),
    /// `Edm.Single`, `Edm.Double`, `Edm.Decimal`.
    Float(f64),
    /// `Edm.String`, `Edm.Guid`
    Text(Rc<str>),
    /// A member of an enumeration by its name, declared or not.
    Member(&'static EnumType, Rc<str>),
    /// A number as a query states it, where it is compared.
    Decimal(Rc<str>),
    /// `Edm.DateTimeOffset`
    Instant {
        /// Picoseconds since 1970.
        at: i128,
        /// Minutes ahead of UTC, as it was written.
        offset: i64,
    },
    /// `Edm.Duration`, in picoseconds.
    Duration(i128),
    /// `Edm.Date`, in days since 1970.
    Date(i64),
    /// `Edm.TimeOfDay`, in picoseconds since midnight.
    TimeOfDay(i128),
    /// A complex value or an entity.
    Object(Rc<Object>),
    /// A collection.
    List(Rc<Vec<Value>>),
}

/// A complex value, an entity, or a row of `$apply`.
#[derive(Debug, Clone, Default)]
pub struct Object {
    /// Its type, where it has one.
    pub ty: Option<&'static StructuredType>,
    /// Its members; one that is missing is null.
    pub members: BTreeMap<String, Value>,
}

impl Value {
    /// A number of a record.
    pub(super) fn float(number: f64) -> Self {
        if number.is_nan() { Self::Null } else { Self::Float(number) }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The items of a collection; anything else has none.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The member of that name; null where there is none.
    pub(super) fn member(&self, name: &str) -> Self {
        match self {
            Self::Object(object) => object.members.get(name).cloned().unwrap_or(Self::Null),
            _ => Self::Null,
        }
    }

    /// The object with a member put in or replaced.
    pub(super) fn with_member(&self, name: &str, value: Self) -> Self {
        let mut object = match self {
            Self::Object(object) => (**object).clone(),
            _ => Object::default(),
        };
        object.members.insert(name.to_owned(), value);
        Self::Object(Rc::new(object))
    }

    /// The object as one of another type.
    pub(super) fn as_type(&self, ty: &'static StructuredType) -> Self {
        let mut object = match self {
            Self::Object(object) => (**object).clone(),
            _ => Object::default(),
        };
        object.ty = Some(ty);
        Self::Object(Rc::new(object))
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Decimal(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// The value that JSON stands for where `ty` is expected.
pub fn typed(json: &Json, ty: Type) -> Value {
    match (json, ty) {
        (Json::Null, _) => Value::Null,
        (Json::Array(items), ty) => Value::list(items.iter().map(|item| typed(item, ty)).collect()),
        (Json::Object(_), Type::Structured(declared)) => object(json, declared),
        (Json::String(name), Type::Enum(ty)) => Value::Member(ty, name.as_str().into()),
        (_, Type::Primitive(primitive)) => of_primitive(json, primitive),
        _ => dynamic(json),
    }
}

fn object(json: &Json, declared: &'static StructuredType) -> Value {
    let stated = json["@odata.type"].as_str().unwrap_or_default().trim_start_matches('#');
    let ty = declared.find_derived(stated).unwrap_or(declared);
    let of_member = |(name, value): (&String, &Json)| {
        let value = match ty.member(name) {
            Some(property) => typed(value, property.ty),
            None => dynamic(value),
        };
        (name.clone(), value)
    };
    let members = json.as_object().into_iter().flatten().map(of_member).collect();
    Value::Object(Rc::new(Object { ty: Some(ty), members }))
}

fn of_primitive(json: &Json, primitive: Primitive) -> Value {
    let text = json.as_str().unwrap_or_default();
    let value = match primitive {
        Primitive::Boolean => json.as_bool().map(Value::Bool),
        Primitive::Int32 | Primitive::Int64 => json.as_i64().map(Value::Int),
        Primitive::Single | Primitive::Double | Primitive::Decimal => match text {
            "INF" => Some(Value::Float(f64::INFINITY)),
            "-INF" => Some(Value::Float(f64::NEG_INFINITY)),
            _ => json.as_f64().map(Value::float),
        },
        Primitive::String | Primitive::Guid | Primitive::Stream => json.as_str().map(Value::text),
        Primitive::DateTimeOffset => instant(text),
        Primitive::Duration => duration(text),
        Primitive::Date => date(text),
        Primitive::TimeOfDay => time_of_day(text),
    };
    value.unwrap_or(Value::Null)
}

/// What a member without a declared type says of itself.
fn dynamic(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => number.as_f64().map_or(Value::Null, Value::float),
        },
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::list(items.iter().map(dynamic).collect()),
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), dynamic(value)));
            Value::Object(Rc::new(Object { ty: None, members: members.collect() }))
        }
    }
}

/// An instant with the offset that it is written with.
pub(super) fn instant(text: &str) -> Option<Value> {
    let at = Moment::parse(text)?.at.picoseconds();
    let offset = match text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) {
        Some((_, zone)) if zone.starts_with(['+', '-']) && zone.as_bytes()[3] == b':' => {
            let minutes = zone[1..3].parse::<i64>().ok()? * 60 + zone[4..].parse::<i64>().ok()?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
        _ => 0,
    };
    Some(Value::Instant { at, offset })
}

pub(super) fn duration(text: &str) -> Option<Value> {
    Fine::parse_duration(text).map(|duration| Value::Duration(duration.picoseconds()))
}

pub(super) fn date(text: &str) -> Option<Value> {
    DateTimeOffset::parse(text).map(|midnight| Value::Date(midnight.0.div_euclid(TICKS_PER_DAY)))
}

pub(super) fn time_of_day(text: &str) -> Option<Value> {
    let time = Moment::parse(&format!("1970-01-01T{text}Z"));
    time.map(|time| Value::TimeOfDay(time.at.picoseconds()))
}

/// What a property that an instance lacks stands for.
pub(super) fn absent(property: &Property) -> Value {
    if property.is_collection { Value::list(Vec::new()) } else { Value::Null }
}

/// The declared value of a member of an enumeration.
pub(super) fn declared(ty: &EnumType, name: &str) -> Option<i64> {
    ty.members.iter().find(|(member, _)| *member == name).map(|(_, value)| *value)
}

/// `eq`: null equals null alone, and values of different kinds differ.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Member(_, a), Value::Member(_, b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let names = a.members.keys().chain(b.members.keys());
            let of = |object: &Object, name| object.members.get(name).cloned();
            names.into_iter().all(|name| {
                let (a, b) = (of(a, name), of(b, name));
                equal(&a.unwrap_or(Value::Null), &b.unwrap_or(Value::Null))
            })
        }
        _ => order(a, b) == Some(Ordering::Equal),
    }
}

/// Which of two values comes first; `None` where one is null or they are of different kinds.
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(_), Value::Float(b)) | (Value::Float(b), Value::Int(_)) if b.is_nan() => None,
        (Value::Int(a), Value::Float(b)) => Some(exactly(*a, *b)),
        (Value::Float(a), Value::Int(b)) => Some(exactly(*b, *a).reverse()),
        (Value::Int(a), Value::Decimal(b)) => Some(beside(*a, b)),
        (Value::Decimal(b), Value::Int(a)) => Some(beside(*a, b).reverse()),
        (Value::Decimal(_), _) | (_, Value::Decimal(_)) => a.number()?.partial_cmp(&b.number()?),
        (Value::Text(a), Value::Text(b)) => Some(plain(a).cmp(&plain(b))),
        (Value::Member(of_a, a), Value::Member(of_b, b)) => {
            Some(declared(of_a, a)?.cmp(&declared(of_b, b)?))
        }
        (Value::Instant { at: a, .. }, Value::Instant { at: b, .. })
        | (Value::Duration(a), Value::Duration(b))
        | (Value::TimeOfDay(a), Value::TimeOfDay(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Instant { at: b, .. }) => Some(midnight(*a).cmp(b)),
        (Value::Instant { at: a, .. }, Value::Date(b)) => Some(a.cmp(&midnight(*b))),
        _ => None,
    }
}

/// The first instant of a day, in picoseconds since 1970.
pub(super) fn midnight(day: i64) -> i128 {
    i128::from(day) * Fine::of(TICKS_PER_DAY).picoseconds()
}

/// Text as it is compared: GUIDs differ in no case.
pub(super) fn plain(text: &str) -> String {
    if parse_guid(text).is_some() { text.to_ascii_lowercase() } else { text.to_owned() }
}

/// A whole number against a decimal one, digit by digit.
fn beside(whole: i64, decimal: &str) -> Ordering {
    let number: f64 = decimal.parse().unwrap_or(f64::NAN);
    let (mantissa, exponent) = decimal.split_once(['e', 'E']).unwrap_or((decimal, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(i32::MAX);
    // What is far larger or smaller than any whole number, or has too many digits for this.
    if !(-40..=40).contains(&exponent) || number.abs() > 1e20 {
        return match number {
            0.0 if mantissa.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) => whole
                .cmp(&0)
                .then(if mantissa.starts_with('-') { Ordering::Greater } else { Ordering::Less }),
            number => exactly(whole, number),
        };
    }
    let is_negative = mantissa.starts_with('-');
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let before = before.trim_start_matches(['-', '+']);
    let mut digits: String = [before, behind].concat();
    let mut point = before.len() as i32 + exponent;
    while point < 1 {
        digits.insert(0, '0');
        point += 1;
    }
    while digits.len() < point as usize {
        digits.push('0');
    }
    let (size, fraction) = digits.split_at(point as usize);
    let size: i128 = size.parse().unwrap_or(i128::MAX);
    let signed = if is_negative { -size } else { size };
    let rest = if fraction.trim_matches('0').is_empty() {
        Ordering::Equal
    } else if is_negative {
        Ordering::Greater
    } else {
        Ordering::Less
    };
    i128::from(whole).cmp(&signed).then(rest)
}

/// A whole number against any other, without rounding either.
fn exactly(whole: i64, number: f64) -> Ordering {
    // 2^63, the first number that an i64 does not hold.
    let limit = 9_223_372_036_854_775_808.0;
    if number >= limit {
        Ordering::Less
    } else if number < -limit {
        Ordering::Greater
    } else {
        let floor = number.floor();
        let rest = if number > floor { Ordering::Less } else { Ordering::Equal };
        whole.cmp(&(floor as i64)).then(rest)
    }
}

/// The order of `$orderby`, ascending: null first, members of an enumeration that are not declared
/// behind those that are.
pub fn sorted(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Member(of_a, a), Value::Member(of_b, b)) => {
            let (a, b) = (declared(of_a, a), declared(of_b, b));
            a.is_none().cmp(&b.is_none()).then(a.cmp(&b))
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| order(a, b).unwrap_or(Ordering::Equal)),
    }
}

/// Places values of different kinds, which only dynamic members have in one column.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Float(number) if number.is_nan() => 3,
        Value::Int(_) | Value::Float(_) => 2,
        Value::Text(_) => 4,
        _ => 5,
    }
}
