//! Bytes that may be under way at a time.

use std::sync::{Condvar, Mutex, PoisonError};

/// Makes a reader wait until what it read before is committed.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    is_closed: bool,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until `bytes` fit in, or until they are alone, since a record may be larger than the
    /// whole budget. False once the budget is closed.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .changed
            .wait_while(state, |state| {
                !state.is_closed && state.used > 0 && state.used + bytes > self.limit
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.used += bytes;
        !state.is_closed
    }

    /// Frees what was taken.
    pub(super) fn give_back(&self, bytes: usize) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).used -= bytes;
        self.changed.notify_all();
    }

    /// Lets all who wait give up.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::Budget;

    #[test]
    fn what_does_not_fit_waits_until_it_does() {
        let budget = Budget::new(10);
        assert!(budget.take(8));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.take(100));
            assert!(budget.take(2));
            budget.give_back(10);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn a_closed_budget_lets_no_one_wait() {
        let budget = Budget::new(10);
        assert!(budget.take(10));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.take(1));
            budget.close();
            assert!(!waiting.join().unwrap());
        });
    }
}
