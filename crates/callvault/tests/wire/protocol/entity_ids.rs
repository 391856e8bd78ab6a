//! `$entity?$id=…`: what an id leads to.

use serde_json::{Value, json};

use super::{ID, KEY, RECORDS, served, with_record};
use crate::language::encoded;

const FULL: (&str, &str) = ("Accept", "application/json;odata.metadata=full");

/// All ids that an answer states.
fn ids(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("@odata.id").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| ids(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        _ => {}
    }
}

/// An id as the value of an option.
fn option(id: &str) -> String {
    format!("$id={}", odata::percent::encode_query(id))
}

#[test]
fn every_id_of_an_answer_is_resolved() {
    let (_callvault, server, mut client) = with_record();
    let root = format!("http://{}/v1.0/", server.address);
    let expanded = format!("{KEY}?$expand=sessions($expand=segments),participants_v2");
    let mut count = 0;
    for path in ["", &expanded, "/callvault.sessions()", "/callvault.segments()"] {
        let mut found = Vec::new();
        let answer = client.get_with(&format!("{RECORDS}{path}"), &[FULL]);
        ids(&answer.json(), &mut found);
        for id in found {
            let own = client.get_with(&format!("/v1.0/{id}"), &[FULL]);
            assert_eq!(own.status, 200, "{id}: {}", own.text());
            for id in [id.clone(), format!("{root}{id}"), format!("/v1.0/{id}")] {
                let target = format!("/v1.0/$entity?{}", option(&id));
                let resolved = client.get_with(&target, &[FULL]);
                assert_eq!((resolved.status, resolved.json()), (200, own.json()), "{target}");
                assert_eq!(resolved.header("etag"), own.header("etag"), "{target}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn options_and_types_stand_beside_an_id() {
    let (_callvault, _server, mut client) = with_record();
    let id = option(&format!("communications/callRecords{KEY}"));
    let body = client.get(&format!("/v1.0/$entity?{id}&$select=id&$expand=sessions($select=id)"));
    assert_eq!(body.json()["id"], ID, "{}", body.text());
    assert_eq!(body.json()["sessions"][0]["id"], format!("{ID}0"));
    let ty = "microsoft.graph.callRecords.callRecord";
    for path in [format!("/v1.0/$entity/{ty}?{id}"), format!("/v1.0/%24entity?%24{}", &id[1..])] {
        let answer = client.get(&path);
        assert_eq!((answer.status, &answer.json()["id"]), (200, &ID.into()), "{}", answer.text());
    }
    // Options may be posted, the id with them, and requests be members of a batch.
    let lines = [("Content-Type", "text/plain")];
    let posted = client.send("POST", "/v1.0/$entity/$query", &lines, id.as_bytes());
    assert_eq!((posted.status, &posted.json()["id"]), (200, &ID.into()), "{}", posted.text());
    let batch =
        json!({"requests": [{"id": "1", "method": "GET", "url": format!("/$entity?{id}")}]});
    let lines = [("Content-Type", "application/json")];
    let answer = client.send("POST", "/v1.0/$batch", &lines, batch.to_string().as_bytes());
    assert_eq!(answer.json()["responses"][0]["body"]["id"], ID, "{}", answer.text());
}

#[test]
fn what_names_no_entity_is_refused() {
    let (_callvault, server, mut client) = with_record();
    let other = format!("http://{}/beta/communications", server.address);
    for (query, status, target) in [
        ("", 400, Some("$id")),
        ("$id=", 400, Some("$id")),
        ("$id=communications&$id=communications", 400, Some("$id")),
        ("$id=https://graph.microsoft.com/v1.0/communications", 400, Some("$id")),
        (&format!("$id={other}"), 400, Some("$id")),
        ("$id=communications/callRecords", 400, Some("$id")),
        ("$id=communications/callRecords/$count", 400, Some("$id")),
        ("$id=communications/callRecords('x')/version", 400, Some("$id")),
        ("$id=communications/callRecords('x')/$ref", 400, Some("$id")),
        ("$id=communications/callRecrods('x')", 400, Some("path")),
        ("$id=communications/callRecords('x')", 404, None),
        ("$id=communications/callRecords('x')&$foo=1", 400, Some("$foo")),
    ] {
        let answer = client.get(&encoded(&format!("/v1.0/$entity?{query}")));
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        if let Some(target) = target {
            assert_eq!(answer.json()["error"]["target"], target, "{query}: {}", answer.text());
        }
    }
    let answer = client.send("DELETE", "/v1.0/$entity?$id=communications", &[], b"");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
    // An id of a reference that is to be taken away: none can be.
    let reference = format!("{RECORDS}{KEY}/sessions/$ref?$id=x");
    let answer = client.send("DELETE", &reference, &[], b"");
    assert_eq!(answer.status, 501, "{}", answer.text());
}

#[test]
fn subscriptions_have_ids_too() {
    let (_callvault, _server, mut client) = served();
    let body = client.get("/v1.0/$entity?$id=subscriptions('x')");
    assert_eq!((body.status, body.code().as_str()), (404, "ResourceNotFound"), "{}", body.text());
}
