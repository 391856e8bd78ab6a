//! Whether this process may still ask and write: it stops, or its lease runs out, also while it stood still.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long after a lease was renewed this process relies on it: less than it lasts (30 s).
const RELIED_ON: Duration = Duration::from_secs(25);

/// Shared by all that is under way.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<Option<Instant>>);

impl Gate {
    /// Open, for a lease that was taken after `since`.
    pub(crate) fn open(since: Instant) -> Self {
        Self(Mutex::new(Some(since + RELIED_ON)))
    }

    /// The lease was renewed after `since`.
    pub(crate) fn renew(&self, since: Instant) {
        if let Some(until) = &mut *self.lock() {
            *until = since + RELIED_ON;
        }
    }

    /// Closes it for good.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }

    /// Whether requests may be sent.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_some_and(|until| Instant::now() < until)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_closed_by_hand_and_by_time() {
        let gate = Gate::open(Instant::now());
        assert!(gate.is_open());
        let Some(long_ago) = Instant::now().checked_sub(RELIED_ON) else { return };
        gate.renew(long_ago);
        assert!(!gate.is_open());
        gate.renew(Instant::now());
        assert!(gate.is_open());
        gate.close();
        gate.renew(Instant::now());
        assert!(!gate.is_open());
    }
}
