//! Lengths of time as rules write them: `500ms`, `2s`, `1m`, `1h`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest, in milliseconds: a day. Longer ones would be slips.
const LONGEST: u64 = 86_400_000;

/// Units with their milliseconds, the longest first.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A length of time of a rule: more than nothing, a day at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length(Duration);

impl Length {
    /// Reads a whole number with its unit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &text[digits.len()..])?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = digits.parse().ok().filter(|_| is_number)?;
        let all = number.checked_mul(*unit).filter(|all| (1..=LONGEST).contains(all))?;
        Some(Self(Duration::from_millis(all)))
    }

    /// The time.
    pub(crate) fn time(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Length {
    /// In the longest unit that leaves no rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.as_millis() as u64;
        let (name, unit) =
            UNITS.iter().find(|(_, unit)| all.is_multiple_of(*unit)).unwrap_or(&UNITS[3]);
        write!(f, "{}{name}", all / unit)
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "expected a time of up to a day such as \"500ms\", \"2s\" or \"1m\", found \"{text}\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_written_in_their_longest_unit() {
        for (text, milliseconds, written) in [
            ("500ms", 500, "500ms"),
            ("2s", 2_000, "2s"),
            ("1500ms", 1_500, "1500ms"),
            ("90s", 90_000, "90s"),
            ("60s", 60_000, "1m"),
            ("24h", 86_400_000, "24h"),
        ] {
            let length = Length::parse(text).unwrap();
            assert_eq!(length.time(), Duration::from_millis(milliseconds), "{text}");
            assert_eq!(length.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in
            ["", "s", "5", "1.5s", "-1s", "+1s", "0s", "25h", "2 s", "2S", "99999999999999999999h"]
        {
            assert_eq!(Length::parse(text), None, "{text}");
        }
    }
}
