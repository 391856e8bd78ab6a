//! Dates and times of day.

use std::fmt;

use crate::primitive::{DateTimeOffset, Fine, TICKS_PER_DAY, civil_from_days};

/// First instant of `Edm.DateTimeOffset` that services agree on: 0001-01-01T00:00:00Z.
pub(super) const MIN_INSTANT: i64 = -621_355_968_000_000_000;
/// Last one: 9999-12-31T23:59:59.9999999Z.
pub(super) const MAX_INSTANT: i64 = 2_534_023_007_999_999_999;

/// Reads an `Edm.Date` as days since 1970-01-01.
pub(super) fn date_of(text: &str) -> Option<i64> {
    if text.contains(['T', 't']) {
        return None;
    }
    DateTimeOffset::parse(text).map(|midnight| day_of(midnight.0))
}

/// The day of an instant, in UTC or as a clock shows it.
pub(super) fn day_of(ticks: i64) -> i64 {
    ticks.div_euclid(TICKS_PER_DAY)
}

/// The time of day of what a clock shows.
pub(super) fn time_in_day(local: Fine) -> Fine {
    Fine { ticks: local.ticks.rem_euclid(TICKS_PER_DAY), ..local }
}

/// The first instant of a day.
pub(super) fn midnight(day: i64) -> Option<i64> {
    day.checked_mul(TICKS_PER_DAY)
}

/// Year, month and day.
pub(super) fn civil(day: i64) -> (i64, i64, i64) {
    civil_from_days(day)
}

/// An `Edm.Date` as it is written.
pub(super) struct Date(pub(super) i64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0);
        let sign = if year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{month:02}-{day:02}", year.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_last_instant_are_those_that_services_agree_on() {
        let ticks = |text| DateTimeOffset::parse(text).map(|at| at.0);
        assert_eq!(ticks("0001-01-01T00:00:00Z"), Some(MIN_INSTANT));
        assert_eq!(ticks("9999-12-31T23:59:59.9999999Z"), Some(MAX_INSTANT));
    }

    #[test]
    fn dates_are_written_as_they_are_read() {
        for text in ["2020-02-29", "1969-12-31", "0001-01-01"] {
            assert_eq!(Date(date_of(text).unwrap()).to_string(), text);
        }
        assert_eq!(date_of("2020-02-29T00:00:00Z"), None);
    }
}
