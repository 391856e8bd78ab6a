//! How much answering a question may take: steps, time and memory.
//!
//! A [`Meter`] goes along with every evaluation. It is charged in every loop; once it is exhausted it
//! stays so, the loops end at their next turn, and what they return means nothing. So a result
//! counts only after [`Meter::check`]. What keeps items ([`super::Pager`], [`super::Run`]) checks by
//! itself.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use super::pool::Pool;
use crate::bound::Place;

/// Steps between two looks at the clock; some microseconds.
const STEPS_BETWEEN_LOOKS: u64 = 1_024;
/// What a meter takes out of a pool at a time.
const PIECE: usize = 64 << 10;
/// Bytes of text of the largest item to evaluate; as a tree it takes several times that.
const LARGEST_ITEM: usize = 48 << 20;
/// How much larger than its text a tree is, roughly.
const TREE_OF_TEXT: usize = 3;
/// Bytes of text that cost as much as a step.
const BYTES_OF_A_STEP: usize = 64;

/// Why a question is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// By [`Allowance::steps`].
    #[error("the query takes more than {0} steps")]
    Steps(u64),
    /// By [`Allowance::deadline`].
    #[error("the query takes longer than it may")]
    Time,
    /// By [`Allowance::bytes`].
    #[error("the query makes values of more than {0} bytes")]
    Memory(usize),
    /// The text of an item has more bytes than are evaluated.
    #[error("a record of more than {0} bytes is too large to be looked at by this query")]
    Item(usize),
    /// A calculation has no result (URL Conventions 5.1.1.1 and 5.1.1.2).
    #[error("{fault} in the calculation at position {} of '{}'", .place.position, .place.option)]
    Calculation {
        /// Why.
        fault: Fault,
        /// Where it stands.
        place: Place,
    },
    /// Others have taken what the pool has.
    #[error("other queries have taken the memory that there is for queries")]
    Pool,
}

/// Why a calculation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A whole number or a duration was divided by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// The result is beyond what its type can hold.
    #[error("overflow")]
    Overflow,
}

/// What one question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Operations on values; each is worth some tens of nanoseconds.
    pub steps: u64,
    /// When to give up, if ever.
    pub deadline: Option<Instant>,
    /// Bytes of values that it makes and of items that it keeps.
    pub bytes: usize,
}

impl Allowance {
    /// As much as it wants: for questions that nobody else asked.
    pub const UNLIMITED: Self = Self { steps: u64::MAX, deadline: None, bytes: usize::MAX };

    /// As much as it wants until an instant.
    pub fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::UNLIMITED }
    }
}

/// Counts what answering takes.
#[derive(Debug)]
pub struct Meter {
    allowance: Cell<Allowance>,
    pool: Option<Arc<Pool>>,
    /// Steps taken.
    steps: Cell<u64>,
    /// The number of steps at which something is to be looked at.
    look_at: Cell<u64>,
    /// Bytes of values that go with the item at hand.
    passing: Cell<usize>,
    /// Bytes of what is kept.
    kept: Cell<usize>,
    /// Bytes of the largest item that was read to be looked at.
    loaded: Cell<usize>,
    /// Bytes taken out of the pool, at least as many as all of these.
    pooled: Cell<usize>,
    exhausted: Cell<Option<Exhausted>>,
    place: RefCell<Option<String>>,
}

impl Meter {
    /// With memory that is nobody else's.
    pub fn new(allowance: Allowance) -> Self {
        Self {
            allowance: Cell::new(allowance),
            pool: None,
            steps: Cell::new(0),
            look_at: Cell::new(STEPS_BETWEEN_LOOKS.min(allowance.steps)),
            passing: Cell::new(0),
            kept: Cell::new(0),
            loaded: Cell::new(0),
            pooled: Cell::new(0),
            exhausted: Cell::new(None),
            place: RefCell::default(),
        }
    }

    /// With memory out of a pool.
    pub fn of(pool: &Arc<Pool>, allowance: Allowance) -> Self {
        let mut meter = Self::new(allowance);
        meter.pool = Some(Arc::clone(pool));
        meter
    }

    /// That never runs out.
    pub fn unlimited() -> Self {
        Self::new(Allowance::UNLIMITED)
    }

    /// When to give up, if ever.
    pub fn deadline(&self) -> Option<Instant> {
        self.allowance.get().deadline
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Whether nothing more may be done.
    #[inline]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted.get().is_some()
    }

    /// Whether what was evaluated so far counts.
    ///
    /// # Errors
    /// What ran out.
    pub fn check(&self) -> Result<(), Exhausted> {
        self.exhausted.get().map_or(Ok(()), Err)
    }

    /// Notes that a calculation has no result, which ends the evaluation.
    pub(super) fn fail(&self, fault: Fault, place: Place) {
        self.exhaust(Exhausted::Calculation { fault, place });
    }

    /// Notes which calculated member exhausted the budget, by its name and the position of its value in
    /// the option; the first one counts.
    pub(super) fn blame(&self, alias: &str, position: usize) {
        let mut place = self.place.borrow_mut();
        // A calculation without a result says its place itself.
        let is_budget = !matches!(self.exhausted.get(), None | Some(Exhausted::Calculation { .. }));
        if place.is_none() && is_budget {
            *place = Some(format!("'{alias}' at position {position}"));
        }
    }

    /// Which calculated member exhausted the budget, if one did: its name and position.
    pub fn place(&self) -> Option<String> {
        self.place.borrow().clone()
    }

    /// Takes a step; whether it may be taken.
    #[inline]
    pub fn step(&self) -> bool {
        self.take_steps(1)
    }

    /// Takes as many steps as going through so many bytes of text is worth; whether they may be taken.
    #[inline]
    pub fn read(&self, bytes: usize) -> bool {
        self.take_steps(1 + (bytes / BYTES_OF_A_STEP) as u64)
    }

    /// Takes steps; whether they may be taken.
    #[inline]
    pub fn take_steps(&self, count: u64) -> bool {
        let steps = self.steps.get().saturating_add(count);
        self.steps.set(steps);
        if steps < self.look_at.get() {
            return true;
        }
        self.look(steps)
    }

    #[cold]
    fn look(&self, steps: u64) -> bool {
        if self.is_exhausted() {
            return false;
        }
        let Allowance { steps: most, deadline, .. } = self.allowance.get();
        if steps > most {
            return self.exhaust(Exhausted::Steps(most));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return self.exhaust(Exhausted::Time);
        }
        let next = steps.saturating_add(STEPS_BETWEEN_LOOKS);
        self.look_at.set(next.min(most.saturating_add(1)));
        true
    }

    /// Looks at the clock, before something that takes long by itself; whether there is time left.
    pub fn has_time(&self) -> bool {
        self.look(self.steps.get())
    }

    /// Takes memory for a value that is about to be made; whether it may be made. Going through its
    /// bytes is counted too.
    pub fn make(&self, bytes: usize) -> bool {
        let passing = self.passing.get().saturating_add(bytes);
        if !self.hold(passing.saturating_add(self.kept.get())) {
            return false;
        }
        self.passing.set(passing);
        self.read(bytes)
    }

    /// Bytes of the values made so far, for [`Self::forget`].
    pub fn made(&self) -> usize {
        self.passing.get()
    }

    /// Gives back what was made since there were so many bytes: the item is decided about, and the
    /// values made for it are gone.
    pub fn forget(&self, made: usize) {
        self.passing.set(self.passing.get().min(made));
    }

    /// Takes memory for something that is kept beyond the item it was made for; whether it may be.
    pub fn keep(&self, bytes: usize) -> bool {
        let kept = self.kept.get().saturating_add(bytes);
        if !self.hold(kept.saturating_add(self.passing.get())) {
            return false;
        }
        self.kept.set(kept);
        self.read(bytes)
    }

    /// Bytes of what is kept so far, for [`Self::release`] of what comes behind.
    pub fn kept(&self) -> usize {
        self.kept.get()
    }

    /// Gives back what was kept.
    pub fn release(&self, bytes: usize) {
        self.kept.set(self.kept.get().saturating_sub(bytes));
    }

    /// Takes memory for an item of so many bytes of text that is about to be read and looked at; the
    /// next one takes its place. It counts against the pool only: what is stored is not of the
    /// question's making. One that is larger than half of the pool takes half of it, so that
    /// there is always room for others.
    pub fn load(&self, bytes: usize) -> bool {
        if bytes > LARGEST_ITEM {
            return self.exhaust(Exhausted::Item(LARGEST_ITEM));
        }
        let most = self.pool.as_ref().map_or(usize::MAX, |pool| pool.limit() / 2);
        let bytes_of_tree = bytes.saturating_mul(TREE_OF_TEXT);
        if bytes_of_tree > PIECE {
            self.loaded.set(self.loaded.get().max(bytes_of_tree.min(most)));
        }
        let held = self.kept.get().saturating_add(self.passing.get());
        self.draw(held.saturating_add(self.loaded.get())) && self.read(bytes)
    }

    /// Whether so many bytes more may be kept; for those who can do with less.
    pub fn has_room(&self, bytes: usize) -> bool {
        let held = self.kept.get().saturating_add(self.passing.get());
        held.saturating_add(bytes) <= self.allowance.get().bytes
    }

    /// Allows steps and time beyond those that were meant for a first part of the work, also if they
    /// ran out in it.
    pub fn extend(&self, more_steps: u64, deadline: Option<Instant>) {
        let allowance = self.allowance.get();
        let steps = self.steps.get().max(allowance.steps).saturating_add(more_steps);
        self.allowance.set(Allowance { steps, deadline, ..allowance });
        if matches!(self.exhausted.get(), Some(Exhausted::Steps(_) | Exhausted::Time)) {
            self.exhausted.set(None);
        }
    }

    /// Whether so many bytes may be held.
    fn hold(&self, bytes: usize) -> bool {
        let most = self.allowance.get().bytes;
        if bytes > most {
            return self.exhaust(Exhausted::Memory(most));
        }
        self.draw(bytes.saturating_add(self.loaded.get()))
    }

    /// Sees to it that so many bytes are taken out of the pool.
    fn draw(&self, bytes: usize) -> bool {
        let pooled = self.pooled.get();
        if let Some(pool) = &self.pool
            && bytes > pooled
        {
            let more = (bytes - pooled).div_ceil(PIECE).saturating_mul(PIECE);
            if !pool.take(more) {
                return self.exhaust(Exhausted::Pool);
            }
            self.pooled.set(pooled + more);
        }
        true
    }

    fn exhaust(&self, why: Exhausted) -> bool {
        if !self.is_exhausted() {
            self.exhausted.set(Some(why));
        }
        // From now on each step looks, and is refused.
        self.look_at.set(0);
        false
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.give_back(self.pooled.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn allowance() -> Allowance {
        Allowance { steps: 10_000_000, deadline: None, bytes: 1 << 20 }
    }

    #[test]
    fn steps_end_exactly_where_they_are_said_to() {
        for most in [0, 1, 1_023, 1_024, 1_025, 5_000] {
            let meter = Meter::new(Allowance { steps: most, ..allowance() });
            let taken = (0..10_000).take_while(|_| meter.step()).count() as u64;
            assert_eq!(taken, most);
            assert_eq!(meter.check(), Err(Exhausted::Steps(most)));
            assert!(!meter.step() && !meter.make(1) && !meter.read(0));
        }
    }

    #[test]
    fn time_is_looked_at_every_few_steps_and_before_long_texts() {
        let past = Instant::now().checked_sub(Duration::from_secs(1));
        let meter = Meter::new(Allowance { deadline: past, ..allowance() });
        assert!((0..10_000).any(|_| !meter.step()));
        assert_eq!(meter.check(), Err(Exhausted::Time));
        let meter = Meter::new(Allowance { deadline: past, ..allowance() });
        assert!(!meter.read(1 << 17));
        let meter = Meter::new(Allowance { deadline: past, ..allowance() });
        assert!(!meter.has_time());
    }

    #[test]
    fn memory_that_is_given_back_can_be_taken_again() {
        let meter = Meter::new(allowance());
        for _ in 0..100 {
            let made = meter.made();
            assert!(meter.make(1 << 18) && meter.make(1 << 18) && meter.keep(1 << 19));
            meter.forget(made);
            meter.release(1 << 19);
        }
        assert!(meter.keep(1 << 19) && !meter.make((1 << 19) + 1));
        assert_eq!(meter.check(), Err(Exhausted::Memory(1 << 20)));
    }

    #[test]
    fn more_can_be_allowed_for_a_second_part() {
        let meter = Meter::new(Allowance { steps: 10, ..allowance() });
        assert!(!meter.take_steps(20));
        meter.extend(5, None);
        assert_eq!(meter.check(), Ok(()));
        assert!((0..5).all(|_| meter.step()) && !meter.step());
    }

    #[test]
    fn a_large_item_takes_half_of_the_pool_at_most() {
        let pool = Arc::new(Pool::new(8 * PIECE));
        let (first, second) = (Meter::of(&pool, allowance()), Meter::of(&pool, allowance()));
        assert!(first.load(1 << 24) && first.load(1 << 20));
        assert_eq!(pool.used(), 4 * PIECE);
        assert!(second.make(PIECE) && !second.load(1 << 24));
        assert_eq!(second.check(), Err(Exhausted::Pool));
        assert!(!first.load(LARGEST_ITEM + 1));
        assert_eq!(first.check(), Err(Exhausted::Item(LARGEST_ITEM)));
    }

    #[test]
    fn a_pool_is_shared_and_gets_everything_back() {
        let pool = Arc::new(Pool::new(4 * PIECE));
        let (first, second) = (Meter::of(&pool, allowance()), Meter::of(&pool, allowance()));
        assert!(first.make(1) && second.keep(2 * PIECE));
        assert_eq!(pool.used(), 3 * PIECE);
        assert!(first.keep(PIECE) && !second.make(PIECE));
        assert_eq!(second.check(), Err(Exhausted::Pool));
        drop((first, second));
        assert_eq!(pool.used(), 0);
    }
}
