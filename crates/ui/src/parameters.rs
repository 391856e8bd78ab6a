//! The parameters of pages, and the ranges of time that they name.

use odata::percent::{Plus, decode, encode_query};
use odata::primitive::{DateTimeOffset, TICKS_PER_DAY};
use pages::calls::CallFilter;

/// Bytes of a value, at most.
const LONGEST: usize = 1_000;

/// The parameters of a page, by name, as they came.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query. Each name stands once, and is one of `known`.
    ///
    /// # Errors
    /// With what is wrong, as a sentence.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, String> {
        let mut all = Self::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !known.contains(&key) {
                let known = known.join(", ");
                return Err(format!("This page has no parameter '{key}'. Known: {known}."));
            }
            let value = decode(value, Plus::Space)
                .map_err(|_| format!("The percent-encoding of '{key}' is broken."))?;
            if value.len() > LONGEST {
                return Err(format!("'{key}' has more than {LONGEST} bytes."));
            }
            if all.0.iter().any(|(other, _)| other == key) {
                return Err(format!("'{key}' is there twice."));
            }
            all.0.push((key.to_owned(), value.into_owned()));
        }
        Ok(all)
    }

    /// The value of a parameter; empty for one that is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// The query that says the same, with some parameters replaced or added. What is empty is left out.
    pub(crate) fn with(&self, changes: &[(&str, &str)]) -> String {
        let is_changed = |name: &str| changes.iter().any(|(key, _)| *key == name);
        let kept = self.0.iter().filter(|(name, _)| !is_changed(name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
        let pairs: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", encode_query(value))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

/// The conditions of the list of calls.
pub(crate) fn wanted(parameters: &Parameters) -> CallFilter {
    let get = |name| parameters.get(name).to_owned();
    CallFilter {
        q: get("q"),
        from: get("from"),
        to: get("to"),
        verdict: get("verdict"),
        kind: get("type"),
        subnet: get("subnet"),
    }
}

/// Whole days of UTC: from the start of the first until the end of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    /// The first instant, in ticks.
    pub(crate) from: i64,
    /// The first instant behind it.
    pub(crate) until: i64,
}

impl Days {
    /// From the first day to the last, which belongs to it.
    ///
    /// # Errors
    /// With what is wrong, as a sentence.
    pub(crate) fn of(from: &str, to: &str) -> Result<Self, String> {
        let (from, until) = (day("from", from)?, day("to", to)? + TICKS_PER_DAY);
        if until <= from {
            return Err("The last day of the range is before the first one.".to_owned());
        }
        Ok(Self { from, until })
    }

    /// So many days, of which the last is that of an instant.
    pub(crate) fn until(instant: i64, days: i64) -> Self {
        let until = (instant.div_euclid(TICKS_PER_DAY) + 1) * TICKS_PER_DAY;
        Self { from: until - days * TICKS_PER_DAY, until }
    }

    /// As many days before it.
    pub(crate) fn before(self) -> Self {
        Self { from: self.from - (self.until - self.from), until: self.from }
    }

    /// How many there are.
    pub(crate) fn count(self) -> i64 {
        (self.until - self.from) / TICKS_PER_DAY
    }

    /// The first day and the last, as forms have them.
    pub(crate) fn names(self) -> [String; 2] {
        [self.from, self.until - TICKS_PER_DAY].map(day_of)
    }

    /// The condition on a property of instants.
    pub(crate) fn condition(self, property: &str) -> String {
        let [from, until] = [self.from, self.until].map(|ticks| DateTimeOffset(ticks).to_string());
        format!("{property} ge {from} and {property} lt {until}")
    }
}

/// The day of an instant, `2026-10-01`.
pub(crate) fn day_of(ticks: i64) -> String {
    DateTimeOffset(ticks).to_string().get(..10).unwrap_or_default().to_owned()
}

/// The start of a day.
pub(crate) fn day(name: &str, text: &str) -> Result<i64, String> {
    let is_day = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let found = DateTimeOffset::parse(text).filter(|_| is_day);
    found.map(|at| at.0).ok_or_else(|| format!("'{name}' is no day such as 2026-10-01: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_once_each_and_written_back() {
        let known = ["q", "from"];
        let read = |query| Parameters::read(Some(query), &known);
        let parameters = read("q=a+b%26c&from=").unwrap();
        assert_eq!(parameters.get("q"), "a b&c");
        assert_eq!(parameters.with(&[("after", "x=y&z")]), "?q=a%20b%26c&after=x=y%26z");
        assert_eq!(parameters.with(&[("q", "")]), "");
        assert!(read("q=1&q=2").unwrap_err().contains("twice"));
        assert!(read("x=1").unwrap_err().contains("no parameter 'x'"));
        assert!(read("q=%zz").unwrap_err().contains("broken"));
    }

    #[test]
    fn days_belong_to_their_range_whole() {
        let days = Days::of("2026-10-01", "2026-10-07").unwrap();
        assert_eq!(days.count(), 7);
        assert_eq!(days.names(), ["2026-10-01", "2026-10-07"]);
        assert_eq!(days.before().names(), ["2026-09-24", "2026-09-30"]);
        assert_eq!(
            days.condition("startDateTime"),
            "startDateTime ge 2026-10-01T00:00:00Z and startDateTime lt 2026-10-08T00:00:00Z"
        );
        assert_eq!(Days::until(days.until - 1, 7), days);
        assert!(Days::of("2026-10-02", "2026-10-01").is_err());
        assert!(Days::of("2026-10-1", "2026-10-02").is_err());
    }
}
