//! What a request wants with a file, and the names and times of maps.

use odata::percent::{Plus, decode};
use odata::primitive::DateTimeOffset;
use places::{Kind, Validity, is_name};
use web::Problem;

/// Ticks of a day.
const DAY: i64 = 86_400 * 10_000_000;

/// The options of an import.
#[derive(Debug)]
pub(super) struct MapRequest {
    pub(super) name: String,
    pub(super) version: Option<i64>,
    pub(super) kind: Option<Kind>,
    pub(super) validity: Option<Validity>,
    pub(super) is_dry_run: bool,
}

impl MapRequest {
    /// Reads `name=…&version=…&kind=…&from=…&to=…&dryRun=true`, of which only the name must be there.
    pub(super) fn read(query: &str) -> Result<Self, Problem> {
        let [mut name, mut version, mut kind, mut from, mut to, mut dry_run] =
            [const { None::<String> }; 6];
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let place = match key {
                "name" => &mut name,
                "version" => &mut version,
                "kind" => &mut kind,
                "from" => &mut from,
                "to" => &mut to,
                "dryRun" => &mut dry_run,
                _ => return Err(wrong(key, "there is no such option")),
            };
            let value = decode(value, Plus::Literal)
                .map_err(|_| wrong(key, "the percent-encoding is broken"))?;
            if place.replace(value.into_owned()).is_some() {
                return Err(wrong(key, "it is there twice"));
            }
        }
        let name = name.ok_or_else(|| wrong("name", "it is missing: add name=NAME"))?;
        if !is_name(&name) {
            return Err(wrong("name", &other(NAME, &name)));
        }
        let expected = "expected a whole number from 1";
        let version = version.map(|text| {
            let number = text.parse::<i64>().ok().filter(|it| *it > 0);
            number.ok_or_else(|| wrong("version", &other(expected, &text)))
        });
        let expected = "expected building, endpoint, bssid or asn";
        let kind = kind
            .map(|text| Kind::parse(&text).ok_or_else(|| wrong("kind", &other(expected, &text))));
        let is_dry_run = match dry_run.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => return Err(wrong("dryRun", &other("expected true or false", text))),
        };
        Ok(Self {
            name,
            version: version.transpose()?,
            kind: kind.transpose()?,
            validity: validity(from.as_deref(), to.as_deref())
                .map_err(|(key, message)| wrong(key, &message))?,
            is_dry_run,
        })
    }
}

const NAME: &str = "expected 1 to 64 letters, digits, '-', '_' or '.', a letter or a digit first";

/// Characters of a value that a message shows.
const SHOWN: usize = 60;

/// What was expected, and what came instead.
fn other(expected: &str, found: &str) -> String {
    let shown: String = found.chars().take(SHOWN).collect();
    let more = if shown.len() < found.len() { "…" } else { "" };
    format!("{expected}, and not '{shown}{more}'")
}

fn wrong(key: &str, message: &str) -> Problem {
    Problem::bad_request(format!("{key}: {message}.")).with_target(key.to_owned())
}

/// From when until when a map holds, in ticks. A day stands for its first instant in UTC, and as the end for
/// its last: the day itself belongs to it. An instant as the end does not. None if neither is given.
///
/// # Errors
/// Which of `from` and `to` is wrong, and why.
pub fn validity(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Option<Validity>, (&'static str, String)> {
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let expected = "expected a day or an instant such as 2026-11-01T08:00:00Z";
    let read = |text: &str, behind| {
        let day = DateTimeOffset::parse(&format!("{text}T00:00:00Z"))
            .map(|day| day.0.saturating_add(behind));
        day.or_else(|| DateTimeOffset::parse(text).map(|instant| instant.0))
    };
    let bound = |key, text: Option<&str>, behind| {
        let Some(text) = text else { return Ok(None) };
        read(text, behind).map(Some).ok_or_else(|| (key, other(expected, text)))
    };
    let (start, end) = (bound("from", from, 0)?, bound("to", to, DAY)?);
    match (start, end) {
        (Some(start), Some(end)) if end <= start => {
            let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
            Err(("to", format!("'{to}' is not later than the start, '{from}'")))
        }
        _ => Ok(Some(Validity { from: start, to: end })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_belongs_to_the_time_of_a_map() {
        let ticks = |text: &str| DateTimeOffset::parse(text).map(|instant| instant.0);
        let whole = validity(Some("2026-01-01"), Some("2026-12-31")).unwrap().unwrap();
        assert_eq!(whole.from, ticks("2026-01-01T00:00:00Z"));
        assert_eq!(whole.to, ticks("2027-01-01T00:00:00Z"));
        let open = validity(None, Some("2026-01-01T09:00:00+02:00")).unwrap().unwrap();
        assert_eq!(open, Validity { from: None, to: ticks("2026-01-01T07:00:00Z") });
        assert_eq!(validity(None, None), Ok(None));
        assert!(validity(Some("2026-01-02"), Some("2026-01-01")).is_err());
        let expected = "expected a day or an instant such as 2026-11-01T08:00:00Z, and not 'soon'";
        assert_eq!(validity(Some("soon"), None), Err(("from", expected.to_owned())));
        let told = "'2026-01-01' is not later than the start, '2026-01-02'".to_owned();
        assert_eq!(validity(Some("2026-01-02"), Some("2026-01-01")), Err(("to", told)));
    }

    #[test]
    fn options_are_read_or_told() {
        let wanted =
            MapRequest::read("name=offices&version=2&kind=building&from=2026-01-01&dryRun=true");
        let wanted = wanted.unwrap();
        assert_eq!((wanted.name.as_str(), wanted.version), ("offices", Some(2)));
        assert!(wanted.is_dry_run && wanted.kind == Some(Kind::Building));
        for (query, target) in [
            ("", "name"),
            ("name=", "name"),
            ("name=a%2Fb", "name"),
            ("name=a%2", "name"),
            ("name=a&name=b", "name"),
            ("name=a&version=0", "version"),
            ("name=a&kind=room", "kind"),
            ("name=a&to=x", "to"),
            ("name=a&dryRun=1", "dryRun"),
            ("name=a&colour=red", "colour"),
        ] {
            assert_eq!(MapRequest::read(query).unwrap_err().target(), Some(target), "{query}");
        }
        let told = |query| MapRequest::read(query).unwrap_err().message().to_owned();
        assert_eq!(told("kind=asn"), "name: it is missing: add name=NAME.");
        assert!(told("name=a&kind=room").ends_with(", and not 'room'."));
    }
}
