//! Paths of a URL: properties, raw values, counts, references, filters, keys, and `/$query`.

use serde_json::json;

use super::{Asked, R8, RECORDS};

#[test]
fn values_of_properties() {
    let mut asked = Asked::new();
    let context = format!("http://{}/v1.0/$metadata#communications/", asked.server.address);
    for (path, expected) in [
        ("/r1/startDateTime", json!("2025-03-01T09:00:00Z")),
        ("/r3/startDateTime", json!("2025-03-02T00:15:00+01:00")),
        ("/r1/version", json!(1)),
        ("/r2/type", json!("groupCall")),
        ("/r2/modalities", json!(["audio", "video"])),
        ("/r1/organizer_v2/identity/user/displayName", json!("Ann Lee")),
        ("/r1/organizer/user/id", json!("a1b2c3d4-0000-4000-8000-00000000000a")),
        (
            "/r1/sessions/r1a/caller/microsoft.graph.callRecords.participantEndpoint/name",
            json!("LAPTOP-ANN"),
        ),
        ("/r1/sessions('r1a')/segments('r1a1')/endDateTime", json!("2025-03-01T09:10:00Z")),
        ("/r2/participants_v2/visitor-7/identity/guest/displayName", json!("Zoë O'Neil")),
        ("/r2/sessions/r2c/isTest", json!(true)),
    ] {
        let body = asked.body(&format!("{RECORDS}{path}"));
        assert_eq!(body["value"], expected, "{path}");
        assert!(body["@odata.context"].as_str().unwrap().starts_with(&context), "{path}: {body}");
    }
    let body = asked.body(&format!("{RECORDS}/r1/startDateTime"));
    assert_eq!(body["@odata.context"], format!("{context}callRecords('r1')/startDateTime"));
    let body = asked.body(&format!("{RECORDS}/r1/organizer_v2/identity"));
    assert_eq!(body["user"]["displayName"], "Ann Lee");
    let body = asked.body(&format!("{RECORDS}/r2/sessions/r2b/failureInfo"));
    assert_eq!((&body["stage"], &body["reason"]), (&json!("midcall"), &json!("Network lost")));
    let body = asked.body(&format!("{RECORDS}/r1/organizer_v2/identity?$select=user"));
    assert!(body.get("user").is_some() && body.get("guest").is_none(), "{body}");
}

#[test]
fn bare_values_and_no_values() {
    let mut asked = Asked::new();
    for (path, expected) in [
        ("/r1/startDateTime/$value", "2025-03-01T09:00:00Z"),
        ("/r3/startDateTime/$value", "2025-03-02T00:15:00+01:00"),
        ("/r5/version/$value", "9007199254740993"),
        ("/r2/type/$value", "groupCall"),
        ("/r1/organizer_v2/identity/user/displayName/$value", "Ann Lee"),
        ("/r3/joinWebUrl/$value", ""),
        ("/r2/participants_v2/visitor-7/identity/guest/displayName/$value", "Zoë O'Neil"),
    ] {
        let answer = asked.get(&format!("{RECORDS}{path}"));
        assert_eq!((answer.status, answer.text()), (200, expected.to_owned()), "{path}");
        assert!(answer.header("content-type").unwrap().starts_with("text/plain"), "{path}");
    }
    for path in [
        "/r1/joinWebUrl",
        "/r1/joinWebUrl/$value",
        "/r4/organizer_v2",
        "/r4/organizer",
        "/r1/sessions/r1a/failureInfo",
        "/r8/organizer_v2/identity/user",
    ] {
        let path = path.replace("/r8/", &format!("/{R8}/"));
        let answer = asked.get(&format!("{RECORDS}{path}"));
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}: {}", answer.text());
    }
}

#[test]
fn collections_of_values_answer_options_too() {
    let mut asked = Asked::new();
    let media = "/r2/sessions/r2a/segments/r2a1/media";
    let table = [
        ("", "main-audio main-video"),
        ("?$filter=label eq 'main-video'", "main-video"),
        ("?$filter=streams/any(t:t/videoCodec ne null)", "main-video"),
        ("?$orderby=label desc", "main-video main-audio"),
        ("?$top=1", "main-audio"),
        ("?$skip=1", "main-video"),
        ("?$select=label", "main-audio main-video"),
        ("/$filter(label eq 'main-video')", "main-video"),
    ];
    asked.lists(&format!("{RECORDS}{media}"), &table);
    for (path, expected) in [
        ("/r2/modalities/$count", "2"),
        ("/r4/modalities/$count", "0"),
        ("/r2/modalities/$count?$filter=$it eq 'video'", "1"),
        ("/r2/sessions/r2a/segments/r2a1/media/$count", "2"),
        ("/r2/sessions/r2a/segments/r2a1/media/$count?$filter=label eq 'main-video'", "1"),
    ] {
        assert_eq!(asked.get(&format!("{RECORDS}{path}")).text(), expected, "{path}");
    }
    let body = asked.body(&format!("{RECORDS}/r2/modalities?$filter=$it eq 'video'&$count=true"));
    assert_eq!((&body["value"], &body["@odata.count"]), (&json!(["video"]), &json!(1)));
    let body = asked.body(&format!("{RECORDS}/r3/modalities?$orderby=$it desc&$top=2"));
    assert_eq!(body["value"], json!(["videoBasedScreenSharing", "video"]));
}

#[test]
fn addresses_of_entities() {
    let mut asked = Asked::new();
    let root = format!("http://{}/v1.0", asked.server.address);
    // Relative to the context, as the format allows.
    let address = |path: &str| json!(format!("communications/callRecords{path}"));
    let body = asked.body(&format!("{RECORDS}/r1/$ref"));
    assert_eq!(body["@odata.id"], address("('r1')"));
    assert_eq!(body["@odata.context"], format!("{root}/$metadata#$ref"));
    let body = asked.body(&format!("{RECORDS}/$ref?$filter=version gt 2&$orderby=version"));
    assert_eq!(body["@odata.context"], format!("{root}/$metadata#Collection($ref)"));
    let expected = ["('r3')", "('r7')", "('r5')"].map(|path| json!({"@odata.id": address(path)}));
    assert_eq!(body["value"], json!(expected));
    let body = asked.body(&format!("{RECORDS}/r2/sessions/$ref?$filter=isTest eq true"));
    assert_eq!(body["value"], json!([{"@odata.id": address("('r2')/sessions('r2c')")}]));
    let body = asked.body(&format!("{RECORDS}/r2/sessions/r2c/$ref"));
    assert_eq!(body["@odata.id"], address("('r2')/sessions('r2c')"));
    // What an address says leads back.
    let id = body["@odata.id"].as_str().unwrap().to_owned();
    assert_eq!(asked.body(&format!("/v1.0/{id}"))["id"], "r2c");
}

#[test]
fn filters_in_paths() {
    Asked::new().lists(
        RECORDS,
        &[
            ("/$filter(version eq 7)", "r7"),
            ("/$filter(version eq 1)/$filter(type eq 'peerToPeer')", "r8 r6 r1"),
            ("/$filter(version eq 1)?$filter=type eq 'peerToPeer'&$orderby=id", "r8 r1 r6"),
            ("/$filter(@f)?@f=version eq 7", "r7"),
            ("/$filter(startDateTime ge 2025-03-04)?$top=2", "r8 r7"),
            ("/$filter(contains(joinWebUrl,'l/meetup'))", "r7 r2"),
            ("/$filter(sessions/any(s:s/isTest))", "r2"),
            ("/r2/sessions/$filter(isTest eq true)", "r2c"),
            ("/r2/sessions/r2a/segments/$filter(media/any())", "r2a1"),
            ("/r2/participants_v2/$filter(identity/guest ne null)", "visitor-7"),
            ("/callvault.streams()/$filter(packetUtilization gt 3500)?$orderby=streamId", "22 71"),
        ],
    );
    let mut asked = Asked::new();
    for (path, expected) in [
        ("/$filter(version eq 1)/$count", "4"),
        ("/$filter(@f)/$count?@f=version eq 1", "4"),
        ("/$filter(version eq 1)/$count?$filter=type eq 'unknown'", "1"),
        ("/r2/sessions/$filter(isTest eq false)/$count", "2"),
    ] {
        assert_eq!(asked.get(&format!("{RECORDS}{path}")).text(), expected, "{path}");
    }
}

#[test]
fn keys_in_every_spelling() {
    let mut asked = Asked::new();
    for (path, expected) in [
        ("/r1", "r1"),
        ("('r1')", "r1"),
        ("(id='r1')", "r1"),
        ("(E8000000-0000-4000-8000-0000000000AB)", R8),
        ("/e8000000-0000-4000-8000-0000000000ab", R8),
        ("('e8000000-0000-4000-8000-0000000000ab')", R8),
        ("(@k)?@k='r1'", "r1"),
        ("/r2/sessions/r2b", "r2b"),
        ("/r2/sessions('r2b')", "r2b"),
        ("/r2/sessions(id='r2b')", "r2b"),
        (
            "/r2/participants_v2/a1b2c3d4-0000-4000-8000-00000000000a",
            "A1B2C3D4-0000-4000-8000-00000000000A",
        ),
        ("/r6/participants_v2('%2B1 (555) 010-0182')", "+1 (555) 010-0182"),
        ("/r6/participants_v2/%2B1 (555) 010-0182", "+1 (555) 010-0182"),
        ("/microsoft.graph.callRecords.callRecord/r1", "r1"),
    ] {
        let body = asked.body(&format!("{RECORDS}{path}"));
        assert_eq!(body["id"], expected, "{path}");
    }
}

#[test]
fn queries_in_the_body() {
    let mut asked = Asked::new();
    let text = [("Content-Type", "text/plain")];
    let mut post = |path: &str, body: &str| {
        asked.client.send("POST", &format!("{RECORDS}{path}"), &text, body.as_bytes())
    };
    for (path, body, expected) in [
        ("/$query", "$filter=version eq 7", "r7"),
        ("/$query", "$filter=version%20eq%207&$select=id", "r7"),
        ("/$query?$orderby=id", "$filter=version eq 1&$top=2", "r8 r1"),
        ("/$query", "", "r8 r7 r6 r5 r4 r3 r2 r1"),
        ("/r2/sessions/$query", "$filter=isTest eq true", "r2c"),
        (
            "/callvault.streams()/$query",
            "$filter=packetUtilization gt 3500&$orderby=streamId",
            "22 71",
        ),
        ("/$filter(version eq 1)/$query", "$filter=type eq 'unknown'", "r4"),
    ] {
        let answer = post(path, body);
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
        let found = super::names(&answer.json()["value"]);
        assert_eq!(found.as_deref(), Some(expected), "{path} {body}");
    }
    assert_eq!(post("/r1/$query", "$select=id").json()["id"], "r1");
    assert_eq!(post("/$count/$query", "$filter=version eq 1").text(), "4");
    // On lines of their own, and within a value; in quotes a break of a line is one.
    let lines = "$filter=version\r\n  eq 1 and\n  id ne 'a\nb'\n  &$orderby=id&\n  $top=2\n";
    let answer = post("/$query", lines);
    assert_eq!(
        super::names(&answer.json()["value"]).as_deref(),
        Some("r8 r1"),
        "{}",
        answer.text()
    );
    // Longer than any address may be.
    let ids: Vec<String> = (0..200).map(|number| format!("'{number}{}'", "x".repeat(50))).collect();
    let answer = post("/$query", &format!("$filter=id in ('r1',{})", ids[1..].join(",")));
    assert_eq!(super::names(&answer.json()["value"]).as_deref(), Some("r1"), "{}", answer.text());
    for (kind, body, status) in [
        ("application/json", "{}", 415),
        ("text/plain", "$filter=foo eq 1", 400),
        ("text/plain", "$foo=1", 400),
    ] {
        let target = format!("{RECORDS}/$query");
        let kind = [("Content-Type", kind)];
        let answer = asked.client.send("POST", &target, &kind, body.as_bytes());
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    let large = "x".repeat((1 << 20) + 1);
    let answer = asked.client.send("POST", &format!("{RECORDS}/$query"), &text, large.as_bytes());
    assert_eq!(answer.status, 413);
    let answer = asked.client.send("POST", &format!("{RECORDS}/$query"), &text, b"$filter=\xff");
    assert_eq!(answer.status, 400);
}

#[test]
fn paths_that_lead_nowhere_are_refused_at_their_place() {
    let no_record = "Could not find the requested call record. Records about calls or online meetings that started more than 30 days ago are not available.";
    let mut asked = Asked::new();
    for target in [
        "/nothing",
        "/r1/sessions/nothing",
        "/r1/participants_v2/nothing",
        "/nothing/version",
        "/r2/sessions/r2a/callee/microsoft.graph.callRecords.participantEndpoint/name",
    ] {
        let answer = asked.get(&format!("{RECORDS}{target}"));
        assert_eq!(answer.status, 404, "{target}: {}", answer.text());
        if target == "/nothing" {
            assert_eq!(answer.json()["error"]["message"], no_record);
        }
    }
    asked.refusals(&[
        ("/r1/nothing", 400, "path", "Resource not found for the segment 'nothing'."),
        (
            "/r1/sesions",
            400,
            "path",
            "Resource not found for the segment 'sesions'. Did you mean 'sessions'?",
        ),
        ("/r1/version/x", 400, "path", "Resource not found for the segment 'x'."),
        ("/r1/modalities/$value", 400, "path", "Resource not found for the segment '$value'."),
        ("/r1/version/$count", 400, "path", "Resource not found for the segment '$count'."),
        ("/r1/version/$ref", 400, "path", "Resource not found for the segment '$ref'."),
        ("/$value", 400, "path", "Resource not found for the segment '$value'."),
        ("/$count/x", 400, "path", "Resource not found for the segment 'x'."),
        (
            "/$filter(version eq 1",
            400,
            "path",
            "')' expected at position 20 in '$filter(version eq 1'.",
        ),
        (
            "/$filter(verson eq 1)",
            400,
            "path",
            "Unknown property 'verson' at position 0 in 'verson eq 1'. Did you mean 'version'?",
        ),
        ("/$filter()", 400, "path", "Expression expected at position 0 in ''."),
        ("/$each", 501, "path", "The path segment '/$each' is not supported yet."),
        (
            "/r1/version?$filter=true",
            400,
            "$filter",
            "The query option '$filter' on a single value is not allowed here.",
        ),
        (
            "/r1/version/$value?$expand=sessions",
            400,
            "$expand",
            "The query option '$expand' on a value without properties is not allowed here.",
        ),
    ]);
}

#[test]
fn parameters_of_functions_may_be_options_of_their_name() {
    let mut asked = Asked::new();
    let at = |asked: &mut Asked, target: &str| {
        let answer = asked.get(&format!("{RECORDS}/r2/{target}"));
        (answer.status, answer.status == 200 && answer.json()["version"] == 1)
    };
    for target in [
        "callvault.version(version=1)",
        "callvault.version(version=@v)?@v=1",
        "callvault.version?@version=1",
        "callvault.version?version=1",
        "callvault.version()?version=1",
        "callvault.version?$select=version&version=1&other=2",
    ] {
        assert_eq!(at(&mut asked, target), (200, true), "{target}");
    }
    for target in [
        "callvault.version",
        "callvault.version?version=",
        "callvault.version?version=x",
        "callvault.version?version=1,2",
        "callvault.version?version=null",
        "callvault.version(version=@v)",
    ] {
        assert_eq!(at(&mut asked, target), (400, false), "{target}");
    }
}

#[test]
fn what_the_standard_has_at_the_root_is_not_supported_yet() {
    let mut asked = Asked::new();
    for (target, segment) in
        [("$all", "$all"), ("$crossjoin(communications,communications)", "$crossjoin")]
    {
        let answer = asked.get(&format!("/v1.0/{target}"));
        assert_eq!(answer.status, 501, "{target}: {}", answer.text());
        let message = answer.json()["error"]["message"].clone();
        assert_eq!(message, format!("The path segment '/{segment}' is not supported yet."));
    }
}
