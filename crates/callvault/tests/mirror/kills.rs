//! A mirror that is killed at any moment, and goes on.

use std::time::Duration;

use serde_json::json;

use crate::rig::Rig;

/// Times that it is killed.
const KILLS: u64 = 6;

#[test]
fn a_mirror_that_is_killed_loses_nothing() {
    let mut rig = Rig::new(120);
    rig.faults(&json!({ "request": [
        { "path": "/communications/callRecords/*", "latency": "40ms" },
        { "path": "/communications/callRecords", "latency": "10ms" },
    ]}));
    for kill in 0..KILLS {
        let mut run = rig.start().spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150 + 170 * kill));
        // It may have come to its end.
        drop(run.kill());
        drop(run.wait());
        let status = rig.status();
        let sum: u64 = ["complete", "pending", "missing", "erased"]
            .iter()
            .map(|name| status[*name].as_u64().unwrap())
            .sum();
        let listed = status["hours"].as_array().unwrap().iter();
        let listed: u64 = listed.map(|hour| hour["listed"].as_u64().unwrap()).sum();
        assert_eq!(sum, listed, "{status}");
        // The lease of one that was killed has to run out.
        rig.mirror.edit("UPDATE lease SET expires = 0");
    }
    rig.faults(&json!({}));
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    rig.assert_equal();
    let read = rig.count("expand=sessions");
    assert!(read <= 120 + KILLS as usize * 64, "{read}");
}
