//! The records of the load: what is sent of each version, and whether what comes back is all of it.
//! A version's content follows from its name, so nothing need be kept of it.

use odata::json::Node;

/// People in the calls; each record has one of them.
pub(super) const PEOPLE: u64 = 4;
/// Months in which the calls start, from January 2026 on.
pub(super) const MONTHS: u64 = 5;

/// A version of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) number: u64,
}

/// The person in a record, whichever version of it.
pub(super) fn person(id: &str) -> u64 {
    number_of(id) % PEOPLE
}

/// The month in which all versions of a record start, counted from 1; none if each starts in another.
pub(super) fn month(id: &str) -> Option<u64> {
    let number = number_of(id);
    (number % 3 < 2).then_some(number / PEOPLE % MONTHS + 1)
}

/// The number at the end of an id such as `soak-2-17`.
fn number_of(id: &str) -> u64 {
    id.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// When a version starts: minutes are shared by some, so that the id decides their order.
fn time(version: &Version, second: u32) -> String {
    let number = number_of(&version.id);
    let month = month(&version.id).unwrap_or((number + version.number) % MONTHS + 1);
    let (day, minute) = (number / 60 % 28 + 1, number % 60 / 3);
    format!("2026-{month:02}-{day:02}T10:{minute:02}:{second:02}Z")
}

/// A text that only this place of this version has.
fn mark(version: &Version, place: &str) -> String {
    format!("{}/{}/{place}", version.id, version.number)
}

/// How many sessions a version has.
fn session_count(version: &Version) -> u64 {
    1 + (number_of(&version.id) + version.number) % 3
}

/// The JSON of a version, in one line.
pub(super) fn text(version: &Version) -> String {
    let Version { id, number } = version;
    let (start, end, person) = (time(version, 0), time(version, 30), person(id));
    let times = format!("\"startDateTime\":\"{start}\",\"endDateTime\":\"{end}\"");
    let endpoint = |place: &str| {
        format!(
            "{{\"@odata.type\":\"#microsoft.graph.callRecords.participantEndpoint\",\"userAgent\":\
             {{\"@odata.type\":\"#microsoft.graph.callRecords.clientUserAgent\",\
             \"headerValue\":\"{}\"}}}}",
            mark(version, place)
        )
    };
    let session = |place: u64| {
        let caller = endpoint(&format!("s{place}"));
        format!(
            "{{\"id\":\"s{place}\",{times},\"caller\":{caller},\"segments\":[{{\"id\":\"g{place}\",\
             {times},\"caller\":{caller}}}]}}"
        )
    };
    let sessions: Vec<String> = (0..session_count(version)).map(session).collect();
    format!(
        "{{\"id\":\"{id}\",\"version\":{number},\"type\":\"groupCall\",{times},\
         \"joinWebUrl\":\"{}\",\"participants_v2\":[{{\"id\":\"person-{person}\",\"identity\":\
         {{\"user\":{{\"id\":\"person-{person}\"}}}}}}],\"sessions\":[{}]}}",
        mark(version, "join"),
        sessions.join(",")
    )
}

/// What a record in an answer is, once all its members were found to be of the one version that it
/// says it is; with its sessions, if they are to be there.
pub(super) fn shown(record: &Node<'_>, is_expanded: bool) -> Result<Version, String> {
    let text_at = |node: &Node<'_>, path: &[&str]| {
        let found = path.iter().try_fold(node, |node, name| node.get(name));
        found.and_then(Node::as_text).map(|text| text.value().into_owned()).unwrap_or_default()
    };
    let id = text_at(record, &["id"]);
    let Some(Node::Number(number)) = record.get("version") else {
        return Err(format!("record {id} has no version"));
    };
    let number = number.parse().map_err(|_| format!("record {id} is of version {number}"))?;
    let version = Version { id, number };
    let is_marked = |found: &str, place: &str| {
        let expected = mark(&version, place);
        let wrong = || format!("{found:?} stands where {expected:?} belongs");
        (found == expected).then_some(()).ok_or_else(wrong)
    };
    is_marked(&text_at(record, &["joinWebUrl"]), "join")?;
    let start = text_at(record, &["startDateTime"]);
    if !time(&version, 0).starts_with(start.trim_end_matches('Z').trim_end_matches(".0000000")) {
        return Err(format!("{version:?} starts {start}"));
    }
    if is_expanded {
        let sessions = record.get("sessions").and_then(Node::as_array).unwrap_or_default();
        if sessions.len() as u64 != session_count(&version) {
            return Err(format!("{version:?} has {} sessions", sessions.len()));
        }
        for session in sessions {
            let place = text_at(session, &["id"]);
            let segments = session.get("segments").and_then(Node::as_array).unwrap_or_default();
            let [segment] = segments else {
                return Err(format!("{version:?}: {place} has {} segments", segments.len()));
            };
            for part in [session, segment] {
                is_marked(&text_at(part, &["caller", "userAgent", "headerValue"]), &place)?;
            }
        }
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u64) -> Version {
        Version { id: "soak-1-7".to_owned(), number }
    }

    fn judge(text: &str) -> Result<Version, String> {
        shown(&Node::parse(text).unwrap(), true)
    }

    #[test]
    fn what_was_sent_is_a_whole_record() {
        for number in 1..4 {
            assert_eq!(judge(&text(&version(number))), Ok(version(number)));
        }
    }

    #[test]
    fn record_with_a_part_of_another_version_is_noticed() {
        let whole = text(&version(2));
        for (part, other) in
            [("2/join", "1/join"), ("2/s0", "1/s0"), ("\"version\":2", "\"version\":3")]
        {
            assert!(whole.contains(part), "{part}");
            assert!(judge(&whole.replacen(part, other, 1)).is_err(), "{part}");
        }
    }

    #[test]
    fn record_without_a_part_is_noticed() {
        let whole = text(&version(2));
        let (before, _) = whole.split_once("\"sessions\"").unwrap();
        assert!(judge(&format!("{before}\"sessions\":[]}}")).is_err());
        assert!(judge(&whole.replace("\"segments\"", "\"others\"")).is_err());
        assert!(judge(&whole.replace("joinWebUrl", "other")).is_err());
        let another_day =
            whole.replacen("\"startDateTime\":\"2026-", "\"startDateTime\":\"2025-", 1);
        assert!(judge(&another_day).is_err());
    }
}
