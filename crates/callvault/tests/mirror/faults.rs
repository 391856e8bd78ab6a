//! What goes wrong between a source and its mirror: nothing is lost, nothing is believed that is not so.

use serde_json::{Value, json};

use crate::rig::{Rig, id, record, records};

const ONE: &str = "/communications/callRecords/*";
const LIST: &str = "/communications/callRecords";

/// A mirror of 30 calls that is complete in spite of these rules, without a mistake of its own.
fn complete_in_spite_of(rules: &Value) {
    let mut rig = Rig::new(30);
    rig.faults(rules);
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    let (requests, warnings) = rig.requests();
    assert_eq!(warnings, Vec::<String>::new());
    assert!(requests.iter().any(|request| !request["fault"].is_null()), "nothing went wrong");
    rig.faults(&json!({}));
    rig.assert_equal();
}

#[test]
fn a_429_is_waited_for_whatever_it_says() {
    complete_in_spite_of(&json!({ "request": [
        { "path": LIST, "nth": 3, "status": 429, "retry_after": 1 },
        { "path": LIST, "nth": 5, "status": 429, "retry_after": "1.5" },
        { "path": LIST, "nth": 7, "status": 429, "retry_after": "none" },
        { "path": LIST, "nth": 9, "status": 429, "retry_after": "soon" },
        { "path": ONE, "nth": 2, "status": 429, "retry_after": 1 },
        { "path": ONE, "nth": 6, "status": 429, "retry_after": "0.5" },
    ]}));
}

#[test]
fn a_source_that_is_out_of_order_is_asked_again() {
    complete_in_spite_of(&json!({ "request": [
        { "path": ONE, "first": 3, "status": 503, "retry_after": 1 },
        { "path": ONE, "every": 9, "times": 4, "status": 504 },
        { "path": LIST, "nth": 4, "status": 502 },
        { "path": LIST, "nth": 6, "status": 500 },
    ]}));
}

#[test]
fn answers_that_are_cut_off_or_something_else_count_for_nothing() {
    complete_in_spite_of(&json!({ "request": [
        { "path": LIST, "nth": 2, "truncate": 40 },
        { "path": LIST, "nth": 4, "body": "<html>Please sign in</html>" },
        { "path": LIST, "nth": 6, "body": "" },
        { "path": LIST, "nth": 8, "body": "{\"value\":[" },
        { "path": ONE, "nth": 3, "truncate": 500 },
        { "path": ONE, "nth": 5, "body": "" },
        { "path": ONE, "nth": 8, "body": "<html>Please sign in</html>" },
    ]}));
}

#[test]
fn a_token_that_is_refused_once_is_replaced() {
    complete_in_spite_of(&json!({ "request": [
        { "path": LIST, "nth": 4, "status": 401 },
        { "path": ONE, "nth": 4, "status": 401 },
    ]}));
}

#[test]
fn links_that_loop_or_lead_elsewhere_are_not_followed() {
    let mut rig = Rig::bare("");
    let records: Vec<String> = (1..=70).map(|number| record(number, 1, 30)).collect();
    rig.import(&records.join("\n"));
    rig.add(&["--rate", "off", "--backfill-days", "1"]);
    for links in ["loop", "foreign"] {
        rig.faults(&json!({ "request": [{ "path": LIST, "links": links }] }));
        rig.run_once();
        let status = rig.status();
        let problem = status["problem"].as_str().unwrap_or_default();
        let expected = if links == "loop" { "leads back" } else { "https://elsewhere.invalid" };
        assert!(problem.contains(expected), "{links}: {status}");
        assert_eq!(status["needsAttention"], true);
        assert_eq!(status["complete"], 0, "the hour does not count");
    }
    rig.faults(&json!({}));
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
}

#[test]
fn a_record_that_is_listed_and_not_found_is_tried_again() {
    let mut rig = Rig::new(10);
    rig.faults(&json!({ "request": [{ "path": ONE, "unseen_for": "12h" }] }));
    let ended = rig.run_once();
    assert_eq!(ended.status.code(), Some(3), "{}", ended.stdout);
    assert_eq!(rig.status()["pending"], 10);
    let verified = rig.mirror.run(&["mirror", "verify"]);
    assert_eq!(verified.status.code(), Some(3), "{}", verified.stdout);
    rig.faults(&json!({}));
    rig.advance("PT2M");
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
}

#[test]
fn a_record_that_is_never_found_is_gone_when_the_source_has_forgotten_it_and_not_before() {
    let mut rig = Rig::bare("");
    rig.import(&[record(1, 1, 90), record(2, 1, 90)].join("\n"));
    rig.add(&["--rate", "off", "--backfill-days", "1"]);
    let path = format!("{LIST}/{}", id(1));
    rig.faults(&json!({ "request": [{ "path": path, "status": 404 }] }));
    rig.run_once();
    rig.advance("P29DT12H");
    rig.run_once();
    let status = rig.status();
    assert_eq!((&status["pending"], &status["missing"]), (&json!(1), &json!(0)), "{status}");
    rig.advance("PT6H");
    rig.run_once();
    let status = rig.status();
    assert_eq!((&status["pending"], &status["missing"]), (&json!(0), &json!(1)), "{status}");
    let hole = &status["holes"][0];
    assert_eq!((&hole["id"], &hole["reason"]), (&json!(id(1)), &json!("gone")));
    assert_eq!((&hole["status"], &hole["attempts"]), (&json!(404), &json!(3)), "{hole}");
    assert!(hole["requestId"].is_string(), "{hole}");
    assert_eq!(rig.mirror.run(&["mirror", "status"]).status.code(), Some(3));
}

#[test]
fn calls_that_are_listed_late_are_found_by_later_passes() {
    let mut rig = Rig::bare("");
    rig.import(&[record(1, 1, 90), record(2, 1, 30 * 60)].join("\n"));
    rig.add(&["--rate", "off", "--backfill-days", "2"]);
    rig.faults(&json!({ "request": [{ "path": LIST, "unlisted_for": "20h" }] }));
    assert_eq!(rig.complete().status.code(), Some(0));
    assert_eq!(rig.status()["complete"], 1, "the other one is not listed yet");
    rig.advance("PT35H");
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
    let status = rig.status();
    let hours = status["hours"].as_array().unwrap();
    let closed = hours.iter().filter(|hour| hour["state"] == "closed").count();
    assert!(closed >= 48, "{closed} of {}", hours.len());
}

#[test]
fn an_older_version_than_was_listed_is_kept_and_read_again() {
    let mut rig = Rig::bare("");
    rig.import(&record(1, 2, 90));
    rig.add(&["--rate", "off", "--backfill-days", "1"]);
    rig.faults(&json!({ "request": [{ "path": ONE, "set": { "/version": 1 } }] }));
    assert_eq!(rig.run_once().status.code(), Some(3));
    assert!(records(&rig.mirror)[0].contains("\"version\":1"));
    assert_eq!(rig.status()["pending"], 1);
    rig.faults(&json!({}));
    rig.advance("PT2M");
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
}

#[test]
fn a_version_that_changes_while_it_is_read_is_begun_anew() {
    let mut rig = Rig::bare("");
    rig.import(&record(1, 2, 90));
    rig.add(&["--rate", "off", "--backfill-days", "1"]);
    let before = rig.count("callRecords/");
    rig.faults(&json!({ "request": [{ "path": ONE, "first": 1, "set": { "/version": 1 } }] }));
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
    assert_eq!(rig.count("callRecords/") - before, 4, "two requests for each reading");
    let versions = rig.mirror.run(&["get", &id(1), "--version", "1"]);
    assert!(!versions.status.success(), "nothing was kept of two versions");
}

#[test]
fn the_same_version_with_another_value_is_kept_as_evidence() {
    let mut rig = Rig::bare("");
    rig.import(&record(1, 1, 90));
    rig.add(&["--rate", "off", "--backfill-days", "1"]);
    assert_eq!(rig.complete().status.code(), Some(0));
    let other = json!({ "/sessions/0/endDateTime": "2020-01-01T00:00:00Z" });
    rig.faults(&json!({ "request": [{ "path": ONE, "set": other }] }));
    let verified = rig.mirror.run(&["mirror", "verify", "--deep"]);
    assert_eq!(verified.status.code(), Some(3), "{}", verified.stdout);
    let expected = format!("{} differs at /sessions/0/endDateTime", id(1));
    assert!(verified.stdout.contains(&expected), "{}", verified.stdout);
    assert_eq!(rig.status()["evidence"][0]["kind"], "differs");
    assert_eq!(rig.status()["needsAttention"], false, "the record is here");
    rig.faults(&json!({}));
    rig.assert_equal();
}

#[test]
fn what_is_no_record_is_a_hole_and_others_go_on() {
    let mut rig = Rig::bare("");
    rig.import(&[record(1, 1, 90), record(2, 1, 90)].join("\n"));
    rig.add(&["--rate", "off", "--backfill-days", "1"]);
    let path = format!("{LIST}/{}", id(1));
    let wrong = json!({ "/startDateTime": "yesterday" });
    rig.faults(&json!({ "request": [{ "path": path, "set": wrong }] }));
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(3), "{}", ended.stdout);
    let status = rig.status();
    assert_eq!((&status["complete"], &status["missing"]), (&json!(1), &json!(1)));
    assert_eq!(status["holes"][0]["reason"], "unreadable");
    assert_eq!(status["evidence"][0]["place"], "/startDateTime");
    // It is tried again each day.
    rig.faults(&json!({}));
    rig.advance("PT25H");
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
}

#[test]
fn a_role_that_is_taken_away_stops_the_mirror_and_makes_no_holes() {
    let mut rig = Rig::new(10);
    rig.faults(&json!({ "request": [{ "path": LIST, "status": 403 }] }));
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("CallRecords.Read.All"), "{}", ended.stderr);
    assert_eq!(rig.mirror.run(&["mirror", "status"]).status.code(), Some(3));
    rig.faults(&json!({}));
    assert_eq!(rig.complete().status.code(), Some(0));
    rig.assert_equal();
}

#[test]
fn a_wrong_secret_is_told_before_anything_is_stored() {
    let rig = Rig::bare("");
    let ended = rig.try_to_add("wrong", &["--rate", "off"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("AADSTS7000215"), "{}", ended.stderr);
    let status = rig.mirror.run(&["mirror", "status"]);
    assert!(status.stdout.contains("no mirror"), "{}", status.stdout);
}
