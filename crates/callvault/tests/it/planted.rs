//! `simulate --planted` and the truth beside the records.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::callvault;

/// What a run prints, and its truth.
fn simulate(arguments: &[&str]) -> (String, Vec<Value>) {
    let callvault = callvault();
    let file = callvault.folder().join("truth.ndjson");
    let run = ["simulate", "--calls", "250", "--seed", "13", "--truth", file.to_str().unwrap()];
    let printed = callvault.succeed(&[&run[..], arguments].concat());
    let truth = fs::read_to_string(file).unwrap();
    (printed, truth.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn causes(truth: &[Value]) -> BTreeSet<&str> {
    truth.iter().map(|line| line["cause"].as_str().unwrap()).collect()
}

#[test]
fn the_truth_names_streams_of_the_records() {
    let (records, truth) = simulate(&["--planted"]);
    let all = ["access-point", "client", "headset", "isp", "sbc", "subnet", "vpn"];
    assert_eq!(causes(&truth), BTreeSet::from(all));
    for line in &truth {
        for member in ["callRecordId", "sessionId", "segmentId", "streamId"] {
            let Some(id) = line[member].as_str() else {
                assert_eq!(line["cause"], "sbc", "{member}: {line}");
                continue;
            };
            assert!(records.contains(&format!("\"{id}\"")), "{member}: {line}");
        }
    }
    let plain = callvault().succeed(&["simulate", "--calls", "250", "--seed", "13"]);
    assert_eq!(plain.lines().count(), records.lines().count());
    assert_ne!(plain, records);
}

#[test]
fn causes_can_be_named() {
    let (_, some) = simulate(&["--planted=subnet,isp"]);
    assert_eq!(causes(&some), BTreeSet::from(["isp", "subnet"]));
    let (_, mut all) = simulate(&["--planted=all"]);
    all.retain(|line| line["cause"] == "subnet" || line["cause"] == "isp");
    assert_eq!(some, all);
}

#[test]
fn the_truth_is_the_same_whatever_is_printed() {
    let (rows, of_rows) = simulate(&["--planted", "--kind", "direct-routing"]);
    let (_, of_records) = simulate(&["--planted"]);
    assert_eq!(of_rows, of_records);
    for line in of_rows.iter().filter(|line| line["cause"] == "sbc") {
        let id = line["callRecordId"].as_str().unwrap();
        assert!(rows.contains(&format!(r#""correlationId":"{id}""#)), "{line}");
    }
}

#[test]
fn wrong_causes_and_files_are_told() {
    let run = ["simulate", "--calls", "1", "--seed", "1"];
    for (arguments, code, told) in [
        (&["--truth", "truth.ndjson"][..], 2, "--planted"),
        (&["--planted=noise"], 2, "access-point"),
        (&["--planted", "--truth", "no/folder/truth.ndjson"], 1, "no/folder/truth.ndjson"),
    ] {
        let ended = callvault().run(&[&run[..], arguments].concat());
        assert_eq!(ended.status.code(), Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
}
