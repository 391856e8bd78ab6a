//! `$select`, and the options for the form of a response.

use serde_json::{Value, json};

use super::{Asked, RECORDS};

/// The members of an object, annotations left out.
fn members(value: &Value) -> Vec<&str> {
    let names = value.as_object().unwrap().keys().map(String::as_str);
    let mut names: Vec<&str> = names.filter(|name| !name.contains('@')).collect();
    names.sort_unstable();
    names
}

#[test]
fn members_that_are_asked_for() {
    let mut asked = Asked::new();
    for (target, expected) in [
        ("/r1?$select=id,version", vec!["id", "version"]),
        ("/r1?$select=version,version,id", vec!["id", "version"]),
        ("/r1?$select=modalities", vec!["modalities"]),
        ("/r1?$select=organizer/user/displayName", vec!["organizer"]),
        ("/r1/sessions/r1a?$select=id,caller", vec!["caller", "id"]),
        ("/r1/organizer_v2?$select=identity/user", vec!["identity"]),
        (
            "/r1?$select=*",
            vec![
                "endDateTime",
                "id",
                "joinWebUrl",
                "lastModifiedDateTime",
                "modalities",
                "organizer",
                // Returned without being selected, as Graph does.
                "organizer_v2",
                "participants",
                "startDateTime",
                "type",
                "version",
            ],
        ),
    ] {
        assert_eq!(members(&asked.body(&format!("{RECORDS}{target}"))), expected, "{target}");
    }
    let body = asked.body(&format!("{RECORDS}?$select=id,type&$filter=version eq 7"));
    assert_eq!(body["value"], json!([{"id": "r7", "type": "groupCall"}]));
}

#[test]
fn members_of_members() {
    let mut asked = Asked::new();
    let expected = json!({"user": {"displayName": "Ann Lee"}});
    for select in [
        "organizer/user/displayName",
        "organizer($select=user/displayName)",
        "organizer($select=user($select=displayName))",
    ] {
        let body = asked.body(&format!("{RECORDS}/r1?$select={select}"));
        let mut organizer = body["organizer"].clone();
        if let Some(members) = organizer.as_object_mut() {
            members.retain(|name, _| !name.starts_with('@'));
        }
        assert_eq!(organizer, expected, "{select}");
    }
    let path = "/r1/sessions/r1a?$select=caller/userAgent/headerValue,isTest";
    let body = asked.body(&format!("{RECORDS}{path}"));
    assert_eq!(members(&body), ["caller", "isTest"]);
    assert_eq!(members(&body["caller"]), ["userAgent"]);
    assert_eq!(body["caller"]["userAgent"]["headerValue"], "Teams/1.5 (Windows)");
    assert_eq!(members(&body["caller"]["userAgent"]), ["headerValue"]);
}

#[test]
fn contexts_name_what_was_selected() {
    let mut asked = Asked::new();
    let root = format!("http://{}/v1.0/$metadata#communications/callRecords", asked.server.address);
    for (target, expected) in [
        ("?$select=id,version", "(id,version)".to_owned()),
        ("/r1?$select=id,version", "(id,version)/$entity".to_owned()),
        ("?$select=organizer/user/displayName", "(organizer/user/displayName)".to_owned()),
        ("/r1/sessions?$select=id", "('r1')/sessions(id)".to_owned()),
    ] {
        let body = asked.body(&format!("{RECORDS}{target}"));
        assert_eq!(body["@odata.context"], format!("{root}{expected}"), "{target}");
    }
}

#[test]
fn formats_and_versions_of_the_schema() {
    let mut asked = Asked::new();
    for (options, status) in [
        ("?$format=json", 200),
        ("?$format=application/json", 200),
        ("?$format=application/json;odata.metadata=none", 200),
        ("?$format=xml", 406),
        ("?$format=atom", 406),
        ("?$format=text/csv", 406),
        ("?$format=", 406),
        ("?$schemaversion=*", 200),
    ] {
        let answer = asked.get(&format!("{RECORDS}{options}"));
        assert_eq!(answer.status, status, "{options}: {}", answer.text());
    }
    let body = asked.body(&format!("{RECORDS}/r1?$format=application/json;odata.metadata=none"));
    assert!(body.get("@odata.context").is_none(), "{body}");
    // The spelling of clients: any case, with or without the dollar.
    asked.lists(
        RECORDS,
        &[
            ("?filter=version eq 7", "r7"),
            ("?$FILTER=version eq 7&Top=1", "r7"),
            ("?custom=1&$top=1", "r8"),
        ],
    );
}

const WRONG_SELECTIONS: &[(&str, u16, &str, &str)] = &[
    ("?$select=", 400, "$select", "Name of a property expected at position 0 in ''."),
    (
        "?$select=idd",
        400,
        "$select",
        "Unknown property 'idd' at position 0 in 'idd'. Did you mean 'id'?",
    ),
    ("?$select=id,", 400, "$select", "Name of a property expected at position 3 in 'id,'."),
    (
        "?$select=id version",
        400,
        "$select",
        "End expected but found 'version' at position 3 in 'id version'.",
    ),
    ("?$select=id/x", 400, "$select", "Unknown property 'x' at position 3 in 'id/x'."),
    (
        "?$select=sessions/id",
        400,
        "$select",
        "The path 'sessions/…' through a navigation property in $select is not allowed here.",
    ),
    (
        "?$select=id($select=x)",
        400,
        "$select",
        "Options for 'id', which has no properties, is not allowed here.",
    ),
    (
        "?$select=id&$select=id",
        400,
        "$select",
        "The query option '$select' is given more than once.",
    ),
    (
        "/$count?$select=id",
        400,
        "$select",
        "The query option '$select' behind '/$count' is not allowed here.",
    ),
    (
        "/r1/version?$select=id",
        400,
        "$select",
        "The query option '$select' on a value without properties is not allowed here.",
    ),
    (
        "?$schemaversion=2",
        400,
        "$schemaversion",
        "The query option '$schemaversion' with another value than '*' is not allowed here.",
    ),
    (
        "?$levels=2",
        400,
        "$levels",
        "The query option '$levels' outside $expand is not allowed here.",
    ),
    (
        "?$index=1",
        400,
        "$index",
        "The query option '$index' in a request that reads is not allowed here.",
    ),
    ("?$deltatoken=x", 501, "$deltatoken", "The query option '$deltatoken' is not supported yet."),
    (
        "?$skiptoken=x",
        400,
        "$skiptoken",
        "The value of '$skiptoken' is not valid for this request.",
    ),
];

#[test]
fn wrong_selections_are_refused_with_their_position() {
    let many = format!("?$select={}", vec!["id"; 201].join(","));
    let mut asked = Asked::new();
    asked.refusals(WRONG_SELECTIONS);
    asked.refusals(&[(
        &many,
        400,
        "$select",
        "Too much in '$select': items of $select, at most 200.",
    )]);
}
