//! The priority of threads that others should not have to wait for.

use std::cell::Cell;
#[cfg(target_os = "linux")]
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

/// How much lower it is, as nice(2) counts it.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// How late such a thread may be woken, in nanoseconds; by default 50 microseconds, at each pause.
#[cfg(target_os = "linux")]
const TIMER_SLACK: u64 = 1_000;
/// Work between two pauses.
const PIECE: Duration = Duration::from_micros(200);
/// As short as the system has it.
const PAUSE: Duration = Duration::from_nanos(1);

thread_local! {
    static RESUMED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Lowers the priority of this thread for good, where threads have one of their own: on Linux
/// (nice(2), "C library/kernel differences").
pub fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        if let Err(error) = rustix::process::nice(NICENESS) {
            tracing::debug!(%error, "the priority of a thread can't be lowered");
        }
        let _ = rustix::thread::set_current_timer_slack(NonZero::new(TIMER_SLACK));
    }
}

/// Lets others run that wait for a processor. To be called after each small piece of work by threads of low
/// priority: when a thread with a higher one wakes, Linux takes the processor from them only with the next
/// tick, up to 4 ms later.
///
/// Sleeps for a moment, since to yield the processor costs a thread the whole share that it would have had:
/// on a busy machine one that yields often stands still.
pub(crate) fn give_way() {
    RESUMED.with(|resumed| {
        if resumed.get().is_none_or(|since| since.elapsed() >= PIECE) {
            thread::sleep(PAUSE);
            resumed.set(Some(Instant::now()));
        }
    });
}
