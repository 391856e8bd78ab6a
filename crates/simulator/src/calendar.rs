//! When calls happen: working hours, working days.

use odata::primitive::TICKS_PER_SECOND;

use crate::rng::Rng;

const TICKS_PER_HOUR: i64 = 3600 * TICKS_PER_SECOND;

/// How busy each hour of a working day is (UTC), of 100.
const WEEKDAY: [u64; 24] =
    [1, 1, 1, 1, 1, 2, 6, 22, 60, 95, 100, 90, 50, 80, 95, 85, 55, 25, 10, 6, 5, 4, 2, 1];

/// A weekend has this many times fewer calls.
const WEEKEND_SHARE: u64 = 12;

/// A span of time (ticks).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first tick.
    pub(crate) from: i64,
    /// The first tick behind it.
    pub(crate) to: i64,
}

impl Span {
    /// No time at all.
    pub(crate) fn at(instant: i64) -> Self {
        Self { from: instant, to: instant }
    }
}

/// An instant in the span (ticks), drawn by how busy its hour is; its start when it is empty.
pub(crate) fn instant(rng: &mut Rng, span: Span) -> i64 {
    let length = span.to.saturating_sub(span.from).max(1) as u64;
    let mut ticks = span.from;
    // One draw in four is taken; a span of one quiet night ends by the limit instead.
    for _ in 0..48 {
        ticks = span.from + rng.below(length) as i64;
        if rng.below(100 * WEEKEND_SHARE) < busyness(ticks) {
            break;
        }
    }
    ticks
}

fn busyness(ticks: i64) -> u64 {
    let hour = ticks.div_euclid(TICKS_PER_HOUR);
    // 1970-01-01 was a Thursday; day 0 is a Monday here.
    let weekday = (hour.div_euclid(24) + 3).rem_euclid(7);
    let share = WEEKDAY[hour.rem_euclid(24) as usize];
    if weekday < 5 { share * WEEKEND_SHARE } else { share }
}

#[cfg(test)]
mod tests {
    use odata::primitive::DateTimeOffset;

    use super::*;

    #[test]
    fn calls_keep_to_the_span_and_to_working_hours() {
        // Monday, four weeks.
        let from = DateTimeOffset::parse("2025-06-02").unwrap().0;
        let until = DateTimeOffset::parse("2025-06-30").unwrap().0;
        let mut rng = Rng::of(3, 3);
        let (mut weekend, mut office) = (0, 0);
        for _ in 0..10_000 {
            let ticks = instant(&mut rng, Span { from, to: until });
            assert!((from..until).contains(&ticks));
            let hour = (ticks - from) / TICKS_PER_HOUR;
            weekend += i32::from(hour / 24 % 7 >= 5);
            office += i32::from((7..18).contains(&(hour % 24)));
        }
        assert!((150..700).contains(&weekend), "{weekend}");
        assert!(office > 9000, "{office}");
    }

    #[test]
    fn an_empty_span_gives_its_start() {
        assert_eq!(instant(&mut Rng::of(0, 0), Span::at(17)), 17);
        assert_eq!(instant(&mut Rng::of(0, 0), Span { from: 17, to: 3 }), 17);
    }
}
