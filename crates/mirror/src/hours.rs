//! Hours, by which the list of a source is read: counted from 1970, in UTC.

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};

/// Ticks of an hour.
pub const HOUR: i64 = 3_600 * TICKS_PER_SECOND;
/// Ticks of a day.
pub const DAY: i64 = 24 * HOUR;

/// The hour that an instant (ticks) is in.
pub fn of(instant: i64) -> i64 {
    instant.div_euclid(HOUR)
}

/// The first instant of an hour (ticks).
pub fn start(hour: i64) -> i64 {
    hour * HOUR
}

/// The first instant behind an hour (ticks).
pub fn end(hour: i64) -> i64 {
    start(hour + 1)
}

/// An hour as it is shown: `2026-11-28 05:00`.
pub fn shown(hour: i64) -> String {
    let text = DateTimeOffset(start(hour)).to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_its_first_instant_and_not_its_last() {
        assert_eq!((of(start(7)), of(end(7)), of(end(7) - 1)), (7, 8, 7));
        assert_eq!(of(-1), -1);
        assert_eq!(shown(0), "1970-01-01 00:00");
    }
}
