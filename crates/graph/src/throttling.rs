//! What the limits of rates tell apart: Graph's own limits (Graph, "throttling limits": call records, and
//! outside of all services), and what a request is about.

use http::Method;
use web::{Allowance, Rates, Subject};

/// Graph's own limits.
pub const GRAPH_RATES: Rates = Rates {
    everywhere: Some(Allowance::new(130_000, 10)),
    tenant: Some(Allowance::new(10_000, 20)),
    application: Some(Allowance::new(1_500, 20)),
    record: Some(Allowance::new(10, 20)),
    following: Some(Allowance::new(50, 300)),
    // Of two figures that Microsoft has published the lower ones.
    list: Some(Allowance::new(15, 20)),
    list_following: Some(Allowance::new(55, 300)),
};

/// What a request is about; `path` is that behind the version.
pub(crate) fn subject<'r>(method: &Method, path: &'r str, query: Option<&str>) -> Subject<'r> {
    if *method == Method::GET { of_read(path, query) } else { of_write(path) }
}

/// What a read is about; `path` is that behind the version.
fn of_read<'a>(path: &'a str, query: Option<&str>) -> Subject<'a> {
    let Some(rest) = behind(path, "/communications") else { return Subject::Other };
    let follows = query.is_some_and(|query| query.contains("skiptoken="));
    if behind(rest, "/callRecords").is_some_and(|rest| matches!(rest, "" | "/")) {
        return if follows { Subject::ListFollowing } else { Subject::List };
    }
    let Some(rest) = behind(rest, "/callRecords/") else { return Subject::Records };
    let id = rest.split('/').next().unwrap_or(rest);
    // Operations and `$count` are no ids.
    if id.is_empty() || id.starts_with('$') || id.contains(['.', '(']) {
        return Subject::Records;
    }
    if follows { Subject::Following(id) } else { Subject::Record(id) }
}

/// What a write is about: Graph has none, so that only general limits count it.
fn of_write(path: &str) -> Subject<'static> {
    behind(path, "/communications").map_or(Subject::Other, |_| Subject::Records)
}

fn behind<'a>(path: &'a str, start: &str) -> Option<&'a str> {
    let (head, rest) = path.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_told_apart_by_the_path() {
        use Subject::{Following, List, ListFollowing, Other, Record, Records};
        for (path, query, expected) in [
            ("/subscriptions", None, Other),
            ("/communications", None, Records),
            ("/communications/callRecords", Some("$skiptoken=x"), ListFollowing),
            ("/Communications/CallRecords/", Some("$filter=x"), List),
            ("/communications/callRecords/$count", None, Records),
            ("/communications/callRecords/callvault.streams()", None, Records),
            ("/communications/callRecords/r1", None, Record("r1")),
            ("/Communications/callrecords/r1/sessions", None, Record("r1")),
            ("/communications/callRecords/r1/sessions", Some("$skiptoken=x"), Following("r1")),
            ("/communications/callRecords/r1/sessions", Some("%24skiptoken=x"), Following("r1")),
        ] {
            assert_eq!(of_read(path, query), expected, "{path}");
        }
        assert_eq!(of_write("/communications/callRecords/r1"), Records);
        assert_eq!(of_write("/subscriptions"), Other);
    }
}
