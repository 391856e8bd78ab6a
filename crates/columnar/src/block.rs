//! The columns of a block that a question looks at.

use std::borrow::Cow;
use std::sync::Arc;

use model::columns::Kind;
use odata::eval::Value;
use odata::primitive::{Fine, Moment};

use crate::column::Column;
use crate::leg::End;
use crate::slot::Slot;

/// The columns of a block that a question looks at, and the starts of its rows, which come the latest first.
/// Where rows are about ends of streams, it has all of one end.
#[derive(Debug)]
pub struct Block {
    /// Tells the block from others of the question.
    pub(crate) number: usize,
    end: Option<End>,
    pub(crate) starts: Arc<Column>,
    leaves: Vec<Leaf>,
}

/// A column and what its values are.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) column: Arc<Column>,
    kind: Kind,
}

impl Block {
    /// A block, by its number, with rows that start then; its columns come as the question's slots are filled.
    pub fn new(number: usize, end: Option<End>, starts: Arc<Column>) -> Self {
        Self { number, end, starts, leaves: Vec::new() }
    }

    /// Gives the next slot its column.
    pub fn push(&mut self, slot: &Slot, column: Arc<Column>) {
        self.leaves.push(Leaf { column, kind: slot.kind });
    }

    pub(crate) fn leaf(&self, slot: usize) -> &Leaf {
        &self.leaves[slot]
    }

    /// Where a row stands among all rows of the block, the other end's too.
    pub(crate) fn place(&self, row: usize) -> usize {
        match self.end {
            Some(end) => row * End::BOTH.len() + end as usize,
            None => row,
        }
    }

    /// Whether two rows have the same values in these slots.
    pub(crate) fn is_same(&self, slots: &[usize], one: usize, other: usize) -> bool {
        slots.iter().all(|slot| self.leaves[*slot].column.is_same(one, other))
    }
}

impl Leaf {
    /// The value of a row.
    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        match &*self.column {
            Column::Nothing => Value::Null,
            Column::Int(numbers) => numbers.get(row).map_or(Value::Null, |it| self.whole(it)),
            Column::Real(numbers) => numbers.get(row).map_or(Value::Null, Value::double),
            Column::Text(texts) => texts.get(row).map_or(Value::Null, |text| self.text(text)),
        }
    }

    fn whole(&self, number: i64) -> Value<'static> {
        match self.kind {
            Kind::Int => Value::Int(number),
            Kind::Bool => Value::Bool(number != 0),
            Kind::Instant => Value::Instant(Moment::utc(number)),
            Kind::Duration => Value::Duration(Fine::of(number)),
            Kind::Real => Value::Double(number as f64),
            Kind::Text | Kind::Enum(_) | Kind::EnumSet(_) | Kind::IdKey => Value::Null,
        }
    }

    /// The value that a text of the column stands for. The name of no member tells of null.
    fn text<'t>(&self, text: &'t str) -> Value<'t> {
        match self.kind {
            Kind::Enum(_) if text.is_empty() => Value::Null,
            Kind::Enum(ty) => Value::Enum { ty, name: Cow::Borrowed(text) },
            _ => Value::Text(Cow::Borrowed(text)),
        }
    }
}
