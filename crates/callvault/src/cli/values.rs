//! Parsers of the values that several flags take.

use std::net::SocketAddr;
use std::time::Duration;

use model::TenantId;
use odata::primitive::DateTimeOffset;

use crate::settings::parse_time;

/// A tenant id.
pub(super) fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).ok_or_else(|| "a tenant is a GUID".to_owned())
}

/// A role that a token can have.
pub(super) fn role() -> clap::builder::PossibleValuesParser {
    identity::role::ALL.into()
}

/// An address to listen on.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    crate::settings::address(text).map_err(|error| error.to_string())
}

/// An address of the admin listener, or `off`.
pub(super) fn admin_address(text: &str) -> Result<String, String> {
    if text != "off" {
        address(text).map_err(|error| format!("{error}; or off"))?;
    }
    Ok(text.to_owned())
}

/// An instant. A day stands for its first instant in UTC.
pub(super) fn time(text: &str) -> Result<DateTimeOffset, String> {
    DateTimeOffset::parse(text)
        .or_else(|| DateTimeOffset::parse(&format!("{text}T00:00:00Z")))
        .ok_or_else(|| "expected a date or an instant such as 2026-11-01T08:00:00Z".to_owned())
}

/// The lifetime of a token or a link. A number alone would leave it open whether minutes are meant.
pub(super) fn time_to_live(text: &str) -> Result<Duration, String> {
    let is_number = text.ends_with(|last: char| last.is_ascii_digit());
    let time = parse_time(text).filter(|_| !is_number);
    let time = time.ok_or("expected a number with its unit, s, m or h, such as 15m")?;
    if time.is_zero() || time.as_secs() > identity::MAX_TTL as u64 {
        return Err("expected 1s to 24h".to_owned());
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_live_have_units_and_a_limit() {
        assert_eq!(time_to_live("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(time_to_live("90s"), Ok(Duration::from_secs(90)));
        for text in ["", "0", "0m", "90", "h", "2d", "25h", "-1m", "1.5h", "99999999999999999999h"]
        {
            assert!(time_to_live(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_means_its_first_instant() {
        assert_eq!(time("2026-11-01"), time("2026-11-01T00:00:00Z"));
        assert!(time("yesterday").is_err());
    }
}
