//! `topcount` and its kin: the items that come first by a value, in the order of the collection
//! (Data Aggregation 3.3.1).

use std::borrow::Cow;

use super::Setting;
use super::sum::Sum;
use crate::bound::{Expr, Extreme, OrderKey};
use crate::eval::page::{Pager, Sieve, Window};
use crate::eval::{
    Environment, Exhausted, HeapSize, Meter, NOTHING, NoSearch, Program, Scope, Value,
};
use crate::json::Node;

/// A prepared choice.
#[derive(Debug)]
pub(super) struct Choice {
    /// What the chosen items must reach: a number of them, a sum, or a share of 100.
    limit: Limit,
    sieve: Sieve,
    by: Program,
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    Count(usize),
    Sum(f64),
    Percent(f64),
}

/// Items in the order of their values.
pub(super) struct Ranking<'p> {
    choice: &'p Choice,
    pager: Pager<'p, Candidate>,
    seen: usize,
}

/// An item that may be among the first.
struct Candidate {
    /// Its place in the collection.
    index: usize,
    /// What it is chosen by, as a number.
    value: f64,
    item: Node<'static>,
}

impl HeapSize for Candidate {
    fn heap_size(&self) -> usize {
        self.item.heap_size()
    }
}

impl Choice {
    pub(super) fn new(kind: Extreme, amount: &Expr, by: &Expr) -> Self {
        use Extreme::{BottomCount, BottomPercent, BottomSum, TopCount, TopPercent, TopSum};
        let amount = Program::new(amount);
        // A literal.
        let environment = Environment { searcher: &NoSearch, meter: &Meter::unlimited() };
        let amount = amount.value(&Scope::new(NOTHING, environment));
        let limit = match kind {
            TopCount | BottomCount => Limit::Count(number(&amount).max(0.0) as usize),
            TopSum | BottomSum => Limit::Sum(number(&amount)),
            TopPercent | BottomPercent => Limit::Percent(number(&amount)),
        };
        let is_descending = matches!(kind, TopCount | TopSum | TopPercent);
        let key = OrderKey { value: by.clone(), is_descending };
        Self { limit, sieve: Sieve::sorted_by(&[key]), by: Program::new(by) }
    }
}

/// A number or the ticks of a duration; 0 for null, which adds nothing.
fn number(value: &Value<'_>) -> f64 {
    match value {
        Value::Duration(length) => length.ticks as f64,
        value => value.as_f64().unwrap_or(0.0),
    }
}

impl<'p> Ranking<'p> {
    pub(super) fn new(choice: &'p Choice, setting: &Setting<'p>) -> Self {
        let room = match choice.limit {
            Limit::Count(count) => count,
            _ => usize::MAX,
        };
        let window = Window { room, ..Window::ALL };
        let pager = Pager::new(&choice.sieve, window, setting.ty, setting.environment);
        Self { choice, pager, seen: 0 }
    }

    /// Takes an item; how many more are kept.
    pub(super) fn push(&mut self, item: &Node<'_>, setting: &Setting<'_>) -> usize {
        let before = self.pager.held();
        let scope = Scope::new(setting.item(item), setting.environment);
        let value = number(&self.choice.by.value(&scope));
        let index = self.seen;
        self.seen += 1;
        let keep = |item: &Node<'_>| Candidate { index, value, item: item.clone().into_owned() };
        let _ = self.pager.offer(Cow::Borrowed(item), keep);
        self.pager.held() - before
    }

    /// How many items are kept.
    pub(super) fn held(&self) -> usize {
        self.pager.held()
    }

    pub(super) fn finish(self) -> Result<Vec<Node<'static>>, Exhausted> {
        let mut candidates = self.pager.finish()?.items;
        let mut total = Sum::default();
        for candidate in &candidates {
            total.add(candidate.value);
        }
        let mut sum = Sum::default();
        let needed = candidates.iter().take_while(|candidate| {
            let is_open = match self.choice.limit {
                Limit::Count(_) => true,
                Limit::Sum(wanted) => sum.value() < wanted,
                Limit::Percent(wanted) => !is_share(sum.value(), total.value(), wanted),
            };
            sum.add(candidate.value);
            is_open
        });
        let needed = needed.count();
        candidates.truncate(needed);
        candidates.sort_unstable_by_key(|candidate| candidate.index);
        Ok(candidates.into_iter().map(|candidate| candidate.item).collect())
    }
}

/// Whether a sum is that many per cent of the total or more; nothing is a share of 0.
fn is_share(sum: f64, total: f64, percent: f64) -> bool {
    if total < 0.0 {
        sum * 100.0 <= percent * total
    } else {
        total > 0.0 && sum * 100.0 >= percent * total
    }
}
