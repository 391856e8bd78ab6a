//! The reference: what a query means, in the plainest form that could be found, so that a store's
//! answers can be judged. Fast it is not.
//!
//! Records are JSON; [`typed`] makes values of them by the tables of the model, and everything else
//! is recursion over the bound tree.

mod agree;
mod apply;
mod arithmetic;
mod cast;
mod expression;
mod function;
mod legs;
mod profile;
mod record;
mod search;
#[cfg(test)]
mod tests;
mod value;
mod verdict;

use odata::bound::Query;

use expression::{Scope, holds};

pub use agree::agrees;
pub use arithmetic::took_fault;
pub use profile::{Profile, random_stream};
pub use record::{json, record, rows};
pub use value::{Object, Value, equal, order, sorted, typed};
pub use verdict::{Judgement, judge};

/// What a query answers.
#[derive(Debug)]
pub struct Answer {
    /// Where the rows of the answer stand among those that were asked. With `$apply`, among what
    /// it makes of them.
    pub places: Vec<usize>,
    /// The rows, with computed members.
    pub rows: Vec<Value>,
    /// How many meet the conditions, before `$skip` and `$top`.
    pub count: usize,
}

/// What a query answers, asked of rows in their order.
pub fn answer(query: &Query, rows: &[Value]) -> Answer {
    let rows = match &query.apply {
        Some(chain) => apply::apply(chain, rows.to_vec()),
        None => rows.to_vec(),
    };
    let meets = |row: &Value| {
        let condition = query.filter.as_ref();
        let search = query.search.as_ref();
        condition.is_none_or(|condition| holds(condition, &Scope::of(row)))
            && search.is_none_or(|search| search::found(search, row))
    };
    let computed = rows.iter().map(|row| apply::with_computed(row, &query.compute));
    let mut met: Vec<_> = computed.enumerate().filter(|(_, row)| meets(row)).collect();
    let count = met.len();
    if !query.orderby.is_empty() {
        let order = apply::order_of(&query.orderby, met.iter().map(|(_, row)| row));
        met = order.into_iter().map(|place| met[place].clone()).collect();
    }
    let skip = query.skip.unwrap_or(0) as usize;
    let top = query.top.map_or(usize::MAX, |top| top as usize);
    let (places, rows) = met.into_iter().skip(skip).take(top).unzip();
    Answer { places, rows, count }
}
