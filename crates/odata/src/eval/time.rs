//! Dates, times of day and the parts of instants, all in UTC.

use std::fmt;

use crate::primitive::{DateTimeOffset, TICKS_PER_DAY, civil_from_days};

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

/// Reads an `Edm.TimeOfDay` as ticks since midnight.
pub(super) fn time_of_day_of(text: &str) -> Option<i64> {
    if !text.ends_with(|last: char| last.is_ascii_digit()) || text.contains(['+', '-']) {
        return None;
    }
    DateTimeOffset::parse(&format!("1970-01-01T{text}Z")).map(|at| at.0)
}

/// The day of an instant.
pub(super) fn day_of(ticks: i64) -> i64 {
    ticks.div_euclid(TICKS_PER_DAY)
}

/// The time of day of an instant.
pub(super) fn time_in_day(ticks: i64) -> i64 {
    ticks.rem_euclid(TICKS_PER_DAY)
}

/// The first instant of a day.
pub(super) fn midnight(day: i64) -> Option<i64> {
    day.checked_mul(TICKS_PER_DAY)
}

/// Year, month and day.
pub(super) fn civil(day: i64) -> (i64, i64, i64) {
    civil_from_days(day)
}

/// Minutes by which the text of an instant is ahead of UTC.
pub(super) fn offset_minutes(text: &str) -> Option<i64> {
    DateTimeOffset::parse(text)?;
    if !text.contains(['T', 't']) || text.ends_with(['Z', 'z']) {
        return Some(0);
    }
    let (rest, minutes) = text.rsplit_once(':')?;
    let (_, hours) = rest.split_at_checked(rest.len().checked_sub(3)?)?;
    let (sign, hours) = hours.split_at_checked(1)?;
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some(if sign == "-" { -minutes } else { minutes })
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

/// An `Edm.TimeOfDay` as it is written.
pub(super) struct TimeOfDay(pub(super) i64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = DateTimeOffset(time_in_day(self.0)).to_string();
        let time = text.trim_start_matches("1970-01-01T").trim_end_matches('Z');
        f.write_str(time)
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
    fn offsets_are_read_from_the_text() {
        for (text, minutes) in [
            ("2020-01-01T00:00:00Z", Some(0)),
            ("2020-01-01T00:00:00+01:00", Some(60)),
            ("2020-01-01T00:00-05:30", Some(-330)),
            ("-2020-01-01T00:00:00-01:00", Some(-60)),
            ("2020-01-01", Some(0)),
            ("nonsense", None),
        ] {
            assert_eq!(offset_minutes(text), minutes, "{text}");
        }
    }

    #[test]
    fn dates_and_times_are_written_as_they_are_read() {
        for text in ["2020-02-29", "1969-12-31", "0001-01-01"] {
            assert_eq!(Date(date_of(text).unwrap()).to_string(), text);
        }
        for text in ["00:00:00", "23:59:59.9999999", "07:08:09.5"] {
            assert_eq!(TimeOfDay(time_of_day_of(text).unwrap()).to_string(), text);
        }
        assert_eq!(time_of_day_of("07:08Z"), None);
        assert_eq!(date_of("2020-02-29T00:00:00Z"), None);
    }
}
