//! What answers link to: every address can be followed, and stands beside what is selected.

use serde_json::Value;
use testkit::Client;

use super::{ID, KEY, RECORDS, record, with_record};

const FULL: (&str, &str) = ("Accept", "application/json;odata.metadata=full");

/// All addresses in an answer, with the names of their members.
fn addresses(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_address =
                    ["odata.id", "editLink", "navigationLink", "associationLink", "nextLink"]
                        .iter()
                        .any(|end| name.ends_with(end));
                match value {
                    Value::String(address) if is_address => {
                        found.push((name.clone(), address.clone()));
                    }
                    other => addresses(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| addresses(item, found)),
        _ => {}
    }
}

fn follow(client: &mut Client, target: &str, headers: &[(&str, &str)]) -> usize {
    let answer = client.get_with(target, headers);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    let mut found = Vec::new();
    addresses(&answer.json(), &mut found);
    for (name, address) in &found {
        assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{target}: {address}");
        let absolute =
            if address.starts_with("http") { address.clone() } else { format!("/v1.0/{address}") };
        let followed = client.get(&absolute);
        assert!(
            matches!(followed.status, 200 | 204),
            "{target}: {name} {address}: {}",
            followed.text()
        );
    }
    found.len()
}

#[test]
fn every_address_of_an_answer_can_be_followed() {
    let (_callvault, _server, mut client) = with_record();
    let session = KEY.replace("%3B'", "%3B0'");
    let segment = KEY.replace("%3B'", "%3B01'");
    let mut count = 0;
    for path in [
        String::new(),
        KEY.to_owned(),
        format!("{KEY}?$expand=sessions($expand=segments),participants_v2"),
        format!("{KEY}?$expand=sessions/$ref"),
        format!("{KEY}/sessions"),
        format!("{KEY}/sessions{session}?$expand=segments"),
        format!("{KEY}/sessions{session}/segments"),
        format!("{KEY}/sessions{session}/segments{segment}"),
        format!("{KEY}/participants_v2{session}"),
        format!("{KEY}/organizer_v2"),
        format!("{KEY}/callvault.versions()"),
        "/callvault.sessions()?$expand=segments".to_owned(),
        "/callvault.segments()".to_owned(),
        "/$ref".to_owned(),
        format!("{KEY}/$ref"),
        format!("{KEY}/organizer_v2/$ref"),
        format!("{KEY}/sessions/$ref"),
        format!("{KEY}/sessions{session}/$ref"),
        format!("{KEY}/sessions{session}/segments/$ref"),
        format!("{KEY}/participants_v2/$ref"),
    ] {
        let target = format!("{RECORDS}{path}");
        let paged = [FULL, ("Prefer", "odata.maxpagesize=1")];
        count += follow(&mut client, &target, &[FULL]) + follow(&mut client, &target, &paged);
    }
    assert!(count > 100, "{count}");
}

#[test]
fn a_new_record_says_where_it_is() {
    let (_callvault, _server, mut client) = with_record();
    let mut other = record();
    other["id"] = format!("{ID}new").into();
    let answer = client.post(RECORDS, other.to_string().as_bytes());
    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(client.get(&location).json()["id"], other["id"], "{location}");
}

#[test]
fn links_stand_beside_what_is_selected_expanded_or_not() {
    let (_callvault, server, mut client) = with_record();
    let root = format!("http://{}/v1.0/communications/callRecords", server.address);
    let key = KEY.replace("%2B", "+").replace("%26", "&").replace("%3B", ";");
    let mut linked = |query: &str| {
        let body = client.get_with(&format!("{RECORDS}{KEY}{query}"), &[FULL]).json();
        let links = |value: &Value| -> Vec<String> {
            let members = value.as_object().unwrap().iter();
            let links = members.filter_map(|(name, link)| {
                let name = name.strip_suffix("@odata.navigationLink")?;
                assert!(link.as_str().unwrap().ends_with(&format!("/{name}")), "{link}");
                assert!(value.get(format!("{name}@odata.associationLink")).is_some(), "{name}");
                Some(name.to_owned())
            });
            links.collect()
        };
        let sessions = body["sessions"][0].as_object().map(|_| links(&body["sessions"][0]));
        if let Some(link) = body.get("sessions@odata.navigationLink") {
            assert_eq!(*link, format!("{root}{key}/sessions"));
        }
        assert_eq!(body["@odata.id"], format!("communications/callRecords{key}"), "{query}");
        (links(&body).join(" "), sessions.map(|links| links.join(" ")))
    };
    for (query, record, session) in [
        ("", "organizer_v2 participants_v2 sessions", None),
        ("?$select=id", "", None),
        ("?$select=version", "", None),
        ("?$select=id,sessions", "sessions", None),
        ("?$expand=sessions", "organizer_v2 participants_v2 sessions", Some("segments")),
        ("?$select=id&$expand=sessions($select=id)", "sessions", Some("")),
        ("?$select=id&$expand=sessions($select=id,segments)", "sessions", Some("segments")),
        (
            "?$select=version&$expand=sessions($select=isTest;$expand=segments($select=id))",
            "sessions",
            Some("segments"),
        ),
    ] {
        let expected = (record.to_owned(), session.map(str::to_owned));
        assert_eq!(linked(query), expected, "{query}");
    }
}
