//! `Retry-After` (RFC 9110, section 10.2.3), also with a fraction, as Graph writes it at times.

use std::time::{Duration, SystemTime};

/// The longest wait that is believed: whoever asks for more is asked again after this.
const LONGEST: Duration = Duration::from_hours(1);

/// How long an answer asks to wait; `date` is the answer's own date. None for what can't be read.
pub(crate) fn parse(text: &str, date: Option<SystemTime>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        return is_number
            .then(|| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(date?).unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_fractions_and_dates_are_read_and_nothing_else_is() {
        let date = httpdate::parse_http_date("Tue, 01 Dec 2026 10:00:00 GMT").ok();
        for (text, wait) in [
            ("12", Some(12_000)),
            (" 0 ", Some(0)),
            ("2.5", Some(2_500)),
            ("Tue, 01 Dec 2026 10:00:30 GMT", Some(30_000)),
            ("Tue, 01 Dec 2026 09:00:00 GMT", Some(0)),
            ("99999999999999999999", Some(3_600_000)),
            ("Wed, 01 Dec 2027 10:00:30 GMT", Some(3_600_000)),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("1e3", None),
            ("inf", None),
            ("NaN", None),
        ] {
            assert_eq!(parse(text, date), wait.map(Duration::from_millis), "{text:?}");
        }
        assert_eq!(parse("Tue, 01 Dec 2026 10:00:30 GMT", None), None);
    }
}
