//! The last known good keys of a trusted issuer, and when it may be asked again.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::keyset::KeySet;

/// Seconds after which keys are fetched again, though nothing asked for it.
const REFRESH_AFTER: i64 = 3600;
/// Seconds for which keys count when the issuer can't be reached.
const KEPT: i64 = 24 * 3600;
/// Seconds between two fetches that succeed, whatever is asked for, and the first wait after one
/// that failed.
const QUIET: i64 = 30;
/// The first wait when there are no keys yet: nobody gets in until there are.
const QUIET_WITHOUT_KEYS: i64 = 5;
/// The longest wait after failures, in seconds.
const LONGEST_WAIT: i64 = 60;
/// Seconds by which one thread's clock reading may be older than another's. More is a clock that
/// was set back, and no reason to wait for it to catch up.
const CLOCK_STEP: i64 = 300;

/// Keys as they were fetched.
#[derive(Debug)]
struct KeySnapshot {
    keys: Arc<KeySet>,
    fetched_at: i64,
}

/// The fetches so far.
#[derive(Debug, Default)]
struct Attempts {
    last: Option<i64>,
    wait: i64,
    failures: u32,
}

/// What is known of an issuer's keys.
#[derive(Debug, Default)]
pub(crate) struct IssuerKeys {
    current: RwLock<Option<KeySnapshot>>,
    attempts: Mutex<Attempts>,
    /// Held while a fetch runs, so that there is one at a time and the others wait for it.
    pub(crate) fetching: tokio::sync::Mutex<()>,
}

impl IssuerKeys {
    /// The keys, unless there are none or they are too old.
    pub(crate) fn usable(&self, now: i64) -> Option<Arc<KeySet>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current
            .as_ref()
            .filter(|current| now < current.fetched_at + KEPT)
            .map(|current| Arc::clone(&current.keys))
    }

    /// Whether the issuer may be asked now: not too soon after the last time.
    pub(crate) fn may_fetch(&self, now: i64) -> bool {
        let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.last.is_none_or(|last| now >= last + attempts.wait || now < last - CLOCK_STEP)
    }

    /// Whether the keys' regular refresh is due.
    pub(crate) fn is_due(&self, now: i64) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_none_or(|current| now >= current.fetched_at + REFRESH_AFTER)
    }

    /// Takes fetched keys in. Returns whether a key went that was there before.
    pub(crate) fn succeeded(&self, keys: KeySet, now: i64) -> bool {
        let new = KeySnapshot { keys: Arc::new(keys), fetched_at: now };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let lost = current.as_ref().is_some_and(|old| !new.keys.covers(&old.keys));
        *current = Some(new);
        drop(current);
        *self.attempts.lock().unwrap_or_else(PoisonError::into_inner) =
            Attempts { last: Some(now), wait: QUIET, failures: 0 };
        lost
    }

    /// Notes a fetch that failed: each further one waits twice as long.
    pub(crate) fn failed(&self, now: i64) {
        let first = if self.usable(now).is_some() { QUIET } else { QUIET_WITHOUT_KEYS };
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.wait = (first << attempts.failures.min(8)).min(LONGEST_WAIT);
        attempts.failures = attempts.failures.saturating_add(1);
        attempts.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_without_keys_wait_5_10_20_40_60_seconds() {
        let keys = IssuerKeys::default();
        let mut now = 1_000;
        assert!(keys.may_fetch(now));
        for wait in [5, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60] {
            keys.failed(now);
            assert!(!keys.may_fetch(now + wait - 1), "{wait}");
            assert!(keys.may_fetch(now + wait), "{wait}");
            now += wait;
        }
    }

    #[test]
    fn failures_with_keys_wait_30_then_60_seconds_and_a_success_starts_anew() {
        let keys = IssuerKeys::default();
        keys.succeeded(KeySet::default(), 0);
        assert!(!keys.may_fetch(29) && keys.may_fetch(30));
        keys.failed(30);
        assert!(!keys.may_fetch(59) && keys.may_fetch(60));
        keys.failed(60);
        assert!(!keys.may_fetch(119) && keys.may_fetch(120));
        keys.succeeded(KeySet::default(), 120);
        keys.failed(150);
        assert!(keys.may_fetch(180));
    }

    #[test]
    fn keys_are_due_after_an_hour_and_gone_after_a_day() {
        let keys = IssuerKeys::default();
        assert!(keys.is_due(0) && keys.usable(0).is_none());
        keys.succeeded(KeySet::default(), 0);
        assert!(!keys.is_due(3599) && keys.is_due(3600));
        assert!(keys.usable(24 * 3600 - 1).is_some() && keys.usable(24 * 3600).is_none());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_fetching() {
        let keys = IssuerKeys::default();
        keys.failed(1_000_000);
        assert!(!keys.may_fetch(999_999));
        assert!(keys.may_fetch(900_000));
    }
}
