//! Clauses of the standard without a test elsewhere; `docs/odata-conformance.md` lists them all.

use testkit::Client;

use super::{Asked, RECORDS};
use crate::{record, served};

#[test]
fn versions_of_the_protocol_are_negotiated() {
    let mut asked = Asked::new();
    for (highest, status) in [("4.0", 200), ("4.01", 200), ("3.0", 400), ("four", 400)] {
        let answer = asked.client.get_with(RECORDS, &[("OData-MaxVersion", highest)]);
        assert_eq!(answer.status, status, "{highest}: {}", answer.text());
        let version = answer.header("odata-version").unwrap().to_owned();
        assert!(["4.0", "4.01"].contains(&&*version), "{version}");
        assert!(highest != "4.0" || version == "4.0", "{version}");
    }
}

#[test]
fn headers_and_preferences_have_both_spellings() {
    let mut asked = Asked::new();
    for preference in ["maxpagesize=2", "odata.maxpagesize=2"] {
        let page = asked.client.get_with(RECORDS, &[("Prefer", preference)]).json();
        assert_eq!(page["value"].as_array().unwrap().len(), 2, "{preference}");
        assert!(page["@odata.nextLink"].is_string(), "{preference}");
    }
    for parameter in ["metadata=none", "odata.metadata=none"] {
        let accept = format!("application/json;{parameter}");
        let answer = asked.client.get_with(&format!("{RECORDS}/r1"), &[("Accept", &accept)]);
        assert!(answer.json().get("@odata.context").is_none(), "{parameter}");
    }
}

#[test]
fn names_of_options_operators_and_functions_have_any_case() {
    Asked::new().lists(
        RECORDS,
        &[
            ("?$Filter=version EQ 7", "r7"),
            ("?FILTER=STARTSWITH(id,'r') AND NOT (version LT 7)&$OrderBy=id", "r5 r7"),
            ("?orderBY=id DESC&$TOP=1", "r7"),
            ("?$filter=sessions/ANY(s:s/isTest)", "r2"),
            ("?$filter=version IN (3,7)&$Select=id", "r7 r3"),
        ],
    );
}

#[test]
fn functions_have_every_spelling_and_aliases() {
    let mut asked = Asked::new();
    for spelling in ["/callvault.streams", "/callvault.streams()", "/streams()"] {
        let found = asked.names(&format!("{RECORDS}{spelling}?$orderby=streamId&$top=1"));
        assert_eq!(found.as_deref(), Ok("11"), "{spelling}");
    }
    for spelling in ["version(version=2)", "version(version=@v)?@v=2", "version?@version=2"] {
        let body = asked.body(&format!("{RECORDS}/r2/callvault.{spelling}"));
        assert_eq!(body["version"], 2, "{spelling}");
    }
}

#[test]
fn keys_with_slashes_are_given_by_an_alias() {
    let (_callvault, _server, mut client) = served();
    for id in ["a/b", "a\\\\b"] {
        assert_eq!(client.post(RECORDS, record(id, 1, 1).as_bytes()).status, 201, "{id}");
    }
    for (key, id) in [("a%2Fb", "a/b"), ("a/b", "a/b"), ("a%5Cb", "a\\b")] {
        let answer = client.get(&format!("{RECORDS}(@k)?@k='{key}'"));
        assert_eq!(answer.status, 200, "{key}: {}", answer.text());
        assert_eq!(answer.json()["id"], id, "{key}");
    }
}

#[test]
fn full_metadata_has_links_that_lead_back() {
    let mut asked = Asked::new();
    let full = "$format=application/json;odata.metadata=full";
    let body = asked.body(&format!("{RECORDS}/r2?{full}"));
    for link in ["@odata.id", "@odata.editLink"] {
        let link = body[link].as_str().unwrap();
        assert_eq!(asked.body(&format!("/v1.0/{link}"))["id"], "r2", "{link}");
    }
    let link = body["sessions@odata.navigationLink"].as_str().unwrap();
    let (_, path) = link.split_once("/v1.0/").unwrap();
    assert_eq!(asked.names(&format!("/v1.0/{path}")).as_deref(), Ok("r2a r2b r2c"));
}

#[test]
fn references_and_members_change_only_with_their_record() {
    let (_callvault, _server, mut client) = served();
    assert_eq!(client.post(RECORDS, record("a", 1, 1).as_bytes()).status, 201);
    let mut refused = |method: &str, path: &str| {
        let json = [("Content-Type", "application/json")];
        let answer = client.send(method, &format!("{RECORDS}{path}"), &json, b"{}");
        assert!([405, 501].contains(&answer.status), "{method} {path}: {}", answer.text());
    };
    refused("POST", "/a/sessions/$ref");
    refused("PUT", "/a/organizer_v2/$ref");
    refused("DELETE", "/a/sessions/s/$ref");
    refused("POST", "/a/sessions");
    refused("PATCH", "/a");
    refused("PUT", "/a/joinWebUrl");
    refused("DELETE", "/a/joinWebUrl");
    refused("PATCH", "");
    refused("DELETE", "");
    assert_eq!(version(&mut client), 1, "nothing has changed");
}

fn version(client: &mut Client) -> u64 {
    client.get(&format!("{RECORDS}/a")).json()["version"].as_u64().unwrap()
}

/// A record with a session of these further members.
fn with_session(id: &str, members: &str) -> String {
    let session = format!(
        r#"{{"id":"s","modalities":["audio"],"startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:01Z","segments":[]{members}}}"#
    );
    record(id, 1, 1).replacen('{', &format!("{{\"sessions\":[{session}],"), 1)
}

#[test]
fn records_are_written_with_what_they_contain() {
    let (_callvault, _server, mut client) = served();
    let nested = with_session("a", "");
    assert_eq!(client.post(RECORDS, nested.as_bytes()).status, 201);
    assert_eq!(client.get(&format!("{RECORDS}/a/sessions/s")).json()["id"], "s");
    let json = [("Content-Type", "application/json")];
    let newer = nested
        .replacen("\"version\":1", "\"version\":2", 1)
        .replace("\"id\":\"s\"", "\"id\":\"t\"");
    let answer = client.send("PUT", &format!("{RECORDS}/a"), &json, newer.as_bytes());
    assert_eq!((answer.status, version(&mut client)), (200, 2));
    assert_eq!(client.get(&format!("{RECORDS}/a/sessions/$count")).text(), "1");
    assert_eq!(client.get(&format!("{RECORDS}/a/sessions/t")).json()["id"], "t");
}

#[test]
fn bodies_may_have_the_names_of_either_version() {
    let (_callvault, _server, mut client) = served();
    let json = [("Content-Type", "application/json"), ("OData-Version", "4.01")];
    for (id, name) in [("a", "@odata.type"), ("b", "@type")] {
        let caller = format!(r##"{{"{name}":"#microsoft.graph.callRecords.serviceEndpoint"}}"##);
        let nested = with_session(id, &format!(r#","caller":{caller}"#));
        assert_eq!(client.send("POST", RECORDS, &json, nested.as_bytes()).status, 201, "{name}");
        let found = client.get(&format!("{RECORDS}/{id}/sessions/s/caller")).json();
        assert_eq!(found["@odata.type"], "#microsoft.graph.callRecords.serviceEndpoint", "{name}");
    }
}

#[test]
fn names_differ_by_more_than_their_case() {
    let mut asked = Asked::new();
    for version in ["v1.0", "beta"] {
        let mut scopes = vec![asked.body(&format!("/{version}/$metadata?$format=json"))];
        while let Some(scope) = scopes.pop() {
            let Some(members) = scope.as_object() else { continue };
            let mut names: Vec<String> = members.keys().map(|name| name.to_lowercase()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), members.len(), "{version}: {:?}", members.keys());
            scopes.extend(members.values().cloned());
        }
    }
}

#[test]
fn what_the_aggregation_extension_has_beyond_this_is_501() {
    let mut asked = Asked::new();
    for apply in [
        "expand(sessions,filter(isTest))",
        "addnested(sessions,filter(isTest) as tests)",
        "nest(groupby((type)) as types)",
        "ancestors($root/communications/callRecords,tree,id,filter(true))",
        "descendants($root/communications/callRecords,tree,id,filter(true))",
        "traverse($root/communications/callRecords,tree,id,preorder)",
        "groupby((rolluprecursive($root/communications/callRecords,tree,id)))",
        "aggregate(version with sum from type with average as x)",
        "callvault.own()",
    ] {
        let answer = asked.get(&format!("{RECORDS}?$apply={apply}"));
        assert_eq!((answer.status, answer.code()), (501, "notSupported".into()), "{apply}");
    }
}
