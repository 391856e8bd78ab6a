//! A set of texts to look up, for `in` with a long list.

use std::collections::HashSet;

use crate::eval::Value;
use crate::primitive::folded;

/// Texts, of which GUIDs are found whatever their case.
pub(super) struct Texts(HashSet<Box<str>>);

impl Texts {
    /// The texts and names of these values; `None` if one is neither text nor an enumeration's
    /// member.
    pub(super) fn of(items: &[Value<'_>]) -> Option<Self> {
        let text = |item: &Value<'_>| match item {
            Value::Text(text) => Some(folded(text).into()),
            Value::Enum { name, .. } => Some(Box::from(&**name)),
            _ => None,
        };
        items.iter().map(text).collect::<Option<_>>().map(Self)
    }

    /// Whether text equals one of them.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.0.contains(text) || self.0.contains(&*folded(text))
    }

    /// Whether one of them is the same text byte for byte, as names of members are compared.
    pub(super) fn contains_exactly(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}
