//! Values of `Edm.DateTimeOffset`, `Edm.Duration` and `Edm.Guid`, exact to 100 nanoseconds.
//!
//! Graph writes instants in UTC with up to seven fraction digits and trailing zeros cut
//! (`2020-02-25T18:52:21.2169889Z`), and durations as ISO 8601 (`PT0.016S`). Both are counted here
//! in ticks of 100 ns, .NET's unit, which an `i64` holds for 29,000 years either way.

mod civil;
mod decimal;
mod fine;

use std::borrow::Cow;
use std::fmt;
use std::time::{self, SystemTime, UNIX_EPOCH};

pub use civil::{civil_from_days, days_from_civil};
pub use decimal::{Decimal, order as decimal_order};
pub use fine::{Fine, Moment};

/// Ticks of 100 ns in a second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// Ticks of 100 ns in a millisecond.
pub const TICKS_PER_MILLISECOND: i64 = TICKS_PER_SECOND / 1_000;
/// Ticks of 100 ns in a day.
pub const TICKS_PER_DAY: i64 = SECONDS_PER_DAY * TICKS_PER_SECOND;
/// Seconds in a day; no day has a leap second here.
const SECONDS_PER_DAY: i64 = 86_400;

/// An instant: ticks of 100 ns since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DateTimeOffset(pub i64);

/// A signed length of time in ticks of 100 ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub i64);

impl From<SystemTime> for DateTimeOffset {
    /// An instant before 1970 is taken for its beginning, one past the last that ticks can tell for
    /// that one.
    fn from(time: SystemTime) -> Self {
        Self(Duration::from(time.duration_since(UNIX_EPOCH).unwrap_or_default()).0)
    }
}

impl From<time::Duration> for Duration {
    /// Whole ticks; the longest that they can tell for what is longer.
    fn from(time: time::Duration) -> Self {
        Self(i64::try_from(time.as_nanos() / 100).unwrap_or(i64::MAX))
    }
}

impl DateTimeOffset {
    /// The instant `seconds` after the Unix epoch.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds * TICKS_PER_SECOND)
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(TICKS_PER_SECOND)
    }

    /// Reads the form of OData ABNF `dateTimeOffsetValue`, and also a bare date (midnight UTC),
    /// which Graph's own pages use for parameters. Seconds may be missing; more than seven
    /// fraction digits are cut off.
    ///
    /// ```
    /// # use odata::primitive::DateTimeOffset;
    /// let t = DateTimeOffset::parse("2020-02-25T18:52:21.2169889Z").unwrap();
    /// assert_eq!(t.to_string(), "2020-02-25T18:52:21.2169889Z");
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        Moment::parse(text).map(|moment| Self(moment.at.ticks))
    }
}

impl From<DateTimeOffset> for Moment {
    fn from(at: DateTimeOffset) -> Self {
        Self::utc(at.0)
    }
}

impl fmt::Display for DateTimeOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Moment::utc(self.0).fmt(f)
    }
}

impl Duration {
    /// Reads `[-]P[nD][T[nH][nM][n[.f]S]]` (OData ABNF `durationValue`); digits behind the seventh
    /// of the fraction are cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let length = Fine::parse_duration(text)?;
        // Towards zero.
        Some(Self(length.ticks + i64::from(length.ticks < 0 && length.is_between())))
    }
}

impl fmt::Display for Duration {
    /// .NET's form: days split off, `PT0S` for zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Fine::of(self.0).write_duration(f)
    }
}

/// Text as it is compared: a GUID in lower case, anything else as it is.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.len() == 36
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && parse_guid(text).is_some()
    {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    Cow::Borrowed(text)
}

/// The 16 bytes of a GUID in its 8-4-4-4-12 form, in either case.
pub fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut out = [0; 16];
    let mut nibbles = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = (*byte as char).to_digit(16)? as u8;
        out[nibbles / 2] = out[nibbles / 2] << 4 | digit;
        nibbles += 1;
    }
    Some(out)
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let mut value = 0;
        for _ in 0..digits {
            let byte = self.next()?;
            value = value * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        Some(value)
    }

    fn integer(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 18 {
            return None;
        }
        self.number(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_seven_digits_and_print_the_shortest_form() {
        for text in [
            "2020-02-25T18:52:21.2169889Z",
            "2020-02-25T19:00:24.582757Z",
            "2023-09-25T10:36:40Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.9999999Z",
            "2000-02-29T00:00:00.5Z",
        ] {
            assert_eq!(DateTimeOffset::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(DateTimeOffset::parse("1970-01-01T00:00:00Z"), Some(DateTimeOffset(0)));
    }

    #[test]
    fn instants_take_offsets_bare_dates_and_missing_seconds() {
        let expect = DateTimeOffset::parse("2019-11-01T00:00:00Z");
        for text in ["2019-11-01", "2019-11-01T00:00Z", "2019-11-01T02:00:00+02:00"] {
            assert_eq!(DateTimeOffset::parse(text), expect, "{text}");
        }
    }

    #[test]
    fn malformed_instants_are_refused() {
        for text in [
            "",
            "2019",
            "2019-13-01",
            "2019-02-29",
            "2019-01-01T24:00:00Z",
            "2019-01-01T00:00:00",
            "2019-01-01T00:00:00.Z",
            "2019-01-01 00:00:00Z",
            "2019-01-01T00:00:00Zx",
            "19-01-01",
            "2019-01-01T00:00:60Z",
            "2019-01-01T00:00:00+0200",
        ] {
            assert_eq!(DateTimeOffset::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations_round_trip_in_dotnet_form() {
        for text in ["PT0S", "PT0.016S", "P1DT6H1M1.5S", "P2D", "PT1H", "-PT5M", "PT0.0000001S"] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Duration::parse("PT30H").unwrap().to_string(), "P1DT6H");
        assert_eq!(Duration::parse("P0DT0H0M0.0160000S"), Some(Duration(160_000)));
    }

    #[test]
    fn malformed_durations_are_refused() {
        for text in ["", "P", "PT", "T1S", "PT1M1H", "PT1.5M", "P1H", "PT1S1S", "PT.5S", "1S"] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn guids_are_read_in_either_case() {
        let lower = parse_guid("e523d2ed-2966-4b6b-925b-754a88034cc5");
        assert!(lower.is_some());
        assert_eq!(lower, parse_guid("E523D2ED-2966-4B6B-925B-754A88034CC5"));
        assert_eq!(parse_guid("e523d2ed29664b6b925b754a88034cc5"), None);
        assert_eq!(parse_guid("e523d2ed-2966-4b6b-925b-754a88034ccg"), None);
    }
}
