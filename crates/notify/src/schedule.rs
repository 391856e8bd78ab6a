//! When a message that did not arrive is sent again, and when it is given up.

use std::time::Duration;

/// After so long messages are given up (Graph, "change notifications delivery").
pub(crate) const GIVEN_UP_AFTER: Duration = Duration::from_hours(4);

/// The first wait, before it doubles.
const FIRST: Duration = Duration::from_secs(2);
/// No wait is longer, so that a receiver that comes back soon gets its messages.
const LONGEST: Duration = Duration::from_mins(10);
/// Bounds of the wait that a receiver may ask for.
const ASKED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// How long to wait after so many failures in a row (at least one). `chance` is between 0 and 1
/// and makes up to half of the wait, so that receivers that failed together are not told together.
pub(crate) fn wait(failures: u32, retry_after: Option<Duration>, chance: f64) -> Duration {
    if let Some(asked) = retry_after {
        return asked.clamp(ASKED.0, ASKED.1);
    }
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    doubled / 2 + doubled.mul_f64(chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_up_to_a_bound_and_vary() {
        assert_eq!(wait(1, None, 0.0), SECOND);
        assert_eq!(wait(1, None, 1.0), 2 * SECOND);
        assert_eq!(wait(4, None, 0.5), 12 * SECOND);
        assert_eq!(wait(12, None, 1.0), LONGEST);
        assert_eq!(wait(u32::MAX, None, 0.0), LONGEST / 2);
    }

    #[test]
    fn what_is_asked_for_is_honoured_within_bounds() {
        assert_eq!(wait(9, Some(7 * SECOND), 0.3), 7 * SECOND);
        assert_eq!(wait(1, Some(Duration::ZERO), 0.3), SECOND);
        assert_eq!(wait(1, Some(Duration::from_hours(900)), 0.3), ASKED.1);
    }
}
