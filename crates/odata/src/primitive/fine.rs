//! Times to the picosecond, and instants with their zone: what a query states of them (OData ABNF
//! `dateTimeOffsetValue`, `durationValue`, `timeOfDayValue`, with up to twelve fraction digits).

use std::fmt;

use super::civil::{civil_from_days, days_from_civil, days_in_month};
use super::{Cursor, SECONDS_PER_DAY, TICKS_PER_SECOND};

/// Picoseconds in a tick of 100 ns.
const PER_TICK: u32 = 100_000;
/// Picoseconds in a second.
const PER_SECOND: i64 = 1_000_000_000_000;
/// Ticks in a minute.
const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;

/// A point or a length of time: ticks, and the picoseconds behind them, fewer than a tick has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fine {
    /// Ticks of 100 ns, rounded down.
    pub ticks: i64,
    /// Picoseconds behind them.
    pub rest: u32,
}

impl Fine {
    /// A whole number of ticks.
    pub fn of(ticks: i64) -> Self {
        Self { ticks, rest: 0 }
    }

    /// Whether it lies between two ticks.
    pub fn is_between(self) -> bool {
        self.rest > 0
    }

    /// Picoseconds in all.
    pub fn picoseconds(self) -> i128 {
        i128::from(self.ticks) * i128::from(PER_TICK) + i128::from(self.rest)
    }

    /// From picoseconds; `None` beyond what ticks can tell.
    pub fn from_picoseconds(all: i128) -> Option<Self> {
        let ticks = i64::try_from(all.div_euclid(PER_TICK.into())).ok()?;
        Some(Self { ticks, rest: all.rem_euclid(PER_TICK.into()) as u32 })
    }

    /// The sum of both; `None` beyond what ticks can tell.
    pub fn plus(self, other: Self) -> Option<Self> {
        let rest = self.rest + other.rest;
        let ticks = self.ticks.checked_add(other.ticks)?.checked_add((rest / PER_TICK).into())?;
        Some(Self { ticks, rest: rest % PER_TICK })
    }

    /// How much larger it is than the other; `None` beyond what ticks can tell.
    pub fn minus(self, other: Self) -> Option<Self> {
        Self::from_picoseconds(self.picoseconds() - other.picoseconds())
    }

    /// Seconds, rounded to what an `f64` holds.
    pub fn seconds(self) -> f64 {
        match self.rest {
            0 => self.ticks as f64 / TICKS_PER_SECOND as f64,
            _ => self.picoseconds() as f64 / PER_SECOND as f64,
        }
    }

    /// Reads a duration, `[-]P[nD][T[nH][nM][n[.f]S]]`.
    pub fn parse_duration(text: &str) -> Option<Self> {
        let mut at = Cursor(text.as_bytes());
        let negative = at.eat(b'-');
        if !negative {
            at.eat(b'+');
        }
        at.expect(b'P')?;
        let mut length = Self::default();
        let mut in_time = false;
        let mut last_unit = 0;
        let mut parts = 0;
        while !at.0.is_empty() {
            if !in_time && at.eat(b'T') {
                in_time = true;
                last_unit = 1;
                if at.0.is_empty() {
                    return None;
                }
                continue;
            }
            let amount = at.integer()?;
            let fraction = if at.eat(b'.') { Some(at.fraction()?) } else { None };
            let (rank, unit_seconds) = match (in_time, at.next()?) {
                (false, b'D') => (1, SECONDS_PER_DAY),
                (true, b'H') => (2, 3600),
                (true, b'M') => (3, 60),
                (true, b'S') => (4, 1),
                _ => return None,
            };
            if rank <= last_unit && parts > 0 || (fraction.is_some() && rank != 4) {
                return None;
            }
            let part = amount.checked_mul(unit_seconds)?.checked_mul(TICKS_PER_SECOND)?;
            length = length.plus(Self::of(part))?.plus(fraction.unwrap_or_default())?;
            last_unit = rank;
            parts += 1;
        }
        if parts == 0 {
            return None;
        }
        if negative { Self::default().minus(length) } else { Some(length) }
    }

    /// Reads a time of day, `hh:mm[:ss[.f]]`, as the time since midnight.
    pub fn parse_time_of_day(text: &str) -> Option<Self> {
        let mut at = Cursor(text.as_bytes());
        let time = at.time_of_day()?;
        at.0.is_empty().then_some(time)
    }

    /// Writes the length as .NET does: days split off, `PT0S` for none.
    pub fn write_duration(self, f: &mut impl fmt::Write) -> fmt::Result {
        if self.ticks < 0 {
            f.write_str("-")?;
        }
        let all = self.picoseconds().abs();
        let per_second = i128::from(PER_SECOND);
        // Ticks tell of fewer seconds than an i64 holds.
        let (seconds, fraction) = ((all / per_second) as i64, (all % per_second) as i64);
        let (days, rest) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if rest == 0 && fraction == 0 {
            return if days > 0 { Ok(()) } else { f.write_str("T0S") };
        }
        f.write_str("T")?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        if seconds > 0 || fraction > 0 {
            write!(f, "{seconds}")?;
            write_fraction(f, fraction)?;
            f.write_str("S")?;
        }
        Ok(())
    }

    /// Writes the time of day, `hh:mm:ss[.f]`.
    pub fn write_time_of_day(self, f: &mut impl fmt::Write) -> fmt::Result {
        let second = self.ticks.div_euclid(TICKS_PER_SECOND).rem_euclid(SECONDS_PER_DAY);
        write!(f, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        let fraction = self.ticks.rem_euclid(TICKS_PER_SECOND) * i64::from(PER_TICK);
        write_fraction(f, fraction + i64::from(self.rest))
    }
}

/// An instant with the zone that it is written with, on which its day and its hour depend (URL
/// Conventions 5.1.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Moment {
    /// Since 1970-01-01T00:00:00Z.
    pub at: Fine,
    /// Minutes by which the clock there is ahead of UTC.
    pub offset: i16,
}

impl Moment {
    /// In UTC.
    pub fn utc(ticks: i64) -> Self {
        Self { at: Fine::of(ticks), offset: 0 }
    }

    /// What the clock there shows, as if it were UTC.
    pub fn local(self) -> Fine {
        let ahead = i64::from(self.offset) * TICKS_PER_MINUTE;
        Fine { ticks: self.at.ticks.saturating_add(ahead), ..self.at }
    }

    /// Reads an instant; see [`super::DateTimeOffset::parse`].
    pub fn parse(text: &str) -> Option<Self> {
        let mut at = Cursor(text.as_bytes());
        let negative = at.eat(b'-');
        let year_digits = at.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(4..=5).contains(&year_digits) {
            return None;
        }
        let year = at.number(year_digits)?;
        let year = if negative { -year } else { year };
        at.expect(b'-')?;
        let month = at.number(2)?;
        at.expect(b'-')?;
        let day = at.number(2)?;
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return None;
        }
        let midnight = days_from_civil(year, month, day) * SECONDS_PER_DAY;
        if at.0.is_empty() {
            return midnight.checked_mul(TICKS_PER_SECOND).map(Self::utc);
        }
        if !(at.eat(b'T') || at.eat(b't')) {
            return None;
        }
        let time = at.time_of_day()?;
        let offset = at.offset_minutes()?;
        if !at.0.is_empty() {
            return None;
        }
        let ticks = (midnight - i64::from(offset) * 60).checked_mul(TICKS_PER_SECOND)?;
        Some(Self { at: Fine::of(ticks).plus(time)?, offset })
    }
}

impl fmt::Display for Moment {
    /// With its own zone, `Z` for UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local();
        let seconds = local.ticks.div_euclid(TICKS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        if year < 0 {
            f.write_str("-")?;
        }
        write!(f, "{:04}-{month:02}-{day:02}T", year.abs())?;
        local.write_time_of_day(f)?;
        if self.offset == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let ahead = self.offset.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", ahead / 60, ahead % 60)
    }
}

/// Picoseconds of a second as the fraction of it, without zeros at the end.
fn write_fraction(f: &mut impl fmt::Write, mut fraction: i64) -> fmt::Result {
    if fraction == 0 {
        return Ok(());
    }
    let mut width = 12;
    while fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    write!(f, ".{fraction:0width$}")
}

impl Cursor<'_> {
    /// Fraction digits, twelve at most.
    fn fraction(&mut self) -> Option<Fine> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=12).contains(&digits) {
            return None;
        }
        let picoseconds = self.number(digits)? * 10_i64.pow(12 - digits as u32);
        let per_tick = i64::from(PER_TICK);
        Some(Fine { ticks: picoseconds / per_tick, rest: (picoseconds % per_tick) as u32 })
    }

    fn time_of_day(&mut self) -> Option<Fine> {
        let hour = self.number(2)?;
        self.expect(b':')?;
        let minute = self.number(2)?;
        let mut second = 0;
        let mut fraction = Fine::default();
        if self.eat(b':') {
            second = self.number(2)?;
            if self.eat(b'.') {
                fraction = self.fraction()?;
            }
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Fine::of((hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND).plus(fraction)
    }

    fn offset_minutes(&mut self) -> Option<i16> {
        match self.next()? {
            b'Z' | b'z' => Some(0),
            sign @ (b'+' | b'-') => {
                let hour = self.number(2)?;
                self.expect(b':')?;
                let minute = self.number(2)?;
                if hour > 14 || minute > 59 {
                    return None;
                }
                let minutes = (hour * 60 + minute) as i16;
                Some(if sign == b'-' { -minutes } else { minutes })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_their_zone_and_twelve_digits() {
        for text in [
            "2026-10-01T00:30:00+02:00",
            "2026-10-01T00:00:00.123456789012Z",
            "1969-12-31T23:59:59.999999999999-05:30",
            "-0001-01-01T00:00:00+14:00",
        ] {
            assert_eq!(Moment::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Moment::parse("2026-10-01T00:00:00.1234567890123Z"), None);
        let moment = Moment::parse("2026-10-01T00:30:00+02:00").unwrap();
        assert_eq!(moment.at, Moment::parse("2026-09-30T22:30:00Z").unwrap().at);
        assert_eq!(moment.local(), Moment::parse("2026-10-01T00:30:00Z").unwrap().at);
    }

    #[test]
    fn what_lies_between_ticks_has_its_place_there() {
        let at = |text| Moment::parse(text).unwrap().at;
        let (tick, between) =
            (at("1960-01-01T00:00:00.1234567Z"), at("1960-01-01T00:00:00.123456700001Z"));
        assert_eq!(between, Fine { rest: 1, ..tick });
        assert!(between > tick && between < Fine::of(tick.ticks + 1));
    }

    #[test]
    fn durations_and_times_of_day_keep_twelve_digits() {
        let duration = |text| Fine::parse_duration(text).unwrap();
        for text in ["PT0.000000000001S", "-PT0.000000000001S", "P1DT6H1M1.5S", "PT0S"] {
            let mut written = String::new();
            duration(text).write_duration(&mut written).unwrap();
            assert_eq!(written, text);
        }
        assert!(duration("-PT0.00000011S") < duration("-PT0.0000001S"));
        assert!(duration("-PT0.00000011S") > duration("-PT0.0000002S"));
        let time = Fine::parse_time_of_day("11:22:33.000000000001").unwrap();
        let mut written = String::new();
        time.write_time_of_day(&mut written).unwrap();
        assert_eq!(written, "11:22:33.000000000001");
        assert_eq!(Fine::parse_time_of_day("11:22Z"), None);
    }
}
