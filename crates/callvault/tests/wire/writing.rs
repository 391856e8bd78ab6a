//! Writing records over HTTP.

use serde_json::{Value, json};

use super::{READ, RECORDS, TENANT, WRITE, callvault, fixture, record, served};

const NDJSON: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];

#[test]
fn a_created_record_has_a_location() {
    let (_callvault, server, mut client) = served();
    let answer = client.post(RECORDS, record("a", 1, 1).as_bytes());
    assert_eq!(answer.status, 201);
    let location = format!("http://{}{RECORDS}/a", server.address);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(answer.header("callvault-result"), Some("created"));
    assert_eq!(answer.body, client.get(&format!("{RECORDS}/a")).body);
    let answer = client.send(
        "POST",
        "/beta/communications/callRecords",
        &[("Content-Type", "application/json"), ("Prefer", "return=minimal")],
        record("b", 1, 1).as_bytes(),
    );
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("callvault-result"), Some("created"));
}

#[test]
fn put_wants_the_id_of_the_address() {
    let (_callvault, _server, mut client) = served();
    let put = |client: &mut testkit::Client, id: &str| {
        let headers = [("Content-Type", "application/json")];
        client.send("PUT", &format!("{RECORDS}/{id}"), &headers, record("a", 1, 1).as_bytes())
    };
    let answer = put(&mut client, "b");
    assert_eq!((answer.status, answer.json()["error"]["target"].as_str()), (400, Some("id")));
    assert_eq!(client.get(&format!("{RECORDS}/a")).status, 404, "nothing was kept");
    assert_eq!(put(&mut client, "a").status, 201);
    assert_eq!(put(&mut client, "a").status, 200);
}

#[test]
fn an_invalid_record_is_rejected_with_its_position() {
    let (_callvault, _server, mut client) = served();
    let text = fixture("expanded-beta-2020").replacen("\"PT0.016S\"", "\"soon\"", 1);
    let answer = client.post(RECORDS, text.as_bytes());
    assert_eq!(answer.status, 400);
    let target = "/sessions/0/segments/0/media/0/streams/0/averageJitter";
    assert_eq!(answer.json()["error"]["target"], target, "{}", answer.text());
    let answer = client.post(RECORDS, b"{\"id\":\"a\",\n  oops}");
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("line 2"), "{message}");
    client.post(RECORDS, record("a", 1, 1).as_bytes());
    let other = record("a", 1, 1).replace("peerToPeer", "groupCall");
    let answer = client.post(RECORDS, other.as_bytes());
    assert_eq!((answer.status, answer.json()["error"]["target"].as_str()), (409, Some("/type")));
}

#[test]
fn an_import_answers_every_line() {
    let (_callvault, _server, mut client) = served();
    let lines = [
        record("a", 1, 1),
        "not json".to_owned(),
        String::new(),
        record("a", 2, 1),
        record("a", 2, 1).replace("peerToPeer", "groupCall"),
        record("a", 1, 1),
        fixture("expanded-beta-2020").replace(['\n', '\r'], " "),
    ];
    let target = format!("{RECORDS}/callvault.import");
    let answer = client.send("POST", &target, &NDJSON, lines.join("\n").as_bytes());
    assert_eq!(answer.status, 200);
    let results = answer.lines();
    let statuses: Vec<_> = results.iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["created", "rejected", "replaced", "rejected", "unchanged", "created"]);
    let numbers: Vec<_> = results.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 4, 5, 6, 7]);
    assert_eq!(results[1]["error"]["code"], "BadRequest");
    assert_eq!(
        results[3]["error"],
        json!({"code": "Conflict", "message": results[3]["error"]["message"], "target": "/type"})
    );
    assert_eq!(results[5]["incomplete"], json!(["sessions"]));
}

#[test]
fn an_import_takes_lines_of_an_array_and_says_on_which_line_of_the_body_something_is_wrong() {
    let (_callvault, _server, mut client) = served();
    let lines = [
        format!("\u{feff}{},", record("a", 1, 1)),
        "[1]".to_owned(),
        format!("{} ,\r", record("b", 1, 2)),
        ",".to_owned(),
        "garbage".to_owned(),
        record("c", 1, 3).replace("\"version\":1", "\"version\":1x"),
        record("d", 1, 4),
    ];
    let target = format!("{RECORDS}/callvault.import");
    let results = client.send("POST", &target, &NDJSON, lines.join("\n").as_bytes()).lines();
    let numbers: Vec<_> = results.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6, 7]);
    for created in [0, 2, 5] {
        assert_eq!(results[created]["status"], "created", "{}", results[created]);
    }
    for garbage in [1, 3] {
        let message = results[garbage]["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("expected a record, which begins with '{'"), "{message}");
    }
    let message = results[4]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("expected ',' or '}' at line 6, column "), "{message}");
    for (body, message) in [
        (&b"\x1F\x8B\x08"[..], "the line is gzip: say so with Content-Encoding: gzip"),
        (b"\xFF\xFE{\0}\0", "the line is UTF-16: convert it to UTF-8"),
        (b"PK\x03\x04\xFF", "the line is a ZIP archive: send the files in it"),
        (b"{\"id\":\"\xFC\"}", "the line is not UTF-8 text"),
    ] {
        let results = client.send("POST", &target, &NDJSON, body).lines();
        assert_eq!(results[0]["error"]["message"], message);
    }
}

#[test]
fn lines_that_end_elsewhere_than_their_records_do_are_told_how_to_send_them() {
    let (_callvault, _server, mut client) = served();
    let target = format!("{RECORDS}/callvault.import");
    let mut rejected = |body: &str| -> Vec<String> {
        let results = client.send("POST", &target, &NDJSON, body.as_bytes()).lines();
        let message = |line: &Value| line["error"]["message"].as_str().unwrap_or("kept").to_owned();
        results.iter().map(message).collect()
    };
    let of_several_lines = record("a", 1, 1).replace(',', ",\n  ");
    let without_line_ends = format!("{}{}", record("a", 1, 1), record("b", 1, 2));
    for body in [&of_several_lines, &without_line_ends, "{\"id\":\"a"] {
        let messages = rejected(body);
        let (first, others) = messages.split_first().unwrap();
        assert!(first.contains("; each record stands whole on one line"), "{first}");
        assert!(first.contains("--data-binary") && first.contains("'records'"), "{first}");
        assert!(others.iter().all(|it| !it.contains("on one line")), "said once: {others:?}");
    }
    for fault in [record("a", 1, 1).replace("\"version\":1", "\"version\":1x"), "{}".to_owned()] {
        let messages = rejected(&fault);
        assert!(!messages[0].contains("on one line"), "{messages:?}");
    }
    let list = format!("\u{feff}[\n{},\n{}\n]\n", record("c", 1, 3), record("d", 1, 4));
    assert_eq!(rejected(&list), ["kept", "kept"], "brackets of a list are no lines");
}

/// Gzip of a text, one block of which is stored as it is, and that ends behind the text.
fn cut_gzip(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let head = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0];
    [&head[..], &length.to_le_bytes(), &(!length).to_le_bytes(), text].concat()
}

#[test]
fn an_import_that_breaks_off_keeps_whole_lines_and_says_where_it_ended() {
    let (_callvault, _server, mut client) = served();
    let target = format!("{RECORDS}/callvault.import");
    let lines = [record("a", 1, 1), record("b", 1, 2), record("c", 1, 3)].join("\n");
    let body = cut_gzip(&lines.as_bytes()[..lines.len() - 9]);
    let headers = [NDJSON[0], ("Content-Encoding", "gzip")];
    let results = client.send("POST", &target, &headers, &body).lines();
    assert_eq!(results.len(), 3, "{results:?}");
    assert_eq!(
        (&results[0]["status"], &results[1]["status"]),
        (&"created".into(), &"created".into())
    );
    let message =
        "The body is not what its Content-Encoding says. What is behind line 2 was not read.";
    let error = json!({"code": "BadRequest", "message": message, "target": "Content-Encoding"});
    assert_eq!(results[2], json!({"line": 3, "status": "rejected", "error": error}));
    let results = client.send("POST", &target, &headers, b"no gzip").lines();
    assert_eq!(results[0]["error"]["target"], "Content-Encoding");
    assert_eq!(client.get(&format!("{RECORDS}/b")).status, 200);
    assert_eq!(client.get(&format!("{RECORDS}/c")).status, 404);
}

#[test]
fn an_object_that_is_imported_is_whole_and_holds_a_list() {
    let (_callvault, _server, mut client) = served();
    let target = format!("{RECORDS}/callvault.import");
    let wanted = "expected a list, or an object with a list in its one member 'records' (values of their own, one \
                  on a line, are sent as application/x-ndjson) at line 1, column ";
    for (body, message) in [
        (format!("[{}", record("a", 1, 1)), "the text ends before ']' at line 1"),
        (record("a", 1, 1), wanted),
        (String::new(), wanted),
        (format!("{{\"records\":[\n{},\n{{\"id\":", record("a", 1, 1)), "the text ends"),
        (format!("{{\"value\":[\n{}\n{{}}]}}", record("a", 1, 1)), "expected ',' or ']' at line 3"),
    ] {
        let answer = client.post(&target, body.as_bytes());
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(message), "{body}: {}", answer.text());
    }
    assert_eq!(client.get(&format!("{RECORDS}/a")).status, 404, "nothing is kept of them");
    let marked = format!("\u{feff}{{\"value\":[{}]}}", record("a", 1, 1));
    let answer = client.post(&target, marked.as_bytes()).json();
    assert_eq!(answer["value"][0]["status"], "created");
    let answer = client.post(&target, format!("[{}]", record("b", 1, 1)).as_bytes()).json();
    assert_eq!(answer["value"][0]["status"], "created", "a list alone: {answer}");
}

#[test]
fn an_import_takes_the_form_that_the_metadata_declares() {
    let (_callvault, server, mut client) = served();
    let body = format!("{{\"records\":[{},{{\"id\":1}}]}}", record("a", 1, 1));
    let answer = client.post(&format!("{RECORDS}/callvault.import"), body.as_bytes()).json();
    let context =
        format!("http://{}/v1.0/$metadata#Collection(callvault.importResult)", server.address);
    assert_eq!(answer["@odata.context"], context);
    let statuses: Vec<_> =
        answer["value"].as_array().unwrap().iter().map(|line| line["status"].clone()).collect();
    assert_eq!(statuses, ["created", "rejected"]);
    assert_eq!(answer["value"][1]["error"]["target"], "/startDateTime");
}

#[test]
fn large_imports_are_whole_and_can_be_repeated() {
    let (_callvault, _server, mut client) = served();
    let lines: Vec<String> =
        (0..3_000).map(|number| record(&format!("r{number}"), 1, number % 40_000)).collect();
    let target = format!("{RECORDS}/callvault.import");
    for status in ["created", "unchanged"] {
        let answer = client.send("POST", &target, &NDJSON, lines.join("\n").as_bytes());
        let results: Vec<Value> = answer.lines();
        assert_eq!(results.len(), lines.len());
        assert!(results.iter().all(|line| line["status"] == status), "{status}");
    }
    assert_eq!(client.get(&format!("{RECORDS}/$count")).text(), "3000");
}

#[test]
fn settings_shape_what_is_shown() {
    let callvault = callvault();
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, "[graph]\nlegacy_identities = \"null\"\nretention_view = \"30d\"\n")
        .unwrap();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let mut client = server.client().bearer(&token);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let fresh = odata::primitive::DateTimeOffset::from_unix_seconds(now as i64 - 86_400);
    let text = format!(
        r#"{{"id":"fresh","startDateTime":"{fresh}","endDateTime":"{fresh}","organizer":{{"user":{{"id":"u"}}}}}}"#
    );
    assert_eq!(client.post(RECORDS, text.as_bytes()).status, 201);
    client.send(
        "POST",
        &format!("{RECORDS}/callvault.import"),
        &NDJSON,
        record("old", 1, 1).as_bytes(),
    );
    let answer = client.get(&format!("{RECORDS}/fresh")).json();
    assert!(answer["organizer"].is_null() && answer["organizer_v2"]["id"] == "u", "{answer}");
    assert_eq!(client.get(&format!("{RECORDS}/old")).status, 404);
    assert_eq!(client.get(&format!("{RECORDS}/$count")).text(), "1");
    assert_eq!(client.get(RECORDS).json()["value"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_no_call_record_is_refused_with_the_way_on() {
    let (_callvault, _server, mut client) = served();
    let session = r#"{"id":"a","modalities":["audio"],"startDateTime":"2025-01-01T08:00:00Z","endDateTime":"2025-01-01T09:00:00Z","caller":null}"#;
    let whole = "export the record with $expand=sessions($expand=segments)";
    let headers = [("Content-Type", "application/json")];
    let put = client.send("PUT", &format!("{RECORDS}/a"), &headers, session.as_bytes());
    for answer in [client.post(RECORDS, session.as_bytes()), put] {
        assert_eq!(
            (answer.status, answer.json()["error"]["target"].clone()),
            (400, json!("/caller"))
        );
        assert!(answer.text().contains(whole), "{}", answer.text());
    }
    let target = format!("{RECORDS}/callvault.import");
    let list = r#"{"value":[{"id":"b"}]}"#;
    let lines =
        client.send("POST", &target, &NDJSON, format!("{session}\n{list}\n").as_bytes()).lines();
    assert_eq!(lines[0]["error"]["target"], "/caller");
    assert_eq!(lines[1]["error"]["target"], "/value", "{lines:?}");
    for list in ["[]", r#"{"records":[]}"#, r#"{"calls":[{"id":"b"}]}"#] {
        let answer = client.post(RECORDS, list.as_bytes());
        assert_eq!(answer.status, 400, "{list}");
        assert!(answer.text().contains("send it to callvault.import"), "{}", answer.text());
    }
    let page = r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#communications/callRecords('a')/sessions","value":[{"id":"a","startDateTime":"2025-01-01T08:00:00Z","endDateTime":"2025-01-01T09:00:00Z"}]}"#;
    let answer = client.post(&target, page.as_bytes());
    assert_eq!(
        (answer.status, answer.json()["error"]["target"].clone()),
        (400, json!("@odata.context"))
    );
    assert!(answer.text().contains(whole), "{}", answer.text());
    let row = r#"{"id":"a","startDateTime":"2025-01-01T08:00:00Z","endDateTime":"2025-01-01T08:01:00Z","callType":"user_out"}"#;
    let answer = client.post(RECORDS, row.as_bytes());
    assert!(answer.text().contains("callvault.importPstnCalls"), "{}", answer.text());
    assert_eq!(client.get(&format!("{RECORDS}/a")).status, 404, "nothing was kept");
    let page = page.replace("callRecords('a')/sessions", "callRecords");
    let answer = client.post(&target, page.as_bytes());
    assert_eq!(answer.json()["value"][0]["status"], "created", "{}", answer.text());
}

#[test]
fn members_that_nothing_declares_are_kept_and_told() {
    let (_callvault, _server, mut client) = served();
    let misspelt = record("a", 1, 1).replace("peerToPeer", "gruopCall");
    let target = format!("{RECORDS}/callvault.import");
    let lines = format!("{misspelt}\n{}\n", record("b", 1, 1));
    let lines = client.send("POST", &target, &NDJSON, lines.as_bytes()).lines();
    assert_eq!(lines[0]["status"], "created");
    let warning = "'gruopCall' is not a declared member of microsoft.graph.callRecords.callType; did you mean \
                   'groupCall'? It is kept as it is";
    assert_eq!(lines[0]["warnings"], json!([{"message": warning, "target": "/type"}]));
    assert!(lines[1].get("warnings").is_none(), "{}", lines[1]);
    let answer = client.post(RECORDS, misspelt.replace("\"a\"", "\"c\"").as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("callvault-warning"), Some(format!("/type: {warning}").as_str()));
    let answer = client.post(RECORDS, record("d", 1, 1).as_bytes());
    assert_eq!(answer.header("callvault-warning"), None);
    let nearly = record("e", 1, 1).replacen('{', "{\"sesions\":[],", 1);
    let answer = client.post(RECORDS, nearly.as_bytes());
    let warning = answer.header("callvault-warning").unwrap_or_default();
    assert!(warning.starts_with("/sesions: 'sesions' is not a declared member of"), "{warning}");
    let right = record("a", 1, 1).replace("peerToPeer", "groupCall");
    let answer = client.post(RECORDS, right.as_bytes());
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("Raise the version, or erase"), "{}", answer.text());
}
