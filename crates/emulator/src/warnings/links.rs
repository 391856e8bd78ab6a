//! Links to more: those that are not followed, and those that are not followed as they are.

use std::collections::{BTreeMap, HashMap, HashSet};

use odata::percent::{Plus, decode};
use odata::primitive::DateTimeOffset;

use super::Finding;
use crate::history::{History, LoggedAnswer, LoggedRequest};

/// What is said of links that were changed.
pub(super) const EDITED: &str = "Requests with $skiptoken (or $skip on a log function) are along no \
    link that an answer gave. A link carries all options of the request and a token that belongs to \
    them: send it as it is, without taking it apart.";

/// What is said of links that were not followed.
pub(super) fn not_followed_text(findings: &[Finding<'_>]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.detail).or_default() += 1;
    }
    let kinds: Vec<String> = counts
        .into_iter()
        .map(|(of, count)| {
            let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
            match of {
                "" => format!("@odata.nextLink ({times})"),
                of => format!("{of}@odata.nextLink ({times}: more {of} of the record itself)"),
            }
        })
        .collect();
    format!(
        "Answers had a link to more that was not followed: {}. The client knows the first page \
         only. Follow each link until an answer has none.",
        kinds.join(", ")
    )
}

/// Requests of an application, in their order, and what was asked for.
#[derive(Default)]
struct ApplicationRequests<'a> {
    entries: Vec<&'a LoggedRequest>,
    followed: HashSet<u64>,
}

/// Links that nobody went along, though the application has gone on to something else or nothing
/// more is to come.
pub(super) fn not_followed(history: &History, is_final: bool) -> Vec<Finding<'_>> {
    let mut by_application: HashMap<String, ApplicationRequests<'_>> = HashMap::new();
    for entry in &history.entries {
        let sent = by_application.entry(entry.key()).or_default();
        sent.entries.push(entry);
        sent.followed.insert(entry.target.print);
    }
    let mut findings = Vec::new();
    for (application, sent) in &by_application {
        // Also if that was before: the same link again leads to what is known already.
        let is_followed = |print: u64| sent.followed.contains(&print);
        // A client that did not get an answer asks again, and goes on with the second one.
        let mut made_good: HashMap<(u64, &str), u64> = HashMap::new();
        for (giver, given) in sent.entries.iter().filter_map(|entry| giver(entry)) {
            for link in given.links.iter().filter(|link| is_followed(link.print)) {
                made_good.insert((giver.target.print, &link.of), giver.number);
            }
        }
        for (place, entry) in sent.entries.iter().enumerate() {
            let Some((giver, given)) = giver(entry) else { continue };
            for link in &given.links {
                let good = made_good.get(&(giver.target.print, link.of.as_str()));
                if is_followed(link.print) || good.is_some_and(|last| *last > giver.number) {
                    continue;
                }
                let behind = &sent.entries[place + 1..];
                if link.of.is_empty() && behind.iter().any(|later| is_part(giver, later)) {
                    continue;
                }
                let mut later = behind.iter().rev();
                if is_final || later.any(|later| is_else(history, application, giver, given, later))
                {
                    let application = giver.application.as_deref();
                    findings.push(Finding { application, number: giver.number, detail: &link.of });
                }
            }
        }
    }
    findings
}

/// A request whose answer has links that the client got.
fn giver(entry: &LoggedRequest) -> Option<(&LoggedRequest, &LoggedAnswer)> {
    let given = entry.answer.as_ref()?;
    let counts = entry.is_get() && given.status == 200 && !entry.is_truncated;
    (counts && !given.links.is_empty()).then_some((entry, given))
}

/// Whether a later request shows that the client has left the page. These don't: one that it sent
/// before it had the page; one for a record of a list, whose rows it may work off page by page; one
/// for more of the same record; one for subscriptions, which are renewed by the clock.
fn is_else(
    history: &History,
    application: &str,
    giver: &LoggedRequest,
    given: &LoggedAnswer,
    later: &LoggedRequest,
) -> bool {
    if later.at <= given.at || later.is_of_subscriptions() {
        return false;
    }
    if later.target.print == giver.target.print {
        return true;
    }
    match (&giver.target.record, &later.target.record) {
        (Some(one), Some(other)) => one != other,
        (None, Some(record)) => history.known_since(application, record).is_none(),
        (_, None) => given.links.iter().all(|link| link.print != later.target.print),
    }
}

/// Whether a later request asks for a part of the starts that an earlier one has asked for, from one instant to
/// another: a client that narrows its question until one page holds the answer needs no links.
fn is_part(earlier: &LoggedRequest, later: &LoggedRequest) -> bool {
    if earlier.target.path_print != later.target.path_print {
        return false;
    }
    let (Some(all), Some(part)) = (starts(earlier), starts(later)) else { return false };
    all != part && all.0 <= part.0 && part.1 <= all.1
}

/// The starts that a request asks for: from, and before (ticks).
fn starts(entry: &LoggedRequest) -> Option<(i64, i64)> {
    let text = decode(&entry.url, Plus::Space).ok()?.to_ascii_lowercase();
    let bound = |comparison: &str| {
        let condition = format!("startdatetime {comparison} ");
        let at = text.find(&condition)? + condition.len();
        let value = text[at..].split([' ', '&', ')']).next()?;
        Some(DateTimeOffset::parse(&value.to_ascii_uppercase())?.0)
    };
    Some((bound("ge")?, bound("lt")?))
}

/// Requests that go on with something by no link that was given, though there were links.
pub(super) fn edited(history: &History) -> Vec<Finding<'_>> {
    let entries = history.entries.iter().filter(|entry| entry.target.follows);
    entries
        .filter(|entry| history.had_links(entry) && !history.was_given(entry))
        .map(|entry| Finding {
            application: entry.application.as_deref(),
            number: entry.number,
            detail: "",
        })
        .collect()
}
