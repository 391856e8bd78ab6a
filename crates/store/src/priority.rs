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
