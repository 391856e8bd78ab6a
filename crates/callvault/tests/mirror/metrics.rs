//! What a server shows of its mirrors in metrics, and tells in its log.

use serde_json::json;
use testkit::{Server, until};

use crate::rig::{Rig, id, record};

const LIST: &str = "/communications/callRecords";

fn has(server: &Server, line: &str) -> bool {
    server.metrics().lines().any(|found| found == line)
}

#[test]
fn the_ledger_is_shown_as_metrics_and_what_is_wrong_is_told_once() {
    let mut rig = Rig::bare("");
    rig.import(&[record(1, 1, 90), record(2, 1, 90)].join("\n"));
    rig.add(&["--rate", "off", "--backfill-days", "1"]);
    let path = format!("{LIST}/{}", id(1));
    rig.faults(&json!({ "request": [{ "path": path, "status": 400 }] }));
    assert_eq!(rig.complete().status.code(), Some(3));
    assert_eq!(rig.status()["alarms"], json!(["hole"]));
    let server = rig.mirror.serve(&[]);
    until("the hole is shown", || {
        has(&server, "callvault_mirror_holes{mirror=\"contoso\",reason=\"refused\"} 1")
    });
    until("what was asked is shown", || {
        has(&server, "# TYPE callvault_mirror_requests_total counter")
    });
    for line in [
        "callvault_mirror_records{mirror=\"contoso\",state=\"settled\"} 1",
        "callvault_mirror_alarm{mirror=\"contoso\",alarm=\"hole\"} 1",
        "callvault_mirror_alarm{mirror=\"contoso\",alarm=\"pass_late\"} 0",
        "callvault_mirror_due{mirror=\"contoso\"} 0",
        "callvault_mirror_expiring_soon{mirror=\"contoso\"} 0",
    ] {
        assert!(has(&server, line), "{line} is not in\n{}", server.metrics());
    }
    let text = server.metrics();
    assert!(!text.contains(&id(1)), "an id stands in the metrics");
    rig.faults(&json!({}));
    let log = server.stop();
    let told = log.lines().filter(|line| line.contains("1 records are missing")).count();
    assert_eq!(told, 1, "{log}");
    // The control: once nothing is missing, nothing is told.
    rig.advance("PT25H");
    assert_eq!(rig.complete().status.code(), Some(0));
    assert_eq!(rig.mirror.run(&["mirror", "status"]).status.code(), Some(0));
    let server = rig.mirror.serve(&[]);
    until("it is shown", || {
        has(&server, "callvault_mirror_alarm{mirror=\"contoso\",alarm=\"hole\"} 0")
    });
    assert!(!server.stop().contains("are missing"));
}

#[test]
fn a_mirror_that_may_not_read_says_so_in_status_and_metrics() {
    let mut rig = Rig::new(5);
    assert_eq!(rig.complete().status.code(), Some(0));
    let status = rig.mirror.run(&["mirror", "status"]);
    assert_eq!(status.status.code(), Some(0), "{}", status.stdout);
    rig.faults(&json!({ "request": [{ "path": LIST, "status": 403 }] }));
    let server = rig.mirror.serve(&[]);
    until("it is told", || rig.status()["alarms"] == json!(["stands_still"]));
    until("it is shown", || {
        has(&server, "callvault_mirror_alarm{mirror=\"contoso\",alarm=\"stands_still\"} 1")
            && has(
                &server,
                "callvault_mirror_requests_total{mirror=\"contoso\",kind=\"list\",status=\"403\"} 1",
            )
    });
    assert_eq!(rig.mirror.run(&["mirror", "status"]).status.code(), Some(3));
}
