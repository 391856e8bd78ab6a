//! `compact`, `doctor --rebuild columns`, and what is left of a process that is killed while it makes blocks.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use testkit::{Callvault, TENANT};

use crate::callvault;

/// Times that a process is killed.
const KILLS: u64 = 5;
const CHAINS: [&str; 2] = [
    "groupby((callerNetwork/subnet),aggregate(averageJitter with callvault.percentile95 as p95,$count as n))",
    "filter(averagePacketLossRate gt 0.001)/concat(groupby((mediaLabel),aggregate($count as n)),\
     groupby((audioCodec),aggregate(averageJitter with max as most)))",
];

fn filled(calls: &str) -> Callvault {
    let callvault = callvault();
    let words = ["simulate", "--calls", calls, "--seed", "11", "--mix", "bench"];
    let calls = callvault.succeed(&words);
    let ended = callvault.run_with_input(&["import", "--tenant", TENANT, "-"], calls.as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    callvault
}

fn answers(callvault: &Callvault) -> Vec<String> {
    CHAINS
        .iter()
        .map(|chain| callvault.succeed(&["list", "--of", "streams", "--apply", chain]))
        .collect()
}

fn streams(compacted: &str) -> u64 {
    let counts: Value = serde_json::from_str(compacted).unwrap();
    counts["streams"].as_u64().unwrap()
}

fn is_by_blocks(callvault: &Callvault) -> bool {
    let url = "/communications/callRecords/callvault.streams()?$apply=aggregate($count as n)";
    callvault.succeed(&["query", "explain", url]).contains("blocks of columns")
}

#[test]
fn answers_are_the_same_with_blocks_and_without() {
    let callvault = filled("200");
    let before = answers(&callvault);
    assert!(!is_by_blocks(&callvault));
    let made = streams(&callvault.succeed(&["compact"]));
    assert!(made > 200 && is_by_blocks(&callvault));
    assert_eq!(answers(&callvault), before);
    assert_eq!(streams(&callvault.succeed(&["compact"])), 0);
    assert!(callvault.succeed(&["doctor", "--rebuild", "columns"]).starts_with("sound\n"));
    assert_eq!(answers(&callvault), before);
    let mut command = callvault.command(&["compact"]);
    let ended = command.env("CALLVAULT_COLUMNS__ENABLED", "off").output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn a_block_that_is_not_what_its_rows_are_is_told_and_made_anew() {
    let callvault = filled("50");
    callvault.succeed(&["compact"]);
    callvault.edit("UPDATE stream SET average_jitter = coalesce(average_jitter, 0) + 1");
    let ended = callvault.run(&["doctor"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.contains("doctor --rebuild columns"), "{}", ended.stdout);
    assert!(callvault.succeed(&["doctor", "--rebuild", "columns"]).starts_with("sound\n"));
}

#[test]
fn a_process_that_is_killed_leaves_blocks_that_are_sound() {
    let callvault = filled("300");
    let before = answers(&callvault);
    for kill in 0..KILLS {
        let words =
            if kill % 2 == 0 { &["compact"][..] } else { &["doctor", "--rebuild", "columns"] };
        let mut command = callvault.command(words);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + 60 * kill));
        // It may have come to its end.
        drop(run.kill());
        drop(run.wait());
        assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
        assert_eq!(answers(&callvault), before);
        // The lease of one that was killed has to run out.
        callvault.edit("UPDATE lease SET expires = 0");
    }
    callvault.succeed(&["compact"]);
    assert!(is_by_blocks(&callvault));
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
    assert_eq!(answers(&callvault), before);
}
