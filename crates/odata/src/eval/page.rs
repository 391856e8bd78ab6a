//! A collection through `$compute`, `$filter`, `$search`, `$count`, `$orderby`, `$skip` and
//! `$top`, item by item and in bounded memory.

use std::borrow::Cow;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use super::json_form::set_member;
use super::{Environment, Exhausted, HeapSize, Item, Key, Order, Program, Scope};
use crate::bound::{ComputedMember, OrderKey, Query, Search};
use crate::edm::Type;
use crate::json::Node;

/// Which of the items that meet the conditions are wanted, by their places in the whole result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Items to leave out at the start.
    pub start: usize,
    /// The most items to take.
    pub room: usize,
    /// `$top` allows none behind them.
    pub is_last: bool,
}

impl Window {
    /// Everything.
    pub const ALL: Self = Self { start: 0, room: usize::MAX, is_last: false };

    /// The page of at most `size` items that comes behind those `shown` on earlier pages, within
    /// `$skip` and `$top`.
    pub fn of(query: &Query, shown: u64, size: usize) -> Self {
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let left = query.top.map_or(u64::MAX, |top| top.saturating_sub(shown));
        Self {
            start: whole(query.skip.unwrap_or(0).saturating_add(shown)),
            room: size.min(whole(left)),
            is_last: left <= size as u64,
        }
    }
}

/// What a [`Pager`] chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection<T> {
    /// In the order asked for.
    pub items: Vec<T>,
    /// How many items met the conditions, if that was asked for.
    pub count: Option<u64>,
    /// There are more behind the window, and `$top` allows them.
    pub has_more: bool,
}

/// A calculated member, prepared.
#[derive(Debug)]
pub(super) struct Calculation {
    alias: String,
    program: Program,
    position: usize,
}

/// The conditions and calculations of a query, prepared.
#[derive(Debug)]
pub struct Sieve {
    compute: Vec<Calculation>,
    filter: Option<Program>,
    search: Option<Search>,
    order: Order,
    is_counted: bool,
}

impl Sieve {
    /// Prepares a query, the part of it that chooses items.
    pub fn new(query: &Query) -> Self {
        Self {
            compute: calculations(&query.compute),
            filter: query.filter.as_ref().map(Program::new),
            search: query.search.clone(),
            order: Order::new(&query.orderby),
            is_counted: query.count,
        }
    }

    /// Takes every item, in an order.
    pub(super) fn sorted_by(keys: &[OrderKey]) -> Self {
        Self {
            compute: Vec::new(),
            filter: None,
            search: None,
            order: Order::new(keys),
            is_counted: false,
        }
    }

    /// Whether every item is taken as it is, in the order in which it comes.
    pub fn is_plain(&self) -> bool {
        self.compute.is_empty()
            && self.filter.is_none()
            && self.search.is_none()
            && self.order.is_empty()
    }

    /// Whether items get calculated members.
    pub fn computes(&self) -> bool {
        !self.compute.is_empty()
    }

    /// Adds the calculated members to an item of type `ty`, each of which sees those before it.
    /// `outermost` is `$it` where that is another item.
    pub fn compute(
        &self,
        item: &mut Node<'_>,
        ty: Type,
        outermost: Option<Item<'_>>,
        environment: Environment<'_>,
    ) {
        compute(&self.compute, item, ty, outermost, environment);
    }

    fn admits(&self, scope: &Scope<'_, '_>) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.holds(scope))
            && self.search.as_ref().is_none_or(|search| scope.environment.finds(search, scope.item))
    }
}

/// Prepares calculated members.
pub(super) fn calculations(computed: &[ComputedMember]) -> Vec<Calculation> {
    let prepared = |member: &ComputedMember| Calculation {
        alias: member.alias.clone(),
        program: Program::new(&member.value),
        position: member.position,
    };
    computed.iter().map(prepared).collect()
}

/// Adds the calculated members to an item, each of which sees those before it.
pub(super) fn compute(
    members: &[Calculation],
    item: &mut Node<'_>,
    ty: Type,
    outermost: Option<Item<'_>>,
    environment: Environment<'_>,
) {
    for Calculation { alias, program, position } in members {
        let this = Item { node: item, ty };
        let mut scope = Scope::new(this, environment);
        scope.outermost = outermost.unwrap_or(this);
        let value = program.value(&scope);
        // The member is a copy of it.
        if !environment.meter.make(value.heap_size()) {
            return environment.meter.blame(alias, *position);
        }
        let mut added = Vec::new();
        set_member(&mut added, alias, &value);
        if let Node::Object(members) = item {
            members.retain(|member| !added.iter().any(|new| new.name == member.name));
            members.append(&mut added);
        }
    }
}

/// Chooses items of a collection. What is kept of a chosen item (a copy, its text, its number) is
/// the caller's to say; memory is bounded by the window.
#[expect(missing_debug_implementations, reason = "a searcher need not be printable")]
pub struct Pager<'s, T> {
    sieve: &'s Sieve,
    window: Window,
    ty: Type,
    outermost: Option<Item<'s>>,
    environment: Environment<'s>,
    matched: usize,
    kept: Vec<T>,
    sorted: BinaryHeap<RankedItem<T>>,
}

/// An item with its place in the order; equal keys keep the order of the collection.
struct RankedItem<T> {
    place: (Key, usize),
    value: T,
}

impl<'s, T: HeapSize> Pager<'s, T> {
    /// For a collection of items of type `ty`.
    pub fn new(sieve: &'s Sieve, window: Window, ty: Type, environment: Environment<'s>) -> Self {
        Self {
            sieve,
            window,
            ty,
            outermost: None,
            environment,
            matched: 0,
            kept: Vec::new(),
            sorted: BinaryHeap::new(),
        }
    }

    /// With this item as `$it`, for a collection that is inside it.
    #[must_use]
    pub fn inside(mut self, outermost: Item<'s>) -> Self {
        self.outermost = Some(outermost);
        self
    }

    /// Takes the next item of the collection; `keep` is called if it is chosen as far as is known,
    /// with the item and its calculated members. `Break` means that no further item can matter, or
    /// that the budget is exhausted.
    pub fn offer(
        &mut self,
        item: Cow<'_, Node<'_>>,
        keep: impl FnOnce(&Node<'_>) -> T,
    ) -> ControlFlow<()> {
        let meter = self.environment.meter;
        if !meter.step() {
            return ControlFlow::Break(());
        }
        let made = meter.made();
        let flow = self.consider(item, keep);
        meter.forget(made);
        if meter.is_exhausted() { ControlFlow::Break(()) } else { flow }
    }

    fn consider(
        &mut self,
        mut item: Cow<'_, Node<'_>>,
        keep: impl FnOnce(&Node<'_>) -> T,
    ) -> ControlFlow<()> {
        if self.sieve.computes() {
            self.sieve.compute(item.to_mut(), self.ty, self.outermost, self.environment);
        }
        let this = Item { node: &item, ty: self.ty };
        let mut scope = Scope::new(this, self.environment);
        scope.outermost = self.outermost.unwrap_or(this);
        if !self.sieve.admits(&scope) {
            return ControlFlow::Continue(());
        }
        let number = self.matched;
        self.matched += 1;
        let end = self.window.start.saturating_add(self.window.room);
        if !self.sieve.order.is_empty() {
            self.rank(number, end, &scope, keep);
        } else if number >= self.window.start && number < end {
            let value = keep(&item);
            self.environment.meter.keep(size_of::<T>() + value.heap_size());
            self.kept.push(value);
        }
        let is_settled = self.matched > end || self.matched == end && self.window.is_last;
        if self.sieve.order.is_empty() && !self.sieve.is_counted && is_settled {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Keeps an item if it is among the first `most` so far.
    fn rank(
        &mut self,
        number: usize,
        most: usize,
        scope: &Scope<'_, '_>,
        keep: impl FnOnce(&Node<'_>) -> T,
    ) {
        if self.window.room == 0 {
            return;
        }
        let meter = self.environment.meter;
        let place = (self.sieve.order.key(scope), number);
        if self.sorted.len() == most {
            if self.sorted.peek().is_some_and(|last| last.place < place) {
                return;
            }
            if let Some(last) = self.sorted.pop() {
                meter.release(last.size());
            }
        }
        let ranked = RankedItem { place, value: keep(scope.item.node) };
        meter.keep(ranked.size());
        self.sorted.push(ranked);
    }

    /// How many items met the conditions so far.
    pub fn matched(&self) -> usize {
        self.matched
    }

    /// How many items are kept at the moment.
    pub fn held(&self) -> usize {
        self.kept.len() + self.sorted.len()
    }

    /// What was chosen.
    ///
    /// # Errors
    /// When the budget is exhausted, so that nothing is known of the rest.
    pub fn finish(self) -> Result<Selection<T>, Exhausted> {
        self.environment.meter.check()?;
        let mut items = self.kept;
        if !self.sieve.order.is_empty() {
            let sorted = self.sorted.into_sorted_vec().into_iter().skip(self.window.start);
            items = sorted.map(|ranked| ranked.value).collect();
        }
        let end = self.window.start.saturating_add(self.window.room);
        Ok(Selection {
            items,
            count: self.sieve.is_counted.then_some(self.matched as u64),
            has_more: self.matched > end && !self.window.is_last,
        })
    }
}

impl<T: HeapSize> RankedItem<T> {
    fn size(&self) -> usize {
        size_of::<Self>() + self.place.0.heap_size() + self.value.heap_size()
    }
}

impl<T> Ord for RankedItem<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

impl<T> PartialOrd for RankedItem<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for RankedItem<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for RankedItem<T> {}
