//! The system's clock, as tokens and dates of answers use it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, by the system's clock.
pub fn unix_seconds() -> i64 {
    // A clock before 1970 would make every token early, which is the right answer to it.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}
