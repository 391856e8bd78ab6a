//! What a request makes a condition, and what it may not ask for.

use testkit::Client;

use super::super::record;
use super::{RECORDS, served};

#[test]
fn conditions_that_do_not_hold_are_412() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let target = format!("{RECORDS}/r1");
    let tag = client.get(&target).header("etag").unwrap().to_owned();
    let list = client.get(RECORDS).header("etag").unwrap().to_owned();
    for (target, name, value, status) in [
        (target.as_str(), "If-Match", tag.as_str(), 200),
        (&target, "If-Match", "*", 200),
        (&target, "If-Match", "\"other\"", 412),
        (&target, "If-Match", &list, 412),
        (RECORDS, "If-Match", &list, 200),
        (RECORDS, "If-Match", "\"other\"", 412),
        (&format!("{RECORDS}/none"), "If-Match", "*", 404),
        (&target, "Isolation", "snapshot", 412),
        (RECORDS, "OData-Isolation", "Snapshot", 412),
        (RECORDS, "Isolation", "other", 400),
    ] {
        let answer = client.get_with(target, &[(name, value)]);
        assert_eq!(answer.status, status, "{target} {name}: {value}: {}", answer.text());
        if status == 412 {
            assert_eq!(answer.code(), "resourceModified", "{name}: {value}");
        }
    }
}

#[test]
fn forms_that_are_not_known_are_406() {
    let (_callvault, _server, mut client) = served();
    for (accept, status) in [
        ("application/json;foo=bar", 406),
        ("application/json;foo=bar, application/json;q=0.1", 200),
        ("application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8;q=0.9", 200),
        ("application/json;ExponentialDecimals=true", 200),
        ("application/json;IEEE754Compatible=perhaps", 406),
    ] {
        assert_eq!(client.get_with(RECORDS, &[("Accept", accept)]).status, status, "{accept}");
        let option = accept.replace(';', "%3B").replace(", ", ",");
        let answer = client.get(&format!("{RECORDS}?$format={option}"));
        assert_eq!(answer.status, status, "$format={accept}");
    }
}

#[test]
fn versions_of_the_schema_and_changes_of_references() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    for target in ["/v1.0/$metadata", "/beta/$metadata", "/v1.0", RECORDS, &format!("{RECORDS}/r1")]
    {
        let answer = client.get(&format!("{target}?$schemaversion=2"));
        assert_eq!(answer.status, 404, "{target}: {}", answer.text());
        assert_eq!(answer.json()["error"]["target"], "$schemaversion");
        assert_eq!(client.get(&format!("{target}?$schemaversion=*")).status, 200, "{target}");
    }
    for path in ["/r1/sessions/$ref", "/r1/organizer_v2/$ref", "/$ref"] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = client.send(method, &format!("{RECORDS}{path}"), &[], b"");
            assert_eq!(answer.status, 501, "{method} {path}: {}", answer.text());
        }
    }
    let minimal = [("Prefer", "return=minimal"), ("Content-Type", "application/json")];
    let answer = client.send("POST", RECORDS, &minimal, record("r2", 1, 2).as_bytes());
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("odata-entityid"), answer.header("location"));
    assert_eq!(client.get(answer.header("odata-entityid").unwrap()).json()["id"], "r2");
}

#[test]
fn a_change_is_made_in_the_state_that_it_names() {
    let (_callvault, _server, mut client) = served();
    let target = format!("{RECORDS}/r1");
    let put = |client: &mut Client, version: u64, name: &str, value: &str| {
        let headers = [("Content-Type", "application/json"), (name, value)];
        client.send("PUT", &target, &headers, record("r1", version, 1).as_bytes()).status
    };
    assert_eq!(put(&mut client, 1, "If-Match", "*"), 412);
    assert_eq!(client.get(&format!("{RECORDS}/r1")).status, 404);
    assert_eq!(put(&mut client, 1, "If-None-Match", "*"), 201);
    let tag = client.get(&format!("{RECORDS}/r1")).header("etag").unwrap().to_owned();
    assert_eq!(put(&mut client, 2, "If-None-Match", "*"), 412);
    assert_eq!(put(&mut client, 2, "If-None-Match", &tag), 412);
    assert_eq!(put(&mut client, 2, "If-Match", "\"other\""), 412);
    assert_eq!(client.get(&format!("{RECORDS}/r1")).json()["version"], 1);
    assert_eq!(put(&mut client, 2, "If-Match", &tag), 200);
    assert_eq!(put(&mut client, 3, "If-None-Match", &tag), 200);
    let headers = [("Content-Type", "application/json"), ("If-Match", tag.as_str())];
    let posted = client.send("POST", RECORDS, &headers, record("r1", 4, 1).as_bytes());
    assert_eq!(posted.status, 412, "{}", posted.text());
    assert_eq!(client.get(&format!("{RECORDS}/r1")).json()["version"], 3);
}

#[test]
fn what_has_no_references_and_no_expansion_is_not_answered_with_something_else() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    for target in ["sessions", "segments"] {
        let answer = client.get(&format!("{RECORDS}/callvault.{target}()/$ref"));
        assert_eq!(answer.status, 501, "{target}: {}", answer.text());
    }
    for what in ["callRecords", "calls", "*"] {
        let answer = client.get(&format!("/v1.0/communications?$expand={what}"));
        assert_eq!(answer.status, 501, "{what}: {}", answer.text());
    }
}
