//! The priority of threads that others should not have to wait for.

/// How much lower it is, as nice(2) counts it.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of this thread for good, where threads have one of their own: on Linux
/// (nice(2), "C library/kernel differences").
pub fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "the priority of a thread can't be lowered");
    }
}

/// Lets others run that wait for a processor. To be called after each small piece of work (a tenth of a
/// millisecond or so) by threads of low priority: when a thread with a higher one wakes, Linux takes the
/// processor from them only with the next tick, up to 4 ms later.
pub(crate) fn give_way() {
    std::thread::yield_now();
}
