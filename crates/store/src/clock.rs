//! The present time, for what the store keeps: a server that exists for tests can move it.
//!
//! Limits and waits, and what others compare with their own clock (tokens, signatures), go by the
//! system's time instead.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::SystemTime;

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// How far it was moved (ticks): nothing, as long as nobody calls [`move_to`].
static MOVED: AtomicI64 = AtomicI64::new(0);
static MOVES: AtomicU64 = AtomicU64::new(0);
static WHEN_MOVED: Notify = Notify::const_new();

/// Ticks of 100 ns since 1970.
pub fn now() -> i64 {
    system().saturating_add(MOVED.load(Ordering::Relaxed))
}

/// Seconds since 1970.
pub fn seconds() -> i64 {
    now().div_euclid(TICKS_PER_SECOND)
}

/// Moves the time of this process to an instant (ticks), from where it runs on.
pub fn move_to(ticks: i64) {
    MOVED.store(ticks.saturating_sub(system()), Ordering::Relaxed);
    MOVES.fetch_add(1, Ordering::Release);
    WHEN_MOVED.notify_waiters();
}

/// Waits until the time is moved after this was called.
pub fn moved() -> Notified<'static> {
    WHEN_MOVED.notified()
}

/// How often the time was moved.
pub fn moves() -> u64 {
    MOVES.load(Ordering::Acquire)
}

/// Ticks of 100 ns since 1970 by the system's clock, which nobody moves.
pub fn system() -> i64 {
    DateTimeOffset::from(SystemTime::now()).0
}
