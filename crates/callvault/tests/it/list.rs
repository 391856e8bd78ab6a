//! `list` and `query explain` answer as the API does.

use serde_json::Value;
use testkit::{Callvault, TENANT};

use crate::{callvault, id, record};

/// Ten records with one session and one segment each; the first is the oldest.
fn filled() -> Callvault {
    let callvault = callvault();
    let lines: Vec<String> = (0..10).map(|number| record(number, 1)).collect();
    let import = ["import", "--tenant", TENANT, "-"];
    let ended = callvault.run_with_input(&import, lines.join("\n").as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    callvault
}

fn ids(lines: &str) -> Vec<String> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_list_takes_the_conditions_and_orders_of_the_api() {
    let callvault = filled();
    let filter = "startDateTime lt 2026-11-04T00:00:00Z and modalities/any(m:m eq 'audio')";
    let all = callvault.succeed(&["list", "--filter", filter]);
    assert_eq!(ids(&all), [id(2), id(1), id(0)]);
    let ordered = callvault.succeed(&["list", "--orderby", "id desc", "--limit", "2"]);
    assert_eq!(ids(&ordered), [id(9), id(8)]);
    let both = ["list", "--filter", filter, "--from", "2026-11-02", "--limit", "1"];
    assert_eq!(ids(&callvault.succeed(&both)), [id(2)]);
    let found = callvault.succeed(&["list", "--search", "\"user 7\""]);
    assert_eq!(ids(&found), [id(7)]);
}

#[test]
fn a_list_can_be_printed_for_programs_and_people() {
    let callvault = filled();
    let select = ["list", "--select", "id,type", "--limit", "2", "--output"];
    let with = |form: &'static str| callvault.succeed(&[&select[..], &[form]].concat());
    let expected = format!("id,type\n{},peerToPeer\n{},peerToPeer\n", id(9), id(8));
    assert_eq!(with("csv"), expected);
    let json: Value = serde_json::from_str(&with("json")).unwrap();
    assert_eq!(json[1], serde_json::json!({"id": id(8), "type": "peerToPeer"}));
    let table = with("table");
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.lines().nth(1).unwrap().contains(&id(9)), "{table}");
}

#[test]
fn sessions_segments_and_streams_can_be_listed() {
    let callvault = filled();
    let filter = "startDateTime eq 2026-11-01T08:00:00Z";
    let sessions = ["list", "--of", "sessions", "--filter", filter, "--select", "callRecordId"];
    assert_eq!(callvault.succeed(&sessions).lines().count(), 10);
    let apply = "groupby((callRecordType),aggregate($count as segments))";
    let segments = callvault.succeed(&["list", "--of", "segments", "--apply", apply]);
    let row: Value = serde_json::from_str(segments.trim()).unwrap();
    assert_eq!(row["callRecordType"], "peerToPeer");
    assert_eq!(row["segments"], 10);
}

#[test]
fn a_wrong_condition_fails_with_its_place() {
    let ended = filled().run(&["list", "--filter", "startDatetime lt 2026-11-04"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("'startDatetime'"), "{}", ended.stderr);
    assert!(ended.stderr.contains("startDateTime'?"), "{}", ended.stderr);
    assert!(ended.stderr.contains("position 0"), "{}", ended.stderr);
}

#[test]
fn an_explanation_shows_trees_and_statements() {
    let callvault = filled();
    let url = "/communications/callRecords?$filter=type eq 'groupCall' and startDateTime lt now()";
    let text = callvault.succeed(&["query", "explain", url]);
    for part in ["Syntax tree", "Bound tree", "SELECT", "call_record_by_start", "Compare("] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Decided by our own evaluator"), "{text}");
    let url = "/communications/callRecords?$filter=tolower(joinWebUrl) eq 'x'";
    let text = callvault.succeed(&["query", "explain", url]);
    assert!(text.contains("Decided by our own evaluator"), "{text}");
}

#[test]
fn a_csv_without_rows_has_its_header() {
    let callvault = callvault();
    let ended =
        callvault.run_with_input(&["import", "--tenant", TENANT, "-"], record(1, 1).as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    let as_form = |form: &str, more: &[&str]| {
        callvault.succeed(&[&["list", "--output", form, "--filter", "false"][..], more].concat())
    };
    let list = |more: &[&str]| as_form("csv", more);
    assert_eq!(list(&["--select", "id, version"]), "id,version\n");
    let whole = list(&[]);
    assert!(whole.starts_with("id,version,type,modalities,"), "{whole}");
    assert!(list(&["--of", "streams"]).contains("averageJitter"));
    assert_eq!(as_form("json", &["--select", "id"]).trim(), "[]");
    // Also where an aggregation gives other columns, or items have more.
    let apply = |of: &str, apply: &str| {
        callvault.succeed(&["list", "--of", of, "--output", "csv", "--apply", apply])
    };
    let groups = "filter(false)/groupby((organizer_v2/id,type),aggregate($count as n))";
    assert_eq!(apply("records", groups), "organizer_v2/id,type,n\n");
    let streams = "filter(false)/groupby((callRecordType),aggregate(averageJitter with max as j))";
    assert_eq!(apply("streams", streams), "callRecordType,j\n");
    let kept = apply("records", "filter(false)/compute(version add 1 as next)");
    assert!(kept.starts_with("id,version,") && kept.ends_with(",next\n"), "{kept}");
    let computed = list(&["--compute", "version add 1 as next"]);
    assert!(computed.starts_with("id,version,") && computed.ends_with(",next\n"), "{computed}");
}
