//! The time as the source has it, by the `Date` of its answers: our own clock may be wrong.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use odata::primitive::DateTimeOffset;

/// The clock of a source. Between two answers it goes on with a clock that nobody sets.
#[derive(Debug)]
pub(crate) struct SourceClock(Mutex<Known>);

#[derive(Debug, Clone, Copy)]
struct Known {
    ticks: i64,
    at: Instant,
    is_heard: bool,
}

impl SourceClock {
    /// Our own clock until the first answer, moved by what was known of the source's before (ticks).
    pub(crate) fn new(skew: Option<i64>) -> Self {
        let ticks = store::clock::system() + skew.unwrap_or(0);
        Self(Mutex::new(Known { ticks, at: Instant::now(), is_heard: false }))
    }

    /// An answer with this date has come.
    pub(crate) fn heard(&self, date: SystemTime) {
        let known =
            Known { ticks: DateTimeOffset::from(date).0, at: Instant::now(), is_heard: true };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// The time (ticks), not later than the source has it.
    pub(crate) fn now(&self) -> i64 {
        let Known { ticks, at, .. } = self.known();
        // 100 ns are a tick.
        ticks + (at.elapsed().as_nanos() / 100) as i64
    }

    /// How far it is ahead of our clock (ticks), once the source has answered.
    pub(crate) fn skew(&self) -> Option<i64> {
        self.known().is_heard.then(|| self.now() - store::clock::system())
    }

    fn known(&self) -> Known {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use odata::primitive::TICKS_PER_SECOND;

    use super::*;

    #[test]
    fn the_clock_is_that_of_the_last_answer() {
        let clock = SourceClock::new(None);
        assert_eq!(clock.skew(), None);
        let year = Duration::from_hours(24 * 365);
        clock.heard(SystemTime::now() + year);
        let ahead = clock.skew().unwrap() / TICKS_PER_SECOND;
        assert!((year.as_secs() as i64 - ahead).abs() < 3_600, "{ahead}");
        clock.heard(SystemTime::UNIX_EPOCH);
        assert!(clock.now() < 3_600 * TICKS_PER_SECOND);
    }
}
