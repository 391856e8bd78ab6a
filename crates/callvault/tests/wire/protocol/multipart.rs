//! `POST /$batch` as a multipart message, as clients of OData 4.0 send it.

use serde_json::{Value, json};
use testkit::{Answer, Client};

use super::super::record;
use super::{RECORDS, served};

const BATCH: &str = "/v1.0/$batch";

/// A part that holds a request.
fn part(id: &str, request: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!("Content-ID: {id}\r\n") };
    format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}\r\n{request}\r\n"
    )
}

fn get(target: &str) -> String {
    part("", &format!("GET {target} HTTP/1.1\r\nAccept: application/json\r\n\r\n"))
}

fn post(record: &str) -> String {
    format!(
        "POST communications/callRecords HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{record}"
    )
}

/// A change set of these parts.
fn change_set(parts: &[String]) -> String {
    let inside = parts.concat().replace("--b\r\n", "--c\r\n");
    format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{inside}--c--\r\n")
}

fn send_with(client: &mut Client, parts: &[String], headers: &[(&str, &str)]) -> Answer {
    let body = format!("{}--b--\r\n", parts.concat());
    let mut lines = vec![("Content-Type", "multipart/mixed; boundary=b")];
    lines.extend_from_slice(headers);
    client.send("POST", BATCH, &lines, body.as_bytes())
}

/// What a batch is answered, a line for each answer: its status, with the id in front if it has one.
fn statuses(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let kind = answer.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").unwrap();
    let text = answer.text();
    assert!(text.ends_with(&format!("--{boundary}--\r\n")), "{text}");
    let mut found = Vec::new();
    let mut id = String::new();
    for line in text.lines() {
        if let Some(of) = line.strip_prefix("Content-ID: ") {
            id = format!("{of}:");
        } else if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
            found.push(format!("{id}{}", &status[..3]));
            id.clear();
        }
    }
    found
}

/// The bodies of the answers that have JSON.
fn bodies(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok().filter(Value::is_object))
        .collect()
}

#[test]
fn requests_of_every_form_of_address_are_answered_in_their_order() {
    let (_callvault, server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let parts = [
        get("communications/callRecords/r1"),
        get("/v1.0/communications/callRecords/r1?$select=id"),
        get(&format!("http://{}/beta/communications/callRecords/r1", server.address)),
        get("communications/callRecords?$filter=id eq 'r1'&$select=id"),
        get("communications/callRecords/$count"),
    ];
    let answer = send_with(&mut client, &parts, &[]);
    assert_eq!(statuses(&answer), ["200", "200", "200", "200", "200"]);
    let bodies = bodies(&answer);
    assert_eq!(bodies[0], client.get(&format!("{RECORDS}/r1")).json());
    assert_eq!(bodies[1]["id"], "r1");
    assert!(bodies[2]["@odata.context"].as_str().unwrap().contains("/beta/"));
    assert!(answer.text().contains("\r\n\r\n1\r\n"), "{}", answer.text());
    // Lines may end with a line feed alone, and text may stand around.
    let body = format!("a preamble\n{}--b--\nan epilogue", parts.concat()).replace("\r\n", "\n");
    let kind = [("Content-Type", "multipart/mixed;boundary=\"b\"")];
    let again = client.send("POST", BATCH, &kind, body.as_bytes());
    assert_eq!(statuses(&again), ["200", "200", "200", "200", "200"]);
}

#[test]
fn the_first_failure_ends_a_batch_unless_it_is_to_go_on() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let read = || get("communications/callRecords/r1");
    let parts = [read(), get("communications/callRecords/none"), read()];
    assert_eq!(statuses(&send_with(&mut client, &parts, &[])), ["200", "404"]);
    for prefer in ["odata.continue-on-error", "continue-on-error=true, respond-async"] {
        let answer = send_with(&mut client, &parts, &[("Prefer", prefer)]);
        assert_eq!(statuses(&answer), ["200", "404", "200"], "{prefer}");
        assert_eq!(answer.header("preference-applied"), Some("odata.continue-on-error"));
    }
    let answer = send_with(&mut client, &parts, &[("Prefer", "continue-on-error=false")]);
    assert_eq!(statuses(&answer), ["200", "404"]);
}

#[test]
fn what_was_made_can_be_referred_to() {
    let (_callvault, _server, mut client) = served();
    let parts = [
        change_set(&[part("1", &post(&record("r1", 1, 1)))]),
        get("$1?$select=id"),
        get("$1/startDateTime"),
        part("2", "GET communications/callRecords/r1 HTTP/1.1\r\n"),
        get("$2/$count"),
    ];
    let answer = send_with(&mut client, &parts, &[("Prefer", "continue-on-error")]);
    assert_eq!(statuses(&answer), ["1:201", "200", "200", "2:200", "400"]);
    assert_eq!(bodies(&answer)[1]["id"], "r1");
    let failed = [part("1", "GET communications/callRecords/none HTTP/1.1\r\n"), get("$1/version")];
    let answer = send_with(&mut client, &failed, &[("Prefer", "continue-on-error")]);
    assert_eq!(statuses(&answer), ["1:404", "424"]);
    // In JSON a request waits for what it refers to.
    let batch = json!({"requests": [
        {"id": "new", "method": "POST", "url": "/communications/callRecords",
         "headers": {"Content-Type": "application/json"},
         "body": serde_json::from_str::<Value>(&record("r2", 1, 2)).unwrap()},
        {"id": "read", "method": "GET", "url": "/$new?$select=id", "dependsOn": ["new"]},
    ]});
    let answer = client.post(BATCH, batch.to_string().as_bytes()).json();
    assert_eq!(answer["responses"][1]["body"]["id"], "r2", "{answer}");
}

#[test]
fn change_sets_are_carried_out_whole_or_not_at_all() {
    let (_callvault, _server, mut client) = served();
    let new = |id: &str, minute| part(id, &post(&record(&format!("r{id}"), 1, minute)));
    for (parts, expected) in [
        (vec![new("1", 1)], "1:201"),
        (vec![new("2", 2), new("3", 3)], "501"),
        (vec![part("4", "GET communications/callRecords/r1 HTTP/1.1\r\n")], "400"),
        (vec![part("5", &post("{}"))], "5:400"),
    ] {
        let answer = send_with(&mut client, &[change_set(&parts)], &[]);
        assert_eq!(statuses(&answer), [expected], "{}", answer.text());
        // One that failed is answered by itself.
        let is_set = answer.text().contains("Content-Type: multipart/mixed");
        assert_eq!(is_set, expected == "1:201", "{}", answer.text());
    }
    assert_eq!(client.get(&format!("{RECORDS}/$count")).text(), "1");
    assert_eq!(statuses(&send_with(&mut client, &[change_set(&[])], &[])), [""; 0]);
}

#[test]
fn the_answer_is_json_where_that_is_accepted_rather() {
    let (_callvault, _server, mut client) = served();
    client.post(RECORDS, record("r1", 1, 1).as_bytes());
    let parts = [part("a", "GET communications/callRecords/r1 HTTP/1.1\r\n"), get("$a/version")];
    for (accept, is_json) in [
        ("application/json", false),
        ("application/json, multipart/mixed;q=0.5", true),
        ("multipart/mixed", false),
        ("*/*", false),
        ("application/json;q=0.1, multipart/mixed", false),
    ] {
        let answer = send_with(&mut client, &parts, &[("Accept", accept)]);
        let kind = answer.header("content-type").unwrap();
        assert_eq!(kind == "application/json", is_json, "{accept}: {kind}");
        if is_json {
            let answers = answer.json()["responses"].clone();
            assert_eq!((&answers[0]["id"], &answers[1]["id"]), (&json!("a"), &json!("2")));
            assert_eq!(answers[1]["body"]["value"], 1);
        }
    }
    let batch =
        br#"{"requests":[{"id":"x","method":"GET","url":"/communications/callRecords/r1"}]}"#;
    let lines = [("Content-Type", "application/json"), ("Accept", "multipart/mixed")];
    assert_eq!(statuses(&client.send("POST", BATCH, &lines, batch)), ["x:200"]);
}

#[test]
fn faults_of_a_batch_are_named_and_its_budget_holds() {
    let (_callvault, _server, mut client) = served();
    let many: Vec<String> = (0..21).map(|_| get("communications")).collect();
    for (parts, message) in [
        (many, "Part 21 of the batch: it is a request more than a batch may have."),
        (Vec::new(), "A batch has 1 to 20 requests, this one none."),
        (vec![part("", "BREW x HTTP/1.1\r\n")], "Part 1 of the batch: there is no such method."),
        (
            vec![part("", "GET x HTTP/1.1\r\na b: 1\r\n")],
            "Part 1 of the batch: it has a header line that is none.",
        ),
        (
            vec!["--b\r\nContent-Type: text/plain\r\n\r\nx\r\n".to_owned()],
            "Part 1 of the batch: its Content-Type must be application/http, or multipart/mixed with a boundary.",
        ),
    ] {
        let answer = send_with(&mut client, &parts, &[]);
        assert_eq!(answer.status, 400, "{message}");
        assert_eq!(answer.json()["error"]["message"], message);
    }
    let kind = [("Content-Type", "multipart/mixed")];
    assert_eq!(client.send("POST", BATCH, &kind, b"--b--").status, 400);
    let answer = send_with(&mut client, &[get("$batch")], &[]);
    assert_eq!(statuses(&answer), ["400"], "{}", answer.text());
    let max = [("OData-MaxVersion", "4.01")];
    let answer = send_with(&mut client, &[get("communications")], &max);
    assert!(answer.text().contains("OData-Version: 4.01"), "{}", answer.text());
}
