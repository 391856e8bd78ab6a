//! `quality` says who heard whom how, and prints its rules.

use serde_json::Value;
use testkit::{Callvault, TENANT};

use crate::{callvault, id};

/// A call of two people, of whom one was hard to understand.
fn filled() -> Callvault {
    let callvault = callvault();
    let end = |number, name| {
        format!(
            r##"{{"@odata.type":"#microsoft.graph.callRecords.participantEndpoint","identity":{{"user":{{"id":"user-{number}","displayName":"{name}"}}}}}}"##
        )
    };
    let (caller, callee) = (end(1, "Abbie Wilkins"), end(2, "Owen Franklin"));
    let stream = |direction, loss| {
        format!(
            r#"{{"streamDirection":"{direction}","packetUtilization":1200,"averagePacketLossRate":{loss}}}"#
        )
    };
    let streams = [stream("callerToCallee", 0.1301), stream("calleeToCaller", 0.0)].join(",");
    let times = r#""startDateTime":"2026-11-01T08:00:00Z","endDateTime":"2026-11-01T09:00:00Z""#;
    let record = format!(
        r#"{{"id":"{}","version":1,"type":"peerToPeer","modalities":["audio"],{times},"sessions":[{{"id":"s1",{times},"segments":[{{"id":"g1",{times},"caller":{caller},"callee":{callee},"media":[{{"label":"main-audio","streams":[{streams}]}}]}}]}}]}}"#,
        id(1)
    );
    let ended = callvault.run_with_input(&["import", "--tenant", TENANT, "-"], record.as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    callvault
}

#[test]
fn a_call_is_explained_in_sentences() {
    let told = filled().succeed(&["quality", "explain", &id(1)]);
    let lines: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "poor by cqd-2021/1: streams: 1 good, 1 poor, 0 unclassified (50.0 % poor of what could be judged)",
            "",
            "Session s1",
            "  main-audio: Owen Franklin heard Abbie Wilkins: poor",
            "    13.01 % of the packets were lost (poor above 10 %)",
            "  main-audio: Abbie Wilkins heard Owen Franklin: good",
        ]
    );
}

#[test]
fn programs_get_a_line_for_each_stream() {
    let lines =
        filled().succeed(&["quality", "explain", &id(1), "--json", "--profile", "teams-live"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["quality"]["profile"], "teams-live/1");
    assert_eq!(lines[0]["quality"]["reasons"][0]["threshold"], 0.05);
    assert_eq!(lines[1]["quality"]["verdict"], "good");
}

#[test]
fn the_owners_profiles_are_read_and_their_faults_named() {
    let callvault = filled();
    let file = callvault.folder().join("profiles.toml");
    let profile = |above: &str| {
        format!(
            "[[profile]]\nname = \"office\"\nversion = 1\ntitle = \"Ours\"\n\n[[profile.rule]]\nmedium = \"audio\"\nmode = \"any\"\npoor = [{{ reason = \"packetLoss\", metric = \"averagePacketLossRate\", above = {above} }}]\n"
        )
    };
    let file_name = file.to_str().unwrap();
    let explain = ["quality", "explain", &id(1), "--profile", "office", "--profiles", file_name];
    std::fs::write(&file, profile("0.2")).unwrap();
    assert!(callvault.succeed(&explain).contains("good by office/1: streams: 2 good"));
    // Files that the settings name need not have been imported yet.
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, format!("[quality]\nprofiles = [{file_name:?}]\n")).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let named = [&explain[..5], &config].concat();
    assert!(callvault.succeed(&named).contains("good by office/1: streams: 2 good"));
    let list = ["list", "--filter", "callvault.quality(profile='office')/verdict eq 'good'"];
    assert!(callvault.succeed(&[&list[..], &config].concat()).contains(&id(1)));
    std::fs::write(&file, profile("20")).unwrap();
    let ended = callvault.run(&explain);
    assert_eq!(ended.status.code(), Some(1));
    let place =
        "line 9: profile.rule.poor.above: averagePacketLossRate (fraction) is between 0 and 1";
    assert!(ended.stderr.contains(place), "{}", ended.stderr);
    let ended = callvault.run(&["quality", "explain", &id(1), "--profile", "offices"]);
    assert!(
        ended.stderr.contains("there are cqd-2021, cqd-2020, cri-2, teams-live"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_printed_rule_can_be_asked() {
    let callvault = filled();
    let printed = callvault.succeed(&["quality", "profiles", "cqd-2021"]);
    let after = |start: &str| {
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(start)).unwrap();
        line.to_owned()
    };
    let (medium, verdict) = (after("$filter="), after("$compute="));
    let list = ["list", "--of", "streams", "--filter", &medium, "--compute", &verdict];
    let list = [&list[..], &["--select", "verdict", "--orderby", "verdict"]].concat();
    let rows = callvault.succeed(&list);
    let verdicts: Vec<Value> = rows
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["good", "poor"]);
}

#[test]
fn the_vectors_come_out_as_expected() {
    let told = callvault().succeed(&["quality", "vectors"]);
    assert!(told.starts_with("1. main-audio {"), "{told}");
    assert!(!told.contains("expected"), "{told}");
}

#[test]
fn profiles_are_printed_in_words() {
    let printed = callvault().succeed(&["quality", "profiles"]);
    for words in [
        "  audio: poor if any condition holds",
        "the first condition whose figure is known decides",
        "judged if packetUtilization is above 500 packets, else unclassified",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    for name in ["Any", "First", "Unclassified", "at_least", "at_most"] {
        assert!(!printed.contains(name), "{name}: {printed}");
    }
}

#[test]
fn a_record_without_its_sessions_says_so() {
    let callvault = callvault();
    let whole = crate::record(2, 1);
    let (basic, _) = whole.split_once(",\"sessions\"").unwrap();
    let lines = format!("{basic}}}\n{}\n", crate::record(3, 1));
    let ended = callvault.run_with_input(&["import", "--tenant", TENANT, "-"], lines.as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    let told = callvault.succeed(&["quality", "explain", &id(2)]);
    assert!(
        told.contains("came without its sessions") && told.contains("$expand=sessions"),
        "{told}"
    );
    let told = callvault.succeed(&["quality", "explain", &id(3)]);
    assert!(told.contains("came without segments and streams"), "{told}");
    let told = filled().succeed(&["quality", "explain", &id(1)]);
    assert!(!told.contains("without"), "{told}");
}
