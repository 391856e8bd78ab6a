//! Notifications into a stream of NATS JetStream.

use std::collections::HashSet;

use serde_json::{Value, json};
use testkit::{Nats, Receiver, Stored, until};

use super::{SUBSCRIPTIONS, Setup, wish};

/// The body that asks for notifications at an address of NATS.
fn wish_at(url: &str, changes: &Value) -> String {
    let mut wish: Value = serde_json::from_str(&wish(&Receiver::new(), changes)).unwrap();
    wish["notificationUrl"] = url.into();
    wish.to_string()
}

/// What messages tell, without the one that validated the address.
fn told(stored: &[Stored]) -> Vec<String> {
    let items = stored[1..].iter().flat_map(|message| message.body["value"].as_array().unwrap());
    let text = |item: &Value| {
        let (kind, id) = (item["changeType"].as_str(), item["resourceData"]["id"].as_str());
        format!("{} {}", kind.unwrap(), id.unwrap())
    };
    items.map(text).collect()
}

#[test]
fn a_stream_gets_what_a_webhook_gets() {
    let nats = Nats::start();
    nats.add_stream("calls");
    let mut setup = Setup::new();
    let body = wish_at(&nats.url("calls.records"), &json!({}));
    let made = setup.client.post(SUBSCRIPTIONS, body.as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["notificationUrl"], nats.url("calls.records"));
    for (id, version) in [("r1", 1), ("r2", 1), ("r1", 2)] {
        setup.keep(id, version);
        // One message each.
        nats.wait_until("calls", if version == 2 { 4 } else { usize::from(id == "r2") + 2 });
    }
    let stored = nats.wait_for("calls", 4);
    let first = &stored[0].body["value"][0];
    assert_eq!(first["subscriptionId"], "NA");
    assert!(first["changeType"].as_str().unwrap().starts_with("Validation: Testing client"));
    assert_eq!(told(&stored), ["created r1", "created r2", "updated r1"]);
    let item = &stored[1].body["value"][0];
    assert_eq!((&item["subscriptionId"], &item["clientState"]), (&made["id"], &json!("secret")));
    for message in &stored[1..] {
        assert_eq!(message.subject, "calls.records");
        assert_eq!(message.header("Nats-Msg-Id"), message.header("webhook-id"));
        assert!(message.header("webhook-signature").unwrap().starts_with("v1,"));
        assert_eq!(message.header("content-type"), Some("application/json; charset=utf-8"));
    }
}

#[test]
fn subscriptions_at_one_server_share_a_connection_that_ends_when_it_is_idle() {
    let nats = Nats::start();
    nats.add_stream("calls");
    let mut setup = Setup::with_clock();
    for subject in ["calls.a", "calls.b", "calls.c", "calls.d"] {
        let body = wish_at(&nats.url(subject), &json!({}));
        assert_eq!(setup.client.post(SUBSCRIPTIONS, body.as_bytes()).status, 201);
    }
    for number in 0..25 {
        setup.keep(&format!("r{number}"), 1);
        // So that none goes together with the one before.
        nats.wait_until("calls", 4 + 4 * (number + 1));
    }
    // Each validation has one, and so have the first messages, which are sent together.
    until("one is left", || nats.connections().0 == 1);
    let (_, closed) = nats.connections();
    assert!(closed <= 8, "{closed} were closed");
    setup.advance("PT1M");
    until("an idle connection is closed", || nats.connections().0 == 0);
}

#[test]
fn nothing_is_lost_while_a_server_is_away() {
    let mut nats = Nats::start();
    nats.add_stream("calls");
    let mut setup = Setup::new();
    let body = wish_at(&nats.url("calls.records"), &json!({"changeType": "created"}));
    assert_eq!(setup.client.post(SUBSCRIPTIONS, body.as_bytes()).status, 201);
    for number in 0..60 {
        setup.keep(&format!("r{number}"), 1);
        match number {
            20 => nats.kill(),
            40 => nats.start_again(),
            _ => {}
        }
        if number == 50 {
            setup.restart();
        }
    }
    let mut count = 2;
    let told = loop {
        let told: HashSet<String> = told(&nats.wait_for("calls", count)).into_iter().collect();
        if told.len() == 60 {
            break told;
        }
        count += 1;
    };
    assert!((0..60).all(|number| told.contains(&format!("created r{number}"))));
    let stored = nats.wait_for("calls", count);
    let ids: HashSet<_> = stored.iter().map(|message| message.header("Nats-Msg-Id")).collect();
    assert_eq!(ids.len(), stored.len(), "a stream stores each message once");
}

#[test]
fn an_address_without_a_receiver_is_refused() {
    let nats = Nats::start();
    nats.add_stream("calls");
    let mut setup = Setup::new();
    let mut refused = |url: &str, changes: &Value| {
        let answer = setup.client.post(SUBSCRIPTIONS, wish_at(url, changes).as_bytes());
        assert_eq!(answer.status, 400, "{}", answer.text());
        answer.json()["error"]["message"].as_str().unwrap().to_owned()
    };
    let message = refused(&nats.url("other.records"), &json!({}));
    // Applications get the same error for every failure of an address; the log has the cause.
    assert!(message.contains("must respond with 200 OK"), "{message}");
    let message = refused(&nats.url("calls.*"), &json!({}));
    assert!(message.contains("does not end with a subject"), "{message}");
    let message = refused("nats://127.0.0.1:9/calls", &json!({}));
    assert!(message.contains("must respond with 200 OK"), "{message}");
    let lifecycle = json!({"lifecycleNotificationUrl": nats.url("nobody")});
    let message = refused(&nats.url("calls.records"), &lifecycle);
    assert!(message.contains("must respond with 200 OK"), "{message}");
    let mut closed = Setup::with_settings("");
    let url = nats.url("calls.records");
    let answer = closed.client.post(SUBSCRIPTIONS, wish_at(&url, &json!({})).as_bytes());
    assert_eq!(answer.status, 400);
    let mut closed = Setup::with_settings("[notifications]\nallow_insecure_urls = true\n");
    let answer = closed.client.post(SUBSCRIPTIONS, wish_at(&url, &json!({})).as_bytes());
    assert!(answer.text().contains("does not send to"), "{}", answer.text());
}
