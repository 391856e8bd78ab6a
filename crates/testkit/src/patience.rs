//! Waiting for what has to come, however slow the machine is.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long anything may take that has to come. It is there to end what will never come, and no
/// measure of speed: a machine that has much else to do takes a thousand times longer than one that
/// has not, and shared disks have stood still for more than two minutes.
pub const PATIENCE: Duration = Duration::from_mins(6);

/// How long an answer is held back at most: Callvault waits for ten seconds, less what it takes a
/// busy machine to come to it.
const HELD_AT_MOST: Duration = Duration::from_secs(5);

/// The time between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Waits until something is so.
///
/// # Panics
/// When it never is; `what` says what was expected.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    await_some(what, || is_so().then_some(()));
}

/// Waits until there is something, and gives it.
///
/// # Panics
/// As [`until`].
pub fn await_some<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "it never came to that: {what}");
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Holds something back until a test lets it go, or the other side would give up soon.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Lets go what is held back, and all that comes.
    pub fn open(&self) {
        let (is_open, opened) = &*self.0;
        *is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        opened.notify_all();
    }

    pub(crate) fn pass(&self) {
        let (is_open, opened) = &*self.0;
        let is_open = is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(opened.wait_timeout_while(is_open, HELD_AT_MOST, |is_open| !*is_open));
    }
}
