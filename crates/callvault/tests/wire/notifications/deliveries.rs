//! Queued and dead deliveries over HTTP: listing and replay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use testkit::{OTHER_TENANT, Receiver, Reply, TENANT, until};

use super::{SUBSCRIPTIONS, Setup, wish};
use crate::{READ, all_pages};

const DELIVERIES: &str = "/v1.0/communications/callvault.deliveries()";

/// A receiver that wants notifications and takes none.
fn refusing() -> Receiver {
    Receiver::scripted(|request, _| match request.validation_token() {
        Some(_) => Reply::Usual,
        None => Reply::status(503),
    })
}

#[test]
fn an_application_sees_the_queue_of_its_own_subscriptions() {
    let mut setup = Setup::new();
    let receiver = refusing();
    let made = setup.subscribe(&receiver, &json!({}));
    let app = setup.callvault.succeed(&[
        "app", "create", "--tenant", TENANT, "--name", "other", "--role", READ, "--json",
    ]);
    let app: Value = serde_json::from_str(&app).unwrap();
    let id = app["clientId"].as_str().unwrap();
    let token =
        setup.callvault.succeed(&["token", "--tenant", TENANT, "--role", READ, "--app", id]);
    let mut other = setup.server.as_ref().unwrap().client().bearer(token.trim());
    let theirs = other.post(SUBSCRIPTIONS, wish(&refusing(), &json!({})).as_bytes());
    assert_eq!(theirs.status, 201);
    for number in 0..130 {
        setup.keep(&format!("r{number:03}"), 1);
    }
    receiver.wait_for(1);
    let mut found = Vec::new();
    until("all are known to fail", || {
        found = all_pages(&mut setup.client, DELIVERIES);
        found.iter().all(|it| it["state"] == "failing") && found.len() == 130
    });
    let first = &found[0];
    assert_eq!(first["subscriptionId"], made["id"]);
    assert_eq!(first["changeType"], "created");
    assert_eq!(first["callRecordId"], "r000");
    assert_eq!(first["reason"], "the receiver answered 503");
    assert!(first["failures"].as_u64().unwrap() > 0);
    assert_eq!(first["lifecycleEvent"], Value::Null);
    let asked = format!(
        "{DELIVERIES}?$filter=callRecordId%20eq%20'r007'&$select=callRecordId,version&$count=true"
    );
    let page = setup.client.get(&asked).json();
    assert_eq!(page["value"], json!([{"callRecordId": "r007", "version": 1}]));
    assert_eq!(page["@odata.count"], 1);
    let sorted = format!("{DELIVERIES}?$orderby=callRecordId%20desc&$top=2");
    let page = setup.client.get(&sorted).json();
    assert_eq!(page["value"][0]["callRecordId"], "r129");
    assert!(page["@odata.context"].as_str().unwrap().ends_with("#Collection(callvault.delivery)"));
    let foreign = all_pages(&mut other, DELIVERIES);
    assert_eq!(foreign.len(), 130);
    assert!(foreign.iter().all(|it| it["subscriptionId"] == theirs.json()["id"]));
    let token = setup.callvault.token(OTHER_TENANT, &[READ]);
    let mut stranger = setup.server.as_ref().unwrap().client().bearer(&token);
    assert_eq!(stranger.get(DELIVERIES).json()["value"], json!([]));
    assert_eq!(setup.client.post(DELIVERIES, b"{}").status, 405);
}

#[test]
fn dead_notifications_can_be_replayed_by_their_application() {
    let mut setup = Setup::new();
    let is_well = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_well);
    let receiver = Receiver::scripted(move |request, _| match request.validation_token() {
        None if !asked.load(Ordering::Relaxed) => Reply::status(500),
        _ => Reply::Usual,
    });
    let lifecycle = Receiver::new();
    let changes = json!({"lifecycleNotificationUrl": lifecycle.url("/life")});
    let made = setup.subscribe(&receiver, &changes);
    setup.keep("r1", 1);
    receiver.wait_for(1);
    // What has failed and is not noted as that has not failed yet.
    let failing = format!("{DELIVERIES}?$filter=state%20eq%20'failing'");
    until("it is known to fail", || setup.client.get(&failing).json()["value"] != json!([]));
    setup.server.take().unwrap().kill();
    // As if it had failed for five hours.
    setup.callvault.edit("UPDATE delivery SET queued = queued - 180000000000");
    setup.callvault.edit(
        "UPDATE subscription_endpoint SET due = 0, \
         failing_since = failing_since - 180000000000",
    );
    setup.start();
    let told = lifecycle.wait_for(1);
    assert_eq!(told[0]["lifecycleEvent"], "missed");
    assert_eq!(told[0]["subscriptionId"], made["id"]);
    let dead = setup.client.get(&format!("{DELIVERIES}?$filter=state%20eq%20'dead'")).json();
    assert_eq!(dead["value"][0]["callRecordId"], "r1");
    assert!(dead["value"][0]["givenUpDateTime"].is_string());
    let replay = format!("{SUBSCRIPTIONS}/{}/callvault.replay", made["id"].as_str().unwrap());
    is_well.store(true, Ordering::Relaxed);
    let before = receiver.items().len();
    assert_eq!(setup.client.post(&replay, b"").json()["value"], 1);
    let told = receiver.wait_for(before + 1);
    assert_eq!(told.last().unwrap()["resourceData"]["id"], "r1");
}

#[test]
fn dead_notifications_are_found_however_long_the_queue_is() {
    let mut setup = Setup::new();
    let made = setup.subscribe(&refusing(), &json!({}));
    let other = setup.subscribe(&refusing(), &json!({}));
    setup.server.take().unwrap().kill();
    // More than a query may look at.
    setup.callvault.edit(
        "INSERT INTO delivery (subscription_key, channel, event, record_id, version, queued) \
         WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number \
         WHERE n < 100001) SELECT subscription_key, 0, 'created', 'r' || n, 1, 1 \
         FROM number, (SELECT min(subscription_key) AS subscription_key FROM subscription) least",
    );
    setup.callvault.edit(
        "INSERT INTO delivery (subscription_key, channel, event, record_id, version, queued, died) \
         SELECT subscription_key, 0, 'created', 'dead', 1, 1, 2 FROM subscription",
    );
    setup.start();
    let mut found = |condition: &str| {
        let condition = condition.replace(' ', "%20");
        let answer = setup.client.get(&format!("{DELIVERIES}?$filter={condition}&$count=true"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let items = page["value"].as_array().unwrap().clone();
        assert_eq!(page["@odata.count"], json!(items.len()));
        let of = |item: &Value| (item["callRecordId"].clone(), item["subscriptionId"].clone());
        items.iter().map(of).collect::<Vec<_>>()
    };
    let (first, second) =
        ((json!("dead"), made["id"].clone()), (json!("dead"), other["id"].clone()));
    assert_eq!(found("state eq 'dead'"), [first, second.clone()]);
    assert_eq!(found("'dead' eq state and version eq 2"), []);
    let id = other["id"].as_str().unwrap().to_uppercase();
    let of_other = format!("subscriptionId eq '{id}'");
    assert_eq!(found(&of_other), [second]);
    assert_eq!(found(&format!("{of_other} and state ne 'dead'")), []);
    let all = setup.client.get(&format!("{DELIVERIES}?$top=1&$filter=state%20ne%20'dead'")).json();
    assert_eq!(all["value"][0]["callRecordId"], "r1");
}
