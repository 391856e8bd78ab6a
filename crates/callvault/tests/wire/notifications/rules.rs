//! Rules of Graph's change notifications without a test elsewhere; `docs/notifications-conformance.md` lists
//! all rules.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Gate, Receiver, Reply, TENANT, until};

use super::{SUBSCRIPTIONS, Setup, soon, wish};
use crate::{RECORDS, record};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

#[test]
fn resources_and_change_types_are_returned_as_written() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let resources = [
        "communications/callRecords",
        "/communications/callRecords",
        "/communications/callRecords?$filter=participants/any(p:p/id eq 'a')",
        "communications/callRecords?$filter=participants/any(p:p/id eq 'a' or p/id eq 'b')",
        "communications/callRecords?$filter=participants/any(p:p/id in ('a','b'))",
        "communications/callRecords?$filter=type eq 'groupCall' and version gt 1",
    ];
    for (number, resource) in resources.iter().enumerate() {
        for kind in ["created", "updated", "created,updated", "updated, created"] {
            let version = if number % 2 == 0 { "v1.0" } else { "beta" };
            let body = wish(&receiver, &json!({"resource": resource, "changeType": kind}));
            let made = setup.client.post(&format!("/{version}/subscriptions"), body.as_bytes());
            assert_eq!(made.status, 201, "{resource} {kind}: {}", made.text());
            let made = made.json();
            assert_eq!((&made["resource"], &made["changeType"]), (&json!(resource), &json!(kind)));
        }
    }
    for (member, wrong) in [
        ("resource", "/users"),
        ("resource", "https://graph.microsoft.com/v1.0/communications/callRecords"),
        ("resource", "communications/callRecords?$filter=participants/any(p:p/nonsense)"),
        ("resource", "communications/callRecords?$top=5"),
        ("changeType", "deleted"),
        ("changeType", "created,deleted"),
    ] {
        let body = wish(&receiver, &json!({member: wrong}));
        let refused = setup.client.post(SUBSCRIPTIONS, body.as_bytes());
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text());
        assert_eq!(refused.json()["error"]["target"], json!(member), "{}", refused.text());
    }
}

#[test]
fn members_have_the_limits_of_graph() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let state = "\u{fc}".repeat(128);
    let changes = json!({"clientState": state, "expirationDateTime": soon(4_229)});
    let made = setup.subscribe(&receiver, &changes);
    assert_eq!(made["clientState"], state);
    assert_eq!(made["notificationQueryOptions"], Value::Null);
    assert_eq!(made["notificationUrlAppId"], Value::Null);
    assert!(made["applicationId"].is_string() && made["creatorId"].is_string());
    for version in ["v1_0", "v1_1", "v1_2", "v1_3"] {
        let changes = json!({
            "latestSupportedTlsVersion": version, "notificationUrl": receiver.url(&format!("/{version}")),
        });
        assert_eq!(setup.subscribe(&receiver, &changes)["latestSupportedTlsVersion"], version);
    }
    for wrong in [
        json!({"latestSupportedTlsVersion": "v2_0"}),
        json!({"includeResourceData": true}),
        json!({"changeType": null}),
        json!({"resource": null}),
        json!({"notificationUrl": null}),
    ] {
        let refused = setup.client.post(SUBSCRIPTIONS, wish(&receiver, &wrong).as_bytes());
        assert_eq!(refused.status, 400, "{wrong}");
        let named = wrong.as_object().unwrap().keys().next().unwrap().clone();
        assert_eq!(refused.json()["error"]["target"], json!(named), "{}", refused.text());
    }
    // Sent unchanged, and never shown again.
    setup.keep("r1", 1);
    let told = receiver.wait_for(5);
    assert!(told.iter().any(|item| item["clientState"] == json!(state)), "{told:?}");
    assert!(!setup.client.get(SUBSCRIPTIONS).text().contains(&state));
}

#[test]
fn a_patch_moves_the_end_and_rejects_changes_of_fixed_members() {
    let mut setup = Setup::new();
    let receiver = Receiver::scripted(|request, before| match request.validation_token() {
        // Of the first change it wants nothing to know.
        Some(_) if before == 1 || before == 3 => Reply::status(500),
        _ => Reply::Usual,
    });
    let until = soon(100);
    let made = setup.subscribe(&receiver, &json!({"expirationDateTime": until}));
    let one = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().unwrap());
    let change = json!({"expirationDateTime": soon(200)}).to_string();
    let refused = setup.client.send("PATCH", &one, &JSON, change.as_bytes());
    assert_eq!((refused.status, refused.code()), (400, "ValidationError".to_owned()));
    assert_eq!(setup.client.get(&one).json()["expirationDateTime"], json!(until));
    let change = json!({
        "expirationDateTime": soon(200), "lifecycleNotificationUrl": receiver.url("/life"),
    });
    let changed = setup.client.send("PATCH", &one, &JSON, change.to_string().as_bytes());
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["lifecycleNotificationUrl"], Value::Null, "it can not be added");
    let refused = setup.client.post(&format!("{one}/reauthorize"), b"");
    assert_eq!(refused.status, 400, "a reauthorization asks the address as well");
    let long = json!({"expirationDateTime": soon(4_232)}).to_string();
    let refused = setup.client.send("PATCH", &one, &JSON, long.as_bytes());
    assert!(refused.text().contains("Operation: Update"), "{}", refused.text());
    let elsewhere = Receiver::new();
    let change = json!({"notificationUrl": elsewhere.url("/new")}).to_string();
    let changed = setup.client.send("PATCH", &one, &JSON, change.as_bytes());
    assert_eq!(changed.status, 200, "{}", changed.text());
    setup.keep("r1", 1);
    assert_eq!(elsewhere.wait_for(1).len(), 1);
}

#[test]
fn a_reauthorization_prolongs_nothing_and_retries_the_queue_at_once() {
    let mut setup = Setup::with_clock();
    let receiver = Receiver::scripted(|request, before| match request.validation_token() {
        None if before == 1 => {
            Reply::Answer(503, vec![("Retry-After", "600".to_owned())], String::new())
        }
        _ => Reply::Usual,
    });
    let made = setup.subscribe(&receiver, &json!({}));
    let one = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().unwrap());
    setup.keep("r1", 1);
    until("it fails", || setup.is_failing("answered 503"));
    setup.advance("PT8M");
    // What is due is sent before what comes now.
    let other = Receiver::new();
    setup.subscribe(&other, &json!({}));
    setup.keep("r2", 1);
    other.wait_for(1);
    assert_eq!(receiver.items().len(), 1, "the receiver asked for ten minutes");
    assert_eq!(setup.client.post(&format!("{one}/reauthorize"), b"").status, 204);
    let shown = setup.client.get(&one).json();
    assert_eq!(shown["expirationDateTime"], made["expirationDateTime"]);
    assert_eq!(receiver.wait_for(2)[1]["resourceData"]["id"], "r1");
}

#[test]
fn the_token_of_the_handshake_is_percent_encoded() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let life = json!({"lifecycleNotificationUrl": receiver.url("/life")});
    setup.subscribe(&receiver, &life);
    let asked = receiver.received();
    let targets: Vec<_> = asked.iter().map(|it| it.target.as_str()).collect();
    assert_eq!(targets.len(), 2, "each address is asked: {targets:?}");
    assert!(targets[0].starts_with("/hook?code=a%20b&validationToken="), "{targets:?}");
    assert!(targets[1].starts_with("/life?validationToken="), "{targets:?}");
    for (target, request) in targets.iter().zip(&asked) {
        let (_, raw) = target.split_once("validationToken=").unwrap();
        assert!(raw.starts_with("Validation:%20Testing%20client") && !raw.contains('+'), "{raw}");
        assert!(request.validation_token().unwrap().starts_with("Validation: Testing client"));
    }
}

#[test]
fn any_2xx_is_success_and_notifications_are_batched() {
    let mut setup = Setup::new();
    let statuses = [200, 201, 202, 204, 299];
    let gate = Gate::default();
    let held = gate.clone();
    let receiver = Receiver::scripted(move |request, before| match request.validation_token() {
        Some(_) => Reply::Usual,
        // Until others are waiting behind it.
        None if before == 1 => Reply::Held(held.clone()),
        None => Reply::status(statuses[before % 5]),
    });
    setup.subscribe(&receiver, &json!({}));
    setup.keep("first", 1);
    receiver.wait_for(1);
    let lines: Vec<_> = (0..120).map(|number| record(&format!("r{number:03}"), 1, 1)).collect();
    setup.import(&lines);
    gate.open();
    receiver.wait_for(121);
    // Any other notification would have been sent before the last one.
    setup.keep("last", 1);
    let items = receiver.wait_for(122);
    let counts: Vec<_> = receiver.messages().iter().map(|it| it.items().len()).collect();
    assert!(
        counts.iter().any(|count| *count > 1) && counts.iter().all(|it| *it <= 50),
        "{counts:?}"
    );
    let ids: Vec<_> =
        items.iter().map(|it| it["resourceData"]["id"].as_str().unwrap().to_owned()).collect();
    let all = (0..120).map(|number| format!("r{number:03}"));
    let expected: Vec<_> = ["first".to_owned()].into_iter().chain(all).collect();
    assert_eq!(ids[..121], expected, "in order, and each once");
    assert_eq!(ids[121..], ["last"]);
}

#[test]
fn a_notified_record_can_be_read() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    setup.subscribe(&receiver, &json!({}));
    for version in 1..=20 {
        let token = setup.token.clone();
        setup.keep("r1", version);
        let items = receiver.wait_for(version as usize);
        let resource = items.last().unwrap()["resource"].as_str().unwrap().to_owned();
        assert_eq!(resource, "communications/callRecords/r1", "without a slash before it");
        let mut reader = setup.server.as_ref().unwrap().client().bearer(&token);
        let read = reader.get(&format!("/v1.0/{resource}")).json();
        assert!(read["version"].as_u64().unwrap() >= version, "{read}");
    }
}

#[test]
fn a_new_subscription_is_not_notified_of_earlier_records() {
    let mut setup = Setup::new();
    setup.keep("old", 1);
    let receiver = Receiver::new();
    setup.subscribe(&receiver, &json!({"changeType": "updated"}));
    // A repeated old version, archived late, gives no notification.
    setup.keep("old", 1);
    setup.keep("new", 2);
    let body = record("new", 1, 1);
    assert_eq!(setup.client.post(RECORDS, body.as_bytes()).status, 200);
    setup.keep("old", 2);
    let items = receiver.wait_for(2);
    let told: Vec<_> = items
        .iter()
        .map(|it| (it["changeType"].as_str().unwrap(), it["resourceData"]["id"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("updated", "new"), ("updated", "old")]);
}

#[test]
fn a_subscription_is_notified_once_before_it_ends() {
    let mut setup = Setup::new();
    let receiver = Receiver::new();
    let life = json!({"lifecycleNotificationUrl": receiver.url("/life")});
    let made = setup.subscribe(&receiver, &life);
    setup.server.take().unwrap().kill();
    // As if most of its life were over.
    setup.callvault.edit("UPDATE subscription SET created = created - 216000000000");
    setup.start();
    let items = receiver.wait_for(1);
    let expected = json!({
        "subscriptionId": made["id"], "clientState": "secret", "tenantId": TENANT,
        "lifecycleEvent": "reauthorizationRequired",
        "subscriptionExpirationDateTime":
            made["expirationDateTime"].as_str().unwrap().replace('Z', "+00:00"),
    });
    assert_eq!(items[0], expected);
    assert_eq!(receiver.messages()[0].target, "/life");
    // A delivery that arrived but was not recorded is repeated after a restart.
    until("it is noted", || setup.callvault.succeed(&["deliveries", "list"]).is_empty());
    setup.restart();
    // Notifications go on until then. The event is sent once for each end: a second one would be sent at
    // the start, before these.
    for number in 1..=2 {
        setup.keep(&format!("r{number}"), 1);
        let told = receiver.wait_for(number + 1);
        assert!(told[1..].iter().all(|item| item["changeType"] == "created"), "{told:?}");
    }
}

#[test]
fn an_ended_subscription_gets_no_notifications() {
    let mut setup = Setup::new();
    let (ended, live) = (Receiver::new(), Receiver::new());
    let made = setup.subscribe(&ended, &json!({}));
    setup.subscribe(&live, &json!({}));
    setup.server.take().unwrap().kill();
    let id = made["id"].as_str().unwrap();
    let sql = format!(
        "UPDATE subscription SET expiration_date_time = 17000000000000000 WHERE id = '{id}'"
    );
    setup.callvault.edit(&sql);
    setup.start();
    assert_eq!(setup.client.get(&format!("{SUBSCRIPTIONS}/{id}")).status, 404);
    for number in 1..=2 {
        setup.keep(&format!("r{number}"), 1);
        live.wait_for(number);
    }
    assert!(ended.items().is_empty());
}

#[test]
fn an_answer_after_ten_seconds_is_a_failure() {
    let mut setup = Setup::new();
    let receiver = Receiver::scripted(|request, before| match request.validation_token() {
        None if before == 1 => Reply::Never,
        _ => Reply::Usual,
    });
    setup.subscribe(&receiver, &json!({}));
    let began = Instant::now();
    setup.keep("r1", 1);
    receiver.wait_for(2);
    assert!(began.elapsed() > Duration::from_secs(10), "{:?}", began.elapsed());
    let messages = receiver.messages();
    assert_eq!(messages[0].header("webhook-id"), messages[1].header("webhook-id"));
}

#[test]
fn the_log_names_the_setting_that_would_allow_an_address_and_the_answer_does_not() {
    let mut setup = Setup::with("", &[]);
    for address in ["http://calls.contoso.com/x", "https://127.0.0.1:9/x", "https://localhost:9/x"]
    {
        let wish = json!({"changeType": "created", "resource": "communications/callRecords",
            "notificationUrl": address, "expirationDateTime": soon(60)});
        let refused = setup.client.post(SUBSCRIPTIONS, wish.to_string().as_bytes());
        assert_eq!(refused.status, 400, "{address}");
        assert!(!refused.text().contains("allow_"), "{address}: {}", refused.text());
    }
    let log = setup.server.take().unwrap().stop();
    assert!(log.contains("notifications.allow_insecure_urls"), "{log}");
    assert_eq!(log.matches("notifications.allow_networks").count(), 2, "{log}");
}
