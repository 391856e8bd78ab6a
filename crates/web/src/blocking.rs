//! Work that grows with the bytes it is given, and where it is done.
//!
//! A worker thread serves many connections: whatever keeps it for longer than a fraction of a
//! millisecond holds up all of them. So work on few bytes is done at once, and work on many goes to a
//! thread where nobody else waits.

use crate::problem::Problem;

/// The most bytes that are worked on at once, on the worker's own thread. This many are copied,
/// written or compressed in a fraction of a millisecond; what costs more for a byte counts it as
/// several.
const LARGEST_INLINE: usize = 128 << 10;

/// Does work on so many bytes: here if they are few, else on another thread.
///
/// # Errors
/// 500 when the work panicked on the other thread.
pub async fn elsewhere_if_large<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    elsewhere_if(is_large(bytes), work).await
}

/// Whether work on so many bytes goes to another thread.
pub(crate) fn is_large(bytes: usize) -> bool {
    bytes > LARGEST_INLINE
}

/// Does work here, or on another thread if it can take long.
///
/// # Errors
/// 500 when the work panicked on the other thread.
pub(crate) async fn elsewhere_if<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if !is_long {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}
