//! `$orderby`: the values that an item is sorted by, with one total order, and as bytes for page
//! tokens.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::value::enum_bits;
use super::{HeapSize, Program, Scope, Value};
use crate::bound::OrderKey;
use crate::primitive::{Fine, Moment, folded};

/// A prepared `$orderby`.
#[derive(Debug)]
pub struct Order {
    keys: Vec<(Program, bool)>,
}

/// What an item is sorted by; the smallest comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Key {
    /// In the order of the keys of `$orderby`.
    pub parts: Vec<Part>,
}

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The value.
    pub value: Sortable,
    /// The largest comes first, and null last.
    pub is_descending: bool,
}

/// A value with a place in one order of all values. Values of one key are of one type as a rule;
/// where they are not, types follow each other as they stand here.
#[derive(Debug, Clone)]
pub enum Sortable {
    /// Before everything else. What can't be sorted (objects, collections) counts as this.
    Null,
    /// False comes before true.
    Bool(bool),
    /// A whole number, or the declared value of a member of an enumeration.
    Int(i64),
    /// Any other number, among the whole ones.
    Double(f64),
    /// Days.
    Date(i64),
    /// Since midnight.
    TimeOfDay(Fine),
    /// Since 1970-01-01T00:00:00Z.
    Instant(Fine),
    /// A length of time.
    Duration(Fine),
    /// By its bytes, GUIDs in lower case.
    Text(String),
    /// A member that its enumeration doesn't declare.
    UnknownMember,
}

impl Order {
    /// Prepares the keys.
    pub fn new(keys: &[OrderKey]) -> Self {
        let key = |key: &OrderKey| (Program::new(&key.value), key.is_descending);
        Self { keys: keys.iter().map(key).collect() }
    }

    /// Whether items stay in the order of their collection.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of an item.
    pub fn key(&self, scope: &Scope<'_, '_>) -> Key {
        let part = |(program, is_descending): &(Program, bool)| Part {
            value: Sortable::of(program.value(scope)),
            is_descending: *is_descending,
        };
        Key { parts: self.keys.iter().map(part).collect() }
    }
}

impl Sortable {
    /// Where a value stands.
    pub fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null | Value::Object(_) | Value::Made(_) | Value::List(_) => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::Double(value) => Self::Double(value),
            Value::Decimal(value) => Self::Double(value.near),
            Value::Text(text) => Self::Text(match folded(&text) {
                Cow::Owned(folded) => folded,
                Cow::Borrowed(_) => text.into_owned(),
            }),
            Value::Enum { ty, name } => enum_bits(ty, &name).map_or(Self::UnknownMember, Self::Int),
            Value::Date(value) => Self::Date(value),
            Value::TimeOfDay(value) => Self::TimeOfDay(value),
            Value::Instant(value) => Self::Instant(value.at),
            Value::Duration(value) => Self::Duration(value),
        }
    }

    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null | Self::UnknownMember => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Date(value) => Value::Date(*value),
            Self::TimeOfDay(value) => Value::TimeOfDay(*value),
            Self::Instant(value) => Value::Instant(Moment { at: *value, offset: 0 }),
            Self::Duration(value) => Value::Duration(*value),
            Self::Text(text) => Value::Text(text.into()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            // Behind all numbers, since it has no place among them.
            Self::Double(value) if value.is_nan() => DOUBLE,
            Self::Int(_) | Self::Double(_) => 2,
            Self::Date(_) => 4,
            Self::TimeOfDay(_) => 5,
            Self::Instant(_) => 6,
            Self::Duration(_) => 7,
            Self::Text(_) => 8,
            Self::UnknownMember => 9,
        }
    }

    /// Appends a tag and the value.
    fn push(&self, out: &mut Vec<u8>) {
        let number = match self {
            Self::Int(value) | Self::Date(value) => *value as u64,
            Self::TimeOfDay(time) | Self::Instant(time) | Self::Duration(time) => {
                out.extend_from_slice(&time.ticks.to_be_bytes());
                if time.is_between() {
                    out.extend_from_slice(&time.rest.to_be_bytes());
                }
                return;
            }
            Self::Double(value) => value.to_bits(),
            Self::Bool(value) => u64::from(*value),
            Self::Null | Self::UnknownMember => return,
            Self::Text(text) => {
                out.extend_from_slice(&(text.len() as u32).to_be_bytes());
                return out.extend_from_slice(text.as_bytes());
            }
        };
        out.extend_from_slice(&number.to_be_bytes());
    }

    fn take(tag: u8, rest: &mut &[u8]) -> Option<Self> {
        if tag == Self::Null.rank() {
            return Some(Self::Null);
        }
        if tag == Self::UnknownMember.rank() {
            return Some(Self::UnknownMember);
        }
        if tag == 8 {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (text, behind) = behind.split_at_checked(length)?;
            *rest = behind;
            return Some(Self::Text(std::str::from_utf8(text).ok()?.to_owned()));
        }
        let (number, behind) = rest.split_first_chunk::<8>()?;
        *rest = behind;
        let number = u64::from_be_bytes(*number);
        match tag {
            1 => Some(Self::Bool(number != 0)),
            2 => Some(Self::Int(number as i64)),
            DOUBLE => Some(Self::Double(f64::from_bits(number))),
            4 => Some(Self::Date(number as i64)),
            _ => {
                let mut time = Fine::of(number as i64);
                if tag & BETWEEN_TICKS != 0 {
                    let (between, behind) = rest.split_first_chunk::<4>()?;
                    *rest = behind;
                    time.rest = u32::from_be_bytes(*between);
                }
                match tag & !BETWEEN_TICKS {
                    5 => Some(Self::TimeOfDay(time)),
                    6 => Some(Self::Instant(time)),
                    7 => Some(Self::Duration(time)),
                    _ => None,
                }
            }
        }
    }
}

/// Tag of [`Sortable::Double`], which shares its rank with whole numbers.
const DOUBLE: u8 = 3;
/// Bit of the tag of a time that lies between two ticks.
const BETWEEN_TICKS: u8 = 0x40;
/// Bit of a tag that says that the part is descending.
const DESCENDING: u8 = 0x80;

impl Key {
    /// Appends the key for [`Key::decode`].
    pub fn encode(&self, out: &mut Vec<u8>) {
        for part in &self.parts {
            let tag = match part.value {
                Sortable::Double(_) => DOUBLE,
                Sortable::TimeOfDay(time) | Sortable::Instant(time) | Sortable::Duration(time)
                    if time.is_between() =>
                {
                    part.value.rank() | BETWEEN_TICKS
                }
                ref value => value.rank(),
            };
            out.push(tag | if part.is_descending { DESCENDING } else { 0 });
            part.value.push(out);
        }
    }

    /// Reads what [`Key::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut parts = Vec::new();
        while let Some((tag, behind)) = rest.split_first() {
            rest = behind;
            let is_descending = tag & DESCENDING != 0;
            parts
                .push(Part { value: Sortable::take(tag & !DESCENDING, &mut rest)?, is_descending });
        }
        Some(Self { parts })
    }
}

impl Ord for Sortable {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank()
            .cmp(&other.rank())
            .then_with(|| self.as_value().order(&other.as_value()).unwrap_or(Ordering::Equal))
    }
}

impl PartialOrd for Sortable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sortable {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sortable {}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        let ascending = self.value.cmp(&other.value);
        if self.is_descending { ascending.reverse() } else { ascending }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl HeapSize for Key {
    fn heap_size(&self) -> usize {
        let text = |part: &Part| match &part.value {
            Sortable::Text(text) => text.len(),
            _ => 0,
        };
        size_of_val(self.parts.as_slice()) + self.parts.iter().map(text).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fine() -> impl Strategy<Value = Fine> {
        let rest = prop_oneof![Just(0), 0..100_000_u32];
        (any::<i64>(), rest).prop_map(|(ticks, rest)| Fine { ticks, rest })
    }

    fn sortable() -> impl Strategy<Value = Sortable> {
        prop_oneof![
            Just(Sortable::Null),
            any::<bool>().prop_map(Sortable::Bool),
            any::<i64>().prop_map(Sortable::Int),
            (-3..3_i64).prop_map(Sortable::Int),
            any::<f64>()
                .prop_filter("a number", |value| !value.is_nan())
                .prop_map(Sortable::Double),
            (-3..3_i32).prop_map(|half| Sortable::Double(f64::from(half) / 2.0)),
            any::<i64>().prop_map(Sortable::Date),
            fine().prop_map(Sortable::TimeOfDay),
            fine().prop_map(Sortable::Instant),
            fine().prop_map(Sortable::Duration),
            any::<String>().prop_map(Sortable::Text),
            Just(Sortable::UnknownMember),
        ]
    }

    fn key() -> impl Strategy<Value = Key> {
        let part = (sortable(), any::<bool>())
            .prop_map(|(value, is_descending)| Part { value, is_descending });
        prop::collection::vec(part, 0..4).prop_map(|parts| Key { parts })
    }

    proptest! {
        #[test]
        fn a_key_read_back_stands_where_it_stood(key in key()) {
            let mut bytes = Vec::new();
            key.encode(&mut bytes);
            prop_assert_eq!(Key::decode(&bytes), Some(key));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(key) = Key::decode(&bytes) {
                let mut again = Vec::new();
                key.encode(&mut again);
                prop_assert_eq!(Key::decode(&again), Some(key));
            }
        }

        #[test]
        fn the_order_is_total(mut values in prop::collection::vec(sortable(), 3)) {
            let [a, b, c] = &values[..] else { unreachable!("three were made") };
            prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c, "{:?}", (a, b, c));
            }
            values.sort();
            prop_assert!(values.is_sorted());
        }
    }

    #[test]
    fn null_comes_first_and_last_when_descending() {
        let part = |value: &Sortable, is_descending| Part { value: value.clone(), is_descending };
        let text = Sortable::Text(String::new());
        assert!(part(&Sortable::Null, false) < part(&text, false));
        assert!(part(&Sortable::Null, true) > part(&text, true));
        assert!(part(&Sortable::UnknownMember, false) > part(&Sortable::Int(i64::MAX), false));
        assert!(
            Sortable::Double(0.5) > Sortable::Int(0) && Sortable::Int(1) > Sortable::Double(0.5)
        );
    }
}
