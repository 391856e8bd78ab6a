//! Everything at once that a source can do to its mirror in a bad week.

use serde_json::json;

use crate::rig::{Rig, record};

#[test]
fn a_mirror_is_whole_after_a_bad_week() {
    let mut rig = Rig::new(200);
    let one = "/communications/callRecords/*";
    let list = "/communications/callRecords";
    rig.faults(&json!({ "request": [
        { "path": list, "every": 7, "status": 429, "retry_after": 1, "times": 5 },
        { "path": list, "every": 5, "truncate": 60, "times": 6 },
        { "path": list, "every": 11, "body": "<html></html>", "times": 4 },
        { "path": list, "unlisted_for": "2h" },
        { "path": one, "probability": 0.05, "status": 503, "retry_after": 1, "times": 20 },
        { "path": one, "probability": 0.05, "truncate": 300, "times": 20 },
        { "path": one, "probability": 0.03, "status": 504, "times": 10 },
        { "path": one, "probability": 0.03, "status": 401, "times": 2 },
        { "path": one, "probability": 0.03, "body": "", "times": 4 },
        { "path": one, "probability": 0.05, "status": 404, "times": 10 },
        { "path": one, "probability": 0.10, "latency": "100ms" },
    ]}));
    for day in 0..3 {
        let more: Vec<String> =
            (0..10).map(|call| record(1_000 + day * 10 + call, 1 + day, 5)).collect();
        rig.import(&more.join("\n"));
        rig.run_once();
        rig.advance("PT14H");
    }
    rig.faults(&json!({}));
    rig.advance("PT8H");
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    rig.assert_equal();
    let (_, warnings) = rig.requests();
    assert_eq!(warnings, Vec::<String>::new());
    let status = rig.status();
    assert_eq!((&status["missing"], &status["complete"]), (&json!(0), &json!(230)), "{status}");
}
