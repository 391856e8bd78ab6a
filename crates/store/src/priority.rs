//! The priority of threads that others should not have to wait for.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// How much lower it is, as nice(2) counts it.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// How many times more of a processor a thread with the usual priority gets beside one with this.
const TIMES: u32 = 9;
/// Work between two moments at which a thread gives way, at least and at most.
const PIECE: Duration = Duration::from_micros(100);
const LONGEST_PIECE: Duration = Duration::from_millis(4);

thread_local! {
    /// When this thread had the processor again, and for how long it keeps it.
    static TURN: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// Lowers the priority of this thread for good, where threads have one of their own: on Linux
/// (nice(2), "C library/kernel differences").
pub fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "the priority of a thread can't be lowered");
    }
}

/// Lets others run that wait for a processor. To be called after each small piece of work by threads of low
/// priority: when a thread with a higher one wakes, Linux takes the processor from them only with the next
/// tick, up to 4 ms later.
///
/// A thread that yields gives up its whole share of the time to come, so on a busy machine one that yields
/// often stands still, and with it all that waits for its work. So it works on for the share that its priority
/// gives it of the time that it had to wait.
pub(crate) fn give_way() {
    TURN.with(|turn| {
        if turn.get().is_some_and(|(since, piece)| since.elapsed() < piece) {
            return;
        }
        let asked = Instant::now();
        thread::yield_now();
        let now = Instant::now();
        let piece = (now - asked) / TIMES;
        turn.set(Some((now, piece.clamp(PIECE, LONGEST_PIECE))));
    });
}
