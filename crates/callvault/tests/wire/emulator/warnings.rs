//! The log of requests, and its warnings.

use super::*;

const PAGED: &str =
    "/v1.0/communications/callRecords?$filter=startDateTime%20ge%202020-01-01T00:00:00Z";

fn with_pages() -> Emulated {
    let mut emulated = Emulated::new();
    let lines: Vec<String> = (0..130).map(|i| record(&format!("r{i:03}"), 1, i)).collect();
    let target = format!("{RECORDS}/callvault.import");
    let ndjson = [("Content-Type", "application/x-ndjson")];
    let answer = emulated.client.send("POST", &target, &ndjson, lines.join("\n").as_bytes());
    assert_eq!(answer.status, 200);
    emulated
}

fn link(answer: &Answer) -> String {
    answer.json()["@odata.nextLink"].as_str().unwrap().to_owned()
}

#[test]
fn a_correct_client_gets_no_warning() {
    let mut emulated = with_pages();
    let receiver = Receiver::new();
    emulated.subscribe(&receiver, &json!({}));
    let mut next = Some(PAGED.to_owned());
    while let Some(target) = next {
        let page = emulated.client.get(&target);
        next = page.json()["@odata.nextLink"].as_str().map(str::to_owned);
    }
    emulated.faults(&json!({"request": [{"status": 429, "retry_after": 1, "first": 1}]}));
    assert_eq!(emulated.read("r001").status, 429);
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    assert_eq!(emulated.read("r001").status, 200);
    assert_eq!(emulated.warnings(), Vec::<String>::new());
}

#[test]
fn a_client_that_reads_only_the_first_page_gets_a_warning() {
    let mut emulated = with_pages();
    emulated.client.get(PAGED);
    emulated.read("r001");
    assert_eq!(emulated.warnings(), ["firstPageOnly"]);
}

#[test]
fn a_client_that_edits_a_link_gets_a_warning() {
    let mut emulated = with_pages();
    let first = emulated.client.get(PAGED);
    let second = emulated.client.get(&link(&first));
    emulated.client.get(&link(&second));
    emulated.client.get(&link(&first).replace("2020-01-01", "2021-01-01"));
    assert_eq!(emulated.warnings(), ["linkEdited"]);
}

#[test]
fn a_client_that_ignores_retry_after_gets_a_warning() {
    let mut emulated = with_pages();
    emulated.faults(&json!({"request": [{"status": 429, "retry_after": 600, "first": 1}]}));
    assert_eq!((emulated.read("r001").status, emulated.read("r001").status), (429, 200));
    assert_eq!(emulated.warnings(), ["retryAfterIgnored"]);
}

#[test]
fn subscriptions_that_miss_versions_or_have_no_client_state_get_a_warning() {
    let mut emulated = with_pages();
    let receiver = Receiver::new();
    emulated.subscribe(&receiver, &json!({"changeType": "created"}));
    assert_eq!(emulated.warnings(), ["createdOnly"]);
    let mut emulated = with_pages();
    emulated.subscribe(&receiver, &json!({"clientState": null}));
    assert_eq!(emulated.warnings(), ["noClientState"]);
}

#[test]
fn a_client_that_accepts_a_wrong_client_state_gets_a_warning() {
    let mut emulated = Emulated::new();
    let receiver = Receiver::new();
    emulated.subscribe(&receiver, &json!({}));
    emulated.faults(&json!({"notification": [{"client_state": "wrong"}]}));
    // Put in by another application, or it would have been known before.
    let (_, mut of_other) = emulated.other_application(WRITE);
    assert_eq!(of_other.post(RECORDS, record("r1", 1, 1).as_bytes()).status, 201);
    receiver.wait_for(1);
    assert_eq!(emulated.warnings(), Vec::<String>::new());
    // The server may yet have to note that the receiver took it.
    testkit::until("the client is warned of", || {
        assert_eq!(emulated.read("r1").status, 200);
        !emulated.warnings().is_empty()
    });
    assert_eq!(emulated.warnings(), ["clientStateNotChecked"]);
}

#[test]
fn the_log_is_printed_and_cleared() {
    let mut emulated = with_pages();
    emulated.client.get(PAGED);
    emulated.read("r001");
    let url = format!("http://{}", emulated.server.address);
    let command = ["emulator-request-log", "--url", &url, "--final"];
    let ended = emulated.callvault.run(&command);
    assert_eq!(ended.status.code(), Some(3), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("GET    200 /v1.0/communications/callRecords/r001"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("warning: firstPageOnly"), "{}", ended.stdout);
    assert_eq!(emulated.client.send("DELETE", "/callvault.requests", &[], b"").status, 204);
    let ended = emulated.callvault.run(&[&command[..], &["--json"]].concat());
    assert_eq!((ended.status.code(), ended.stdout.contains("\"requests\":[]")), (Some(0), true));
    let elsewhere = ["emulator-request-log", "--url", "http://127.0.0.1:1"];
    let refused = emulated.callvault.run(&elsewhere);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("127.0.0.1:1"), "{}", refused.stderr);
}
