//! What the load reads, and the check of each answer by what was acknowledged before the question.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use odata::json::Node;

use super::client::Client;
use super::cluster::lock;
use super::content::{self, MONTHS, PEOPLE, Version};
use super::ledger::{self, Versions};
use super::load::Load;
use crate::http::Ask;
use crate::paths::CALL_RECORDS;

/// Records on a page of a list.
const PAGE: &str = "odata.maxpagesize=25";
/// How often a page is asked for that got no answer.
const TRIES: u32 = 100;

/// Reads a record in one of the ways: a new one as often as not.
pub(super) fn one(load: &Load<'_>, client: &mut Client<'_>) {
    let id = {
        let ledger = lock(&load.ledger);
        let count = ledger.ids().len() as u64;
        let back = if client.dice.below(2) == 0 { count.min(20) } else { count };
        let place = count.checked_sub(1 + client.dice.below(back));
        let Some(id) = place.and_then(|place| ledger.ids().get(place as usize)) else { return };
        id.clone()
    };
    let node = client.node();
    match client.dice.below(10) {
        0..4 => current(load, client, node, &id, false),
        4..7 => current(load, client, node, &id, true),
        7..9 => versions(load, client, node, &id),
        _ => {
            let numbers: Vec<u64> = known(load, &id).acknowledged.into_keys().collect();
            let place = client.dice.below(numbers.len() as u64) as usize;
            if let Some(number) = numbers.get(place) {
                version(load, client, node, &Version { id, number: *number });
            }
        }
    }
}

fn known(load: &Load<'_>, id: &str) -> Versions {
    lock(&load.ledger).known(id)
}

/// The body of an answer; none if it was not given, or is none of these.
fn read(
    load: &Load<'_>,
    client: &mut Client<'_>,
    node: usize,
    path: &str,
    fine: &[u16],
) -> Option<(u16, String)> {
    let ask = Ask { path, token: &load.token, prefer: PAGE, body: None };
    let answer = client.ask(node, &ask, fine).ok()?;
    load.checked.fetch_add(1, Ordering::Relaxed);
    Some((answer.status, answer.body))
}

/// Reads the current version of a record.
pub(super) fn current(
    load: &Load<'_>,
    client: &mut Client<'_>,
    node: usize,
    id: &str,
    is_expanded: bool,
) {
    let before = known(load, id);
    let options = if is_expanded { "?$expand=sessions($expand=segments)" } else { "" };
    let path = format!("{CALL_RECORDS}/{id}{options}");
    let Some((status, body)) = read(load, client, node, &path, &[200, 404]) else { return };
    let shown = match status {
        404 => Ok(0),
        _ => one_of(&body, is_expanded).map(|shown| shown.number),
    };
    let attempted = known(load, id).attempted;
    let judged = shown.and_then(|shown| ledger::current(id, before.floor(), shown, attempted));
    load.found(node, judged.err());
}

/// Reads all versions of a record.
pub(super) fn versions(load: &Load<'_>, client: &mut Client<'_>, node: usize, id: &str) {
    let before = known(load, id);
    let path = format!("{CALL_RECORDS}/{id}/callvault.versions()");
    let Some((status, body)) = read(load, client, node, &path, &[200, 404]) else { return };
    let shown = if status == 404 { Ok(Vec::new()) } else { page(&body).map(|page| page.0) };
    match shown {
        Ok(shown) => {
            let numbers: Vec<u64> = shown.iter().map(|version| version.number).collect();
            let attempted = known(load, id).attempted;
            load.found(node, ledger::versions(id, &before, &numbers, attempted));
        }
        Err(wrong) => load.found(node, [wrong]),
    }
}

/// Reads a version with its sessions, which must be there if it was acknowledged.
pub(super) fn version(load: &Load<'_>, client: &mut Client<'_>, node: usize, version: &Version) {
    let Version { id, number } = version;
    let must_be_there = known(load, id).acknowledged.contains_key(number);
    let expand = "$expand=sessions($expand=segments)";
    let path = format!("{CALL_RECORDS}/{id}/callvault.version(version={number})?{expand}");
    let Some((status, body)) = read(load, client, node, &path, &[200, 404]) else { return };
    let judged = match status {
        404 if must_be_there => Err(format!("{version:?} was acknowledged, and is not there")),
        404 => Ok(()),
        _ => one_of(&body, true).and_then(|shown| {
            let wrong = || format!("{version:?} was asked for, and {shown:?} is shown");
            (shown == *version).then_some(()).ok_or_else(wrong)
        }),
    };
    load.found(node, judged.err());
}

/// Reads a list to its end, each page at another node.
pub(super) fn list(load: &Load<'_>, client: &mut Client<'_>) {
    let (month, person) = (1 + client.dice.below(MONTHS), client.dice.below(PEOPLE));
    let is_asked_for =
        |id: &str| content::month(id) == Some(month) && content::person(id) == person;
    let floors = lock(&load.ledger).floors(is_asked_for);
    let from = format!("startDateTime%20ge%202026-{month:02}-01T00:00:00Z");
    let to = format!("startDateTime%20lt%202026-{:02}-01T00:00:00Z", month + 1);
    let who = format!("participants_v2/any(p:p/id%20eq%20'person-{person}')");
    let mut next = Some(format!("{CALL_RECORDS}?$filter={from}%20and%20{to}%20and%20{who}"));
    let mut items = Vec::new();
    let mut node = client.node();
    while let Some(path) = next {
        let Some((at, body)) = page_somewhere(load, client, &path) else { return };
        node = at;
        match page(&body) {
            Ok((records, link)) => {
                items.extend(records);
                next = link;
            }
            Err(wrong) => return load.found(node, [wrong]),
        }
    }
    load.walks.fetch_add(1, Ordering::Relaxed);
    // What moves to another month meanwhile may be on each page or on none.
    items.retain(|it| content::month(&it.id).is_some());
    let others = items.iter().filter(|it| !is_asked_for(&it.id));
    load.found(node, others.map(|it| format!("{it:?} does not belong into the list")));
    load.found(node, ledger::walk(&floors, &items));
}

/// Asks one node after the other for a page until one has it; none when all is over before that.
fn page_somewhere(load: &Load<'_>, client: &mut Client<'_>, path: &str) -> Option<(usize, String)> {
    for _ in 0..TRIES {
        let node = client.node();
        if let Some((_, body)) = read(load, client, node, path, &[200]) {
            return Some((node, body));
        }
        if load.is_over() {
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    None
}

fn one_of(body: &str, is_expanded: bool) -> Result<Version, String> {
    let record = Node::parse(body).map_err(|error| format!("{error}: {body}"))?;
    content::shown(&record, is_expanded)
}

/// The records of a page, and the path of the next one.
fn page(body: &str) -> Result<(Vec<Version>, Option<String>), String> {
    let page = Node::parse(body).map_err(|error| format!("{error}: {body}"))?;
    let records = page.get("value").and_then(Node::as_array);
    let records = records.ok_or_else(|| format!("a page without records: {body}"))?;
    let records = records.iter().map(|record| content::shown(record, false));
    let link = match page.get("@odata.nextLink").and_then(Node::as_text) {
        None => None,
        Some(link) => {
            let link = link.value();
            // Of all nodes together, so without the address of one.
            let path = link.find("/v1.0/").map(|start| link[start..].to_owned());
            Some(path.ok_or_else(|| format!("a page is followed by {link}"))?)
        }
    };
    Ok((records.collect::<Result<_, _>>()?, link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_its_records_and_the_path_of_the_next() {
        let version = Version { id: "soak-1-2".to_owned(), number: 3 };
        let record = content::text(&version);
        let link = "\"@odata.nextLink\":\"http://a/v1.0/b?$skiptoken=c\"";
        let read = page(&format!("{{{link},\"value\":[{record}]}}")).unwrap();
        assert_eq!(read, (vec![version], Some("/v1.0/b?$skiptoken=c".to_owned())));
        assert_eq!(page("{\"value\":[]}"), Ok((vec![], None)));
    }

    #[test]
    fn page_that_is_none_is_noticed() {
        for body in ["", "{\"value\":[", "{}", "{\"value\":[{\"id\":\"soak-1-2\"}]}"] {
            assert!(page(body).is_err(), "{body}");
        }
        assert!(page("{\"@odata.nextLink\":\"elsewhere\",\"value\":[]}").is_err());
    }
}
