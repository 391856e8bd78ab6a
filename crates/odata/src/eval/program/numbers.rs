//! A set of numbers to look up, for `in` with a long list.

use std::collections::HashSet;

use crate::eval::Value;
use crate::primitive::Fine;

/// Whole numbers, instants or durations; all of one kind.
pub(super) struct Numbers {
    kind: Kind,
    known: HashSet<Fine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Instant,
    Duration,
}

impl Numbers {
    /// The numbers of these values; `None` if they are not all of one kind.
    pub(super) fn of(items: &[Value<'_>]) -> Option<Self> {
        let (kind, _) = number(items.first()?)?;
        let own = |item| number(item).filter(|(other, _)| *other == kind).map(|(_, number)| number);
        let known = items.iter().map(own).collect::<Option<_>>()?;
        Some(Self { kind, known })
    }

    /// Whether a value equals one of them; `None` for one of another kind, which the set can't tell of.
    pub(super) fn contains(&self, value: &Value<'_>) -> Option<bool> {
        let (kind, number) = number(value)?;
        (kind == self.kind).then(|| self.known.contains(&number))
    }
}

fn number(value: &Value<'_>) -> Option<(Kind, Fine)> {
    match value {
        Value::Int(number) => Some((Kind::Int, Fine::of(*number))),
        Value::Instant(moment) => Some((Kind::Instant, moment.at)),
        Value::Duration(length) => Some((Kind::Duration, *length)),
        _ => None,
    }
}
