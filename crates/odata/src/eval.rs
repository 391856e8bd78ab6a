//! The language at work in memory: conditions and values of JSON items, their order, pages,
//! nested expansions and aggregates.
//!
//! A query is prepared once ([`Program`], [`Order`], [`Pipeline`]) and then
//! applied to many items. There is no I/O, and what is searched in an item by `$search` is the
//! caller's to know ([`Searcher`]).
//!
//! Meaning is as in [`crate::bound::Expr`]; in particular a value that is not of its type, NaN, a
//! missing member and everything that can't be calculated (overflow, division by zero) is null.

mod apply;
mod arithmetic;
mod cast;
mod collection;
mod function;
mod heap_size;
mod json_form;
mod key;
mod meter;
mod page;
mod pattern;
mod pool;
mod program;
mod share;
mod text;
mod time;
mod value;

#[cfg(test)]
mod tests;

pub use apply::{Aggregator, Excess, Pipeline, Run, Sizes, group_keys, push_identity};
pub use heap_size::HeapSize;
pub use json_form::{node_of, push_value, set_member};
pub use key::{Key, Order, Part, Sortable};
pub use meter::{Allowance, Exhausted, Fault, Meter};
pub use page::{Pager, Selection, Sieve, Window};
pub use pattern::{BadPattern, check_pattern};
pub use pool::Pool;
pub use program::{Program, compare};
pub use share::{WILSON_Z, wilson};
pub use value::{DYNAMIC, Value, actual_type};

use crate::bound::Search;
use crate::edm::{StructuredType, Type};
use crate::json::Node;

/// A JSON value and its declared type.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The value.
    pub node: &'a Node<'a>,
    /// Its declared type; [`DYNAMIC`] when nothing is declared.
    pub ty: Type,
}

/// An item that isn't there.
const NOTHING: Item<'static> = Item { node: &Node::Null, ty: DYNAMIC };

impl Item<'_> {
    /// The object with type `ty`, if it is of that type.
    fn cast(self, ty: &'static StructuredType) -> Option<Self> {
        self.node.as_object()?;
        let is_one = if let Type::Structured(declared) = self.ty {
            actual_type(self.node, declared).is_a(ty)
        } else {
            // Nothing is declared, so only the object itself can tell.
            let stated = self.node.get("@odata.type").and_then(Node::as_text);
            let is_derived = |name: &str| ty.find_derived(name.trim_start_matches('#')).is_some();
            stated.is_some_and(|name| is_derived(&name.value()))
        };
        is_one.then_some(Item { node: self.node, ty: Type::Structured(ty) })
    }
}

/// Knows what `$search` finds.
pub trait Searcher {
    /// Whether an item of a collection contains what is searched for.
    fn matches(&self, search: &Search, item: Item<'_>) -> bool;
}

/// Finds nothing: for expressions that are known to hold no search.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSearch;

impl Searcher for NoSearch {
    fn matches(&self, _: &Search, _: Item<'_>) -> bool {
        false
    }
}

/// What evaluating needs beside the item.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a searcher need not be printable")]
pub struct Environment<'s> {
    /// Knows what `$search` finds.
    pub searcher: &'s dyn Searcher,
    /// Counts what it takes.
    pub meter: &'s Meter,
}

impl Environment<'_> {
    /// Whether `$search` finds the item.
    fn finds(&self, search: &Search, item: Item<'_>) -> bool {
        self.meter.take_steps(STEPS_OF_A_SEARCH) && self.searcher.matches(search, item)
    }
}

/// What searching an item is worth: all texts in it are gone through.
const STEPS_OF_A_SEARCH: u64 = 256;

/// What the paths of an expression start from.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a searcher need not be printable")]
pub struct Scope<'a, 's> {
    /// The item at hand.
    pub item: Item<'a>,
    /// The item of the outermost collection, `$it`.
    pub outermost: Item<'a>,
    /// Variables of the lambdas around, innermost first.
    pub variables: Option<&'s Variable<'a, 's>>,
    /// Values that come with the item ([`crate::bound::Root::Value`]).
    pub values: &'s [Value<'a>],
    /// Knows what `$search` finds, and counts.
    pub environment: Environment<'s>,
}

/// A variable of a lambda and its value.
#[derive(Debug, Clone, Copy)]
pub struct Variable<'a, 's> {
    /// Its name.
    pub name: &'s str,
    /// Its value.
    pub item: Item<'a>,
    /// The variables further out.
    pub outer: Option<&'s Variable<'a, 's>>,
}

impl<'a, 's> Scope<'a, 's> {
    /// At an item of the outermost collection.
    pub fn new(item: Item<'a>, environment: Environment<'s>) -> Self {
        Self { item, outermost: item, variables: None, values: &[], environment }
    }

    /// At an item of which nothing is known but these values.
    pub fn of_values(values: &'s [Value<'a>], environment: Environment<'s>) -> Self {
        Self { values, ..Self::new(NOTHING, environment) }
    }

    fn meter(&self) -> &'s Meter {
        self.environment.meter
    }

    /// At another item.
    fn at(&self, item: Item<'a>) -> Self {
        Self { item, ..*self }
    }

    fn variable(&self, name: &str) -> Option<Item<'a>> {
        let mut next = self.variables;
        while let Some(variable) = next {
            if variable.name == name {
                return Some(variable.item);
            }
            next = variable.outer;
        }
        None
    }
}
