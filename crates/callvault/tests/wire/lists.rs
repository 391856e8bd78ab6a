//! Long lists: `in` with thousands of values, and chains of `or` as long.

use serde_json::Value;
use testkit::Client;

use super::{RECORDS, record, served};

const MANY: usize = 5_000;

/// A server with 130 records, each with a party of its own.
fn filled() -> (testkit::Callvault, testkit::Server, Client) {
    let (callvault, server, mut client) = served();
    let lines: Vec<String> = (0..130)
        .map(|number| {
            record(&format!("r{number}"), 1, 3 * number)
                .replace("user-0", &format!("party-{number}"))
        })
        .collect();
    let headers = [("Content-Type", "application/x-ndjson")];
    let target = format!("{RECORDS}/callvault.import");
    let answer = client.send("POST", &target, &headers, lines.join("\n").as_bytes());
    assert!(answer.lines().iter().all(|line| line["status"] == "created"), "{}", answer.text());
    (callvault, server, client)
}

/// Posts a query and follows its links, with the same body where they say so.
fn posted(client: &mut Client, path: &str, query: &str) -> Vec<Value> {
    let headers = [("Content-Type", "text/plain")];
    let mut found = Vec::new();
    let mut next = format!("{path}/$query");
    loop {
        let answer = if next.contains("/$query") {
            client.send("POST", &next, &headers, query.as_bytes())
        } else {
            client.get(&next)
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        found.extend(page["value"].as_array().unwrap().iter().cloned());
        match page["@odata.nextLink"].as_str() {
            Some(link) => link.clone_into(&mut next),
            None => return found,
        }
    }
}

fn quoted(values: impl Iterator<Item = String>) -> String {
    values.map(|value| format!("'{value}'")).collect::<Vec<_>>().join(",")
}

fn ids(found: &[Value]) -> Vec<String> {
    found.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// `r{number}`, the latest first.
fn latest_first(numbers: impl DoubleEndedIterator<Item = usize>) -> Vec<String> {
    numbers.rev().map(|number| format!("r{number}")).collect()
}

#[test]
fn thousands_of_values_are_found_on_every_page() {
    let (_callvault, _server, mut client) = filled();
    let wanted = quoted((0..MANY).map(|number| format!("r{}", 30 + number)));
    let all = latest_first(30..130);
    let found = posted(&mut client, RECORDS, &format!("$filter=id in ({wanted})&$select=id"));
    assert_eq!(ids(&found), all);
    let parties = quoted(
        (0..MANY)
            .map(|number| format!("PARTY-{}", 30 + number))
            .chain((0..MANY).map(|number| format!("party-{}", 30 + number))),
    );
    let any = format!("$filter=participants_v2/any(p:p/id in ({parties}))");
    assert_eq!(ids(&posted(&mut client, RECORDS, &any)), all);
    let narrowed = format!("{any} and startDateTime ge 2025-01-01T06:00:00Z&$orderby=id");
    assert_eq!(posted(&mut client, RECORDS, &narrowed).len(), 10);
    let neither = format!("$filter=not (id in ({wanted}))&$orderby=version,id desc");
    let mut rest = ids(&posted(&mut client, RECORDS, &neither));
    assert_eq!(rest.len(), 30);
    rest.sort_unstable();
    assert_eq!(rest[..3], ["r0", "r1", "r10"]);
    let numbers = (1..=MANY).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let counted = format!("$filter=version in ({numbers}) and id ne 'r0'");
    assert_eq!(posted(&mut client, RECORDS, &counted).len(), 129);
    let evaluated = format!("$filter=(version mul 2) in ({numbers}) and contains(id,'r12')");
    assert_eq!(posted(&mut client, RECORDS, &evaluated).len(), 11);
    let types = quoted((0..MANY).map(|_| "peerToPeer".to_owned()));
    let members = format!("$filter=type in ({types})&$top=5");
    assert_eq!(posted(&mut client, RECORDS, &members).len(), 5);
    let headers = [("Content-Type", "text/plain")];
    let count = format!("{RECORDS}/$count/$query");
    let body = format!("$filter=id in ({wanted})");
    assert_eq!(client.send("POST", &count, &headers, body.as_bytes()).text(), "100");
}

#[test]
fn chains_of_or_are_lists() {
    let (_callvault, _server, mut client) = filled();
    let chain = |value: &str, name: &str| {
        let parts = (0..MANY).map(|number| format!("{value} eq '{name}{}'", 100 + number));
        parts.collect::<Vec<_>>().join(" or ")
    };
    let found = posted(&mut client, RECORDS, &format!("$filter={}&$select=id", chain("id", "r")));
    assert_eq!(ids(&found), latest_first(100..130));
    let parties = chain("p/id", "party-");
    let any = format!("$filter=participants_v2/any(p:{parties}) and version eq 1");
    assert_eq!(ids(&posted(&mut client, RECORDS, &any)), latest_first(100..130));
    // One that is no list is decided without SQL.
    let mixed: Vec<String> =
        (0..400).map(|number| format!("startswith(id,'r{number}x')")).collect();
    let mixed = format!("$filter={} or id eq 'r7'", mixed.join(" or "));
    assert_eq!(ids(&posted(&mut client, RECORDS, &mixed)), ["r7"]);
}

#[test]
fn sessions_of_a_long_list_are_found() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, super::fixture("expanded-beta-2020").as_bytes());
    client.post(RECORDS, record("other", 1, 1).as_bytes());
    let record = client.get(&format!("{RECORDS}?$expand=sessions&$filter=id ne 'other'")).json();
    let session = record["value"][0]["sessions"][0]["id"].as_str().unwrap().to_owned();
    let others = (0..MANY).map(|number| format!("00000000-0000-4000-8000-{number:012}"));
    let wanted = quoted(others.chain([session.to_uppercase()]));
    let any = format!("$filter=sessions/any(s:s/id in ({wanted}))&$select=id");
    let found = posted(&mut client, RECORDS, &any);
    assert_eq!(found.len(), 1);
    let rows = format!("{RECORDS}/callvault.sessions()");
    let found = posted(&mut client, &rows, &format!("$filter=id in ({wanted})&$select=id"));
    assert_eq!(found[0]["id"].as_str(), Some(session.as_str()));
}

#[test]
fn what_is_too_long_for_an_address_is_told_where_there_is_room() {
    let (_callvault, _server, mut client) = filled();
    let wanted = quoted((0..300).map(|number| format!("r{number}")));
    let refused = client.get(&format!("{RECORDS}?$filter=id%20in%20({wanted})"));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("POST …/$query"), "{}", refused.text());
    let long = quoted((0..900).map(|number| format!("record-{number}")));
    let refused = client.get(&format!("{RECORDS}?$filter=id%20in%20({long})"));
    assert_eq!(refused.status, 414);
    assert!(refused.text().contains("POST …/$query"), "{}", refused.text());
    let headers = [("Content-Type", "text/plain")];
    let target = format!("{RECORDS}/$query");
    let body = format!("$filter=id in ({})", quoted((0..MANY).map(|number| format!("r{number}"))));
    let page = client.send("POST", &target, &headers, body.as_bytes()).json();
    let link = page["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(link.contains("/$query?$skiptoken=") && link.len() < 1_000, "{link}");
    let got = client.get(&link);
    assert_eq!((got.status, got.header("allow")), (405, Some("POST")));
    let other = client.send("POST", &link, &headers, b"$filter=id eq 'r1'");
    assert_eq!(other.status, 400, "another body");
    // Of middle length: the link shows the options, and can be followed.
    let body = format!("$filter=id in ({})", quoted((0..500).map(|number| format!("r{number}"))));
    let page = client.send("POST", &target, &headers, body.as_bytes()).json();
    let link = page["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(link.contains("callRecords?$filter=") && link.len() < 8_192, "{}", link.len());
    assert_eq!(client.get(&link).json()["value"].as_array().unwrap().len(), 60);
}
