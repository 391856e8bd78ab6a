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
        "The path 'sessions/…' through a navigation property in $select is not allowed here. Did you mean '$expand=sessions($select=id)'?",
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
        404,
        "$schemaversion",
        "There is no version '2' of the schema, only '*'.",
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

const PARTICIPANT: &str = "microsoft.graph.callRecords.participantEndpoint";

/// The value without control information.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| !name.contains('@'));
            members
                .map(|(name, value)| (name.clone(), bare(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

#[test]
fn members_behind_casts() {
    let mut asked = Asked::new();
    let root = format!("http://{}/v1.0/$metadata#communications/callRecords", asked.server.address);
    let name = format!("caller/{PARTICIPANT}/name");
    let named = json!({"caller": {"name": "LAPTOP-ANN"}});
    let body = asked.body(&format!("{RECORDS}/r1/sessions/r1a?$select={name}"));
    assert_eq!(bare(&body), named);
    assert_eq!(body["@odata.context"], format!("{root}('r1')/sessions({name})/$entity"));
    let body = asked.body(&format!("{RECORDS}/r1/sessions?$select={name}"));
    assert_eq!(bare(&body["value"]), json!([named]));
    let body = asked.body(&format!("{RECORDS}/r1?$select=id&$expand=sessions($select={name})"));
    assert_eq!(bare(&body["sessions"]), json!([named]));
    assert_eq!(body["@odata.context"], format!("{root}(id,sessions({name}))/$entity"));
    let rows = format!("{RECORDS}/callvault.sessions()?$filter=id eq 'r1a'&$select={name}");
    assert_eq!(bare(&asked.body(&rows)["value"]), json!([named]));
    // The type that something has anyway says nothing.
    for own in ["microsoft.graph.callRecords.callRecord/id", "callRecords.callRecord/id"] {
        let body = asked.body(&format!("{RECORDS}/r1?$select={own}"));
        assert_eq!(bare(&body), json!({"id": "r1"}), "{own}");
    }
    let own = "microsoft.graph.callRecords.callRecord/sessions/microsoft.graph.callRecords.session";
    let body = asked.body(&format!("{RECORDS}/r1?$select=id&$expand={own}($select=id)"));
    assert_eq!(bare(&body), json!({"id": "r1", "sessions": [{"id": "r1a"}]}));
    // An object of another type shows none of it.
    let other = "caller/microsoft.graph.callRecords.serviceEndpoint/userAgent";
    let body = asked.body(&format!("{RECORDS}/r1/sessions/r1a?$select={other}"));
    assert_eq!(bare(&body), json!({"caller": {}}));
    let agent = "caller/userAgent/microsoft.graph.callRecords.clientUserAgent/platform";
    for target in [
        format!("{RECORDS}/r1/sessions/r1a?$select={agent},{name}"),
        format!("{RECORDS}/r1/sessions/r1a?$select={name},{agent}"),
    ] {
        let body = asked.body(&target);
        let whole = asked.body(&format!("{RECORDS}/r1/sessions/r1a"));
        let platform = &whole["caller"]["userAgent"]["platform"];
        assert!(!platform.is_null(), "{whole}");
        assert_eq!(body["caller"]["userAgent"]["platform"], *platform, "{target}");
        assert_eq!(members(&body["caller"]), ["name", "userAgent"], "{target}");
        assert_eq!(members(&body["caller"]["userAgent"]), ["platform"], "{target}");
    }
}

#[test]
fn items_of_collections_that_are_asked_for() {
    let mut asked = Asked::new();
    let segment = "/r2/sessions/r2a/segments/r2a1";
    let labels =
        |labels: &[&str]| -> Value { labels.iter().map(|label| json!({"label": label})).collect() };
    for (options, expected) in [
        ("$filter=label eq 'main-video'", labels(&["main-video"])),
        ("$filter=streams/any(t:t/videoCodec ne null)", labels(&["main-video"])),
        ("$filter=$it/id eq 'r2a1' and label eq 'main-audio'", labels(&["main-audio"])),
        ("$filter=$it/id eq 'other'", labels(&[])),
        ("$orderby=label desc", labels(&["main-video", "main-audio"])),
        ("$orderby=label desc;$top=1", labels(&["main-video"])),
        ("$skip=1", labels(&["main-video"])),
        ("$top=0", labels(&[])),
    ] {
        let select = format!("$select=media({options};$select=label)");
        let body = asked.body(&format!("{RECORDS}{segment}?{select}"));
        assert_eq!(bare(&body), json!({"media": expected}), "{options}");
        assert!(
            body["@odata.context"].as_str().unwrap().ends_with("segments(media/label)/$entity")
        );
        let body = asked
            .body(&format!("{RECORDS}/r2/sessions/r2a/segments?$filter=id eq 'r2a1'&{select}"));
        assert_eq!(bare(&body["value"]), json!([{"media": expected}]), "{options}");
        let inside = format!("$select=id&$expand=segments($filter=id eq 'r2a1';{select})");
        if !options.contains("$it") {
            let body = asked.body(&format!("{RECORDS}/r2/sessions/r2a?{inside}"));
            assert_eq!(bare(&body["segments"]), json!([{"media": expected}]), "{options}");
        }
        let rows = format!("{RECORDS}/callvault.segments()?$filter=id eq 'r2a1'&{select}");
        assert_eq!(bare(&asked.body(&rows)["value"]), json!([{"media": expected}]), "{options}");
    }
    let body =
        asked.body(&format!("{RECORDS}{segment}?$select=media($top=1;$count=true;$select=label)"));
    assert_eq!(body["media@odata.count"], 2);
    assert_eq!(bare(&body["media"]), labels(&["main-audio"]));
    let body = asked.body(&format!(
        "{RECORDS}{segment}?$select=media($compute=length(label) as n;$select=n;$top=1)"
    ));
    assert_eq!(bare(&body["media"]), json!([{"n": 10}]));
    let body = asked
        .body(&format!("{RECORDS}{segment}/media?$select=label,streams($top=1;$select=streamId)"));
    assert!(
        body["value"].as_array().unwrap().iter().all(|media| media["streams"]
            .as_array()
            .unwrap()
            .len()
            <= 1)
    );
    for (select, expected) in [
        ("modalities($filter=$it eq 'audio')", json!(["audio"])),
        ("modalities($filter=$this ne 'audio')", json!(["video"])),
        ("modalities($orderby=$it desc)", json!(["video", "audio"])),
        ("modalities($orderby=$it desc;$top=1)", json!(["video"])),
        ("modalities($skip=1)", json!(["video"])),
    ] {
        let body = asked.body(&format!("{RECORDS}/r2?$select={select}"));
        assert_eq!(body["modalities"], expected, "{select}");
        let body = asked.body(&format!("{RECORDS}?$filter=id eq 'r2'&$select={select}"));
        assert_eq!(body["value"][0]["modalities"], expected, "{select}");
    }
    // The options stand in the links.
    let mut next = Some(format!("{RECORDS}?$select=id,modalities($filter=$it eq 'audio';$top=1)"));
    let mut count = 0;
    while let Some(target) = next {
        let answer =
            asked.client.get_with(&super::encoded(&target), &[("Prefer", "odata.maxpagesize=3")]);
        let body = answer.json();
        for record in body["value"].as_array().unwrap() {
            let modalities = record["modalities"].as_array().unwrap();
            assert!(modalities.is_empty() || *modalities == [json!("audio")], "{record}");
            count += 1;
        }
        next = body["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(count, 8);
}

#[test]
fn wrong_options_inside_selections_are_refused() {
    let mut asked = Asked::new();
    for (path, status, part) in [
        (
            "/r1/sessions/r1a?$select=caller($top=1)",
            400,
            "'$top' on 'caller', which is no collection",
        ),
        ("/r1?$select=modalities($select=x)", 400, "'modalities', which has no properties"),
        ("/r1?$select=modalities($filter=$it eq 1)", 400, "Type mismatch"),
        ("/r1?$select=modalities($expand=x)", 501, "'$expand' inside $select"),
        ("/r1?$select=modalities($top=1),modalities($top=2)", 400, "Selecting 'modalities' twice"),
        (
            "/r1/sessions/r1a?$select=caller/microsoft.graph.callRecords.participantEndpoint",
            501,
            "A type cast at the end of a path in $select",
        ),
        (
            "/r1/sessions/r1a?$select=caller/microsoft.graph.callRecords.serviceEndpoint/name",
            400,
            "Unknown property 'name'",
        ),
    ] {
        let answer = asked.get(&format!("{RECORDS}{path}"));
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.text().contains(part), "{path}: {}", answer.text());
    }
}
