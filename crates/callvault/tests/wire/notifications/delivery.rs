//! The notifications, and their at-least-once delivery.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::{Gate, OTHER_TENANT, PATIENCE, Received, Receiver, Reply, TENANT, until};

use super::{SETTINGS, SUBSCRIPTIONS, Setup};
use crate::{READ, WRITE, record};

/// Addresses that never answer.
const BAD: u32 = 75;

/// What items tell, as `created r1`.
fn told(items: &[Value]) -> Vec<String> {
    let text = |item: &Value| {
        let (kind, id) = (item["changeType"].as_str(), item["resourceData"]["id"].as_str());
        format!("{} {}", kind.unwrap_or("-"), id.unwrap_or("-"))
    };
    items.iter().map(text).collect()
}

#[test]
fn notifications_of_new_and_changed_records_are_as_in_graph() {
    let mut setup = Setup::new();
    setup.keep("before", 1);
    let receiver = Receiver::new();
    let made = setup.subscribe(&receiver, &json!({}));
    setup.keep("r1", 2);
    setup.keep("r1", 3);
    setup.keep("r1", 1);
    setup.keep("before", 2);
    let items = receiver.wait_for(3);
    assert_eq!(told(&items), ["created r1", "updated r1", "created before"]);
    let expected = json!({
        "subscriptionId": made["id"], "clientState": "secret", "changeType": "created",
        "resource": "communications/callRecords/r1", "tenantId": TENANT,
        "subscriptionExpirationDateTime":
            made["expirationDateTime"].as_str().unwrap().replace('Z', "+00:00"),
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.callRecord",
            "@odata.id": "communications/callRecords/r1", "id": "r1",
        },
    });
    assert_eq!(items[0], expected);
    let message = &receiver.messages()[0];
    assert_eq!(message.target, "/hook?code=a%20b");
    assert_eq!(message.header("content-type"), Some("application/json; charset=utf-8"));
}

#[test]
fn a_subscription_is_notified_of_the_changes_it_requested() {
    let mut setup = Setup::new();
    let [created, updated, filtered] = [(); 3].map(|()| Receiver::new());
    setup.subscribe(&created, &json!({"changeType": "created"}));
    setup.subscribe(&updated, &json!({"changeType": "updated"}));
    let filter = "communications/callRecords?$filter=participants/any(p:p/id eq 'user-2')";
    setup.subscribe(&filtered, &json!({"resource": filter}));
    for version in 1..=3 {
        setup.keep("r1", version);
        setup.keep("r2", version);
    }
    assert_eq!(told(&updated.wait_for(6)).iter().filter(|told| **told == "updated r1").count(), 3);
    // Any other notification would have been sent before the last one.
    setup.keep("last", 2);
    assert_eq!(told(&created.wait_for(3)), ["created r1", "created r2", "created last"]);
    // Version 2 is the one with that participant.
    assert_eq!(told(&filtered.wait_for(3)), ["created r1", "created r2", "created last"]);
}

#[test]
fn conditions_are_evaluated_on_each_version_even_if_later_ones_exist() {
    let mut setup = Setup::new();
    let receivers = [0, 1, 2].map(|number| {
        let receiver = Receiver::new();
        let resource = format!(
            "communications/callRecords?$filter=participants/any(p:p/id eq 'user-{number}')"
        );
        setup.subscribe(&receiver, &json!({"resource": resource}));
        receiver
    });
    setup.server.take().unwrap().kill();
    // Each version has another participant.
    let versions = [1, 2, 3].map(|version| record("r1", version, version));
    let file = setup.callvault.folder().join("records.ndjson");
    std::fs::write(&file, versions.join("\n")).unwrap();
    setup.callvault.succeed(&["import", "--tenant", TENANT, file.to_str().unwrap()]);
    setup.start();
    // Any other notification of this record would have been sent before one of another record.
    for (number, version) in [(0, 3), (1, 1), (2, 2)] {
        setup.keep(&format!("last-{number}"), version);
        let expected = ["created r1".to_owned(), format!("created last-{number}")];
        assert_eq!(told(&receivers[number].wait_for(2)), expected);
    }
}

#[test]
fn no_other_tenant_is_notified() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    setup.subscribe(&receiver, &json!({}));
    let token = setup.callvault.token(OTHER_TENANT, &[READ, WRITE]);
    let mut stranger = setup.server.as_ref().unwrap().client().bearer(&token);
    let theirs = stranger.post(crate::RECORDS, record("theirs", 1, 1).as_bytes());
    assert_eq!(theirs.status, 201);
    setup.keep("ours", 1);
    assert_eq!(told(&receiver.wait_for(1)), ["created ours"]);
    assert_eq!(receiver.items().len(), 1);
}

#[test]
fn failed_deliveries_are_retried_with_the_same_id_and_in_order() {
    let mut setup = Setup::new();
    // The handshake, then two failures of different kinds.
    let receiver = Receiver::scripted(|_, before| match before {
        1 => Reply::status(503),
        2 => Reply::Hangs,
        _ => Reply::Usual,
    });
    setup.subscribe(&receiver, &json!({}));
    setup.keep("r1", 1);
    receiver.wait_for(1);
    setup.keep("r1", 2);
    let items = receiver.wait_for(4);
    assert_eq!(told(&items), ["created r1", "created r1", "created r1", "updated r1"]);
    let ids: Vec<_> =
        receiver.messages().iter().map(|it| it.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!((ids[0] == ids[1], ids[1] == ids[2], ids[2] == ids[3]), (true, true, false));
}

#[test]
fn redirects_are_not_followed_and_retry_after_is_honoured() {
    let mut setup = Setup::with_clock();
    let (elsewhere, other) = (Receiver::new(), Receiver::new());
    let target = elsewhere.url("/stolen");
    let receiver = Receiver::scripted(move |_, before| match before {
        1 => Reply::Answer(307, vec![("Location", target.clone())], String::new()),
        2 => Reply::Answer(429, vec![("Retry-After", "900".to_owned())], String::new()),
        _ => Reply::Usual,
    });
    setup.subscribe(&receiver, &json!({}));
    setup.subscribe(&other, &json!({}));
    setup.keep("r1", 1);
    receiver.wait_for(2);
    until("the wait is noted", || setup.is_failing("answered 429"));
    setup.advance("PT14M");
    // What is due is sent before what comes now.
    setup.keep("r2", 1);
    other.wait_for(2);
    assert_eq!(receiver.items().len(), 2, "the receiver asked for a quarter of an hour");
    setup.advance("PT2M");
    assert_eq!(told(&receiver.wait_for(4)[2..]), ["created r1", "created r2"]);
    assert!(elsewhere.received().is_empty());
}

#[test]
fn a_failing_receiver_delays_no_other() {
    let mut setup = Setup::new();
    let bad = Receiver::scripted(|request, _| match request.validation_token() {
        Some(_) => Reply::Usual,
        None => Reply::Never,
    });
    let good = Receiver::new();
    // Each of them times out after ten seconds. One after the other, they would take longer than any
    // timeout here.
    assert!(BAD * Duration::from_secs(10) > 2 * PATIENCE);
    for number in 0..BAD {
        let url = bad.url(&format!("/{number}"));
        setup.subscribe(&bad, &json!({"notificationUrl": url}));
    }
    setup.subscribe(&good, &json!({}));
    setup.keep("r0", 1);
    good.wait_for(1);
    for number in 1..=20 {
        setup.keep(&format!("r{number}"), 1);
    }
    good.wait_for(21);
}

#[test]
fn nothing_is_lost_when_the_process_is_killed() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    setup.subscribe(&receiver, &json!({}));
    for round in 0..4 {
        for number in 0..25 {
            setup.keep(&format!("r{round}-{number}"), 1);
        }
        setup.restart();
    }
    let all = || -> HashSet<String> { told(&receiver.items()).into_iter().collect() };
    until("all 100 came", || all().len() == 100);
}

#[test]
fn changes_committed_while_no_server_runs_are_delivered_later() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    setup.subscribe(&receiver, &json!({}));
    setup.server.take().unwrap().kill();
    let file = setup.callvault.folder().join("records.ndjson");
    std::fs::write(&file, format!("{}\n{}\n", record("r1", 1, 1), record("r2", 1, 2))).unwrap();
    setup.callvault.succeed(&["import", "--tenant", TENANT, file.to_str().unwrap()]);
    setup.start();
    assert_eq!(told(&receiver.wait_for(2)), ["created r1", "created r2"]);
    // Another process on the store of the server.
    std::fs::write(&file, record("r3", 1, 3)).unwrap();
    setup.callvault.succeed(&["import", "--tenant", TENANT, file.to_str().unwrap()]);
    assert_eq!(told(&receiver.wait_for(3))[2], "created r3");
}

#[test]
fn messages_are_signed() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let made = setup.subscribe(&receiver, &json!({}));
    let one = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().unwrap());
    let secret = setup.client.post(&format!("{one}/callvault.rotateSecret"), b"").json();
    let secret = secret["value"].as_str().unwrap().to_owned();
    setup.keep("r1", 1);
    receiver.wait_for(1);
    let message = &receiver.messages()[0];
    let signatures = message.header("webhook-signature").unwrap();
    // The secret before it signs as well, for a day.
    assert_eq!(signatures.split(' ').count(), 2);
    assert!(is_signed(message, &secret), "{signatures}");
}

#[test]
fn a_secret_that_is_made_during_a_handshake_stays() {
    for action in ["PATCH", "reauthorize"] {
        let mut setup = Setup::new();
        let gate = Gate::default();
        let held = gate.clone();
        let receiver =
            Receiver::scripted(move |request, before| match request.validation_token() {
                Some(_) if before > 0 => Reply::Held(held.clone()),
                _ => Reply::Usual,
            });
        let made = setup.subscribe(&receiver, &json!({}));
        let one = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().unwrap());
        let mut other = setup.server.as_ref().unwrap().client().bearer(&setup.token);
        let path = one.clone();
        let changing = std::thread::spawn(move || match action {
            "PATCH" => {
                let body = json!({"expirationDateTime": super::soon(200)}).to_string();
                let json = [("Content-Type", "application/json")];
                other.send("PATCH", &path, &json, body.as_bytes()).status
            }
            _ => other.post(&format!("{path}/reauthorize"), b"").status,
        });
        until("the address is asked", || receiver.received().len() == 2);
        let secret = setup.client.post(&format!("{one}/callvault.rotateSecret"), b"").json();
        gate.open();
        assert!(matches!(changing.join().unwrap(), 200 | 204));
        setup.keep("r1", 1);
        receiver.wait_for(1);
        let secret = secret["value"].as_str().unwrap();
        assert!(is_signed(&receiver.messages()[0], secret), "after {action}");
    }
}

/// Whether a message is signed with a secret, as Standard Webhooks says.
fn is_signed(message: &Received, secret: &str) -> bool {
    let header = |name: &str| message.header(name).unwrap().to_owned();
    let body = String::from_utf8(message.body.clone()).unwrap();
    let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let signature = STANDARD.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()));
    header("webhook-signature").split(' ').any(|one| one == format!("v1,{signature}"))
}

#[test]
fn a_slow_condition_delays_no_other_subscription() {
    // So few steps that it runs out of them however fast the machine is.
    let settings = format!("{SETTINGS}[limits]\nquery_steps = 200000\n");
    let mut setup = Setup::with_settings(&settings);
    let (hostile, other) = (Receiver::new(), Receiver::new());
    let all_with_all = "sessions/all(a:$it/sessions/all(b:$it/sessions/all(c:\
                        $it/sessions/all(d:matchesPattern(d/id,'^s') and a/id ne 'x'))))";
    let resource = format!("communications/callRecords?$filter={all_with_all}");
    setup.subscribe(&hostile, &json!({"resource": resource}));
    setup.subscribe(&other, &json!({}));
    let session = |number: usize| {
        json!({
            "id": format!("s{number}"), "modalities": ["audio"],
            "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2025-01-01T00:30:00Z",
        })
    };
    let mut record: Value = serde_json::from_str(&record("long", 1, 1)).unwrap();
    record["sessions"] = (0..60).map(session).collect();
    let kept = setup.client.post(crate::RECORDS, record.to_string().as_bytes());
    assert_eq!(kept.status, 201, "{}", kept.text());
    assert_eq!(told(&other.wait_for(1)), ["created long"]);
    // What can't be decided counts as met, and is counted.
    assert_eq!(told(&hostile.wait_for(1)), ["created long"]);
    let metrics = setup.server.as_ref().unwrap().metrics();
    assert!(metrics.contains("callvault_deliveries_undecided_total 1"), "{metrics}");
    // Later messages keep their order behind it.
    setup.keep("next", 1);
    assert_eq!(told(&hostile.wait_for(2)), ["created long", "created next"]);
}

#[test]
fn a_condition_slower_than_the_change_log_is_still_evaluated() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    // Some hundred thousand steps: more than there are while the log is read, and far fewer than a
    // question may take.
    let pairs = "sessions/any(a:$it/sessions/all(b:$it/sessions/any(c:a/id eq concat(b/id,'x'))))";
    let condition = format!("{pairs} or type eq 'groupCall'");
    let resource = format!("communications/callRecords?$filter={condition}");
    setup.subscribe(&receiver, &json!({"resource": resource}));
    let session = |number: usize| {
        json!({
            "id": format!("s{number}"), "modalities": ["audio"],
            "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2025-01-01T00:30:00Z",
        })
    };
    for (id, kind) in [("not-met", "peerToPeer"), ("met", "groupCall"), ("neither", "peerToPeer")] {
        let mut record: Value = serde_json::from_str(&record(id, 1, 1)).unwrap();
        record["type"] = json!(kind);
        record["sessions"] = (0..400).map(session).collect();
        let kept = setup.client.post(crate::RECORDS, record.to_string().as_bytes());
        assert_eq!(kept.status, 201, "{}", kept.text());
    }
    setup.keep("last", 1);
    let mut last: Value = serde_json::from_str(&record("last", 2, 1)).unwrap();
    last["type"] = json!("groupCall");
    let kept = setup.client.post(crate::RECORDS, last.to_string().as_bytes());
    assert_eq!(kept.status, 200, "{}", kept.text());
    assert_eq!(told(&receiver.wait_for(2)), ["created met", "created last"]);
    let metrics = setup.server.as_ref().unwrap().metrics();
    assert!(metrics.contains("callvault_deliveries_undecided_total 0"), "{metrics}");
}
