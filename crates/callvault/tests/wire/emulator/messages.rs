//! Faults in messages to subscribers.

use super::*;

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["resourceData"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn messages_are_dropped_duplicated_and_sent_with_another_client_state() {
    let mut emulated = Emulated::new();
    let receiver = Receiver::new();
    assert_eq!(emulated.subscribe(&receiver, &json!({})).status, 201);
    emulated.faults(&json!({"notification": [
        {"nth": 1, "drop": true}, {"nth": 2, "copies": 2}, {"nth": 3, "client_state": "wrong"}]}));
    for number in 1..=4 {
        emulated.keep(&format!("r{number}"), 1);
    }
    let items = receiver.wait_for(4);
    assert_eq!(ids(&items), ["r2", "r2", "r3", "r4"]);
    let states: Vec<_> = items.iter().map(|item| item["clientState"].as_str().unwrap()).collect();
    assert_eq!(states, ["secret", "secret", "wrong", "secret"]);
}

#[test]
fn messages_come_late_and_out_of_order() {
    let mut emulated = Emulated::new();
    let [receiver, other] = [1, 2].map(|user| {
        let receiver = Receiver::new();
        let resource =
            format!("communications/callRecords?$filter=participants/any(p:p/id eq 'user-{user}')");
        assert_eq!(emulated.subscribe(&receiver, &json!({"resource": resource})).status, 201);
        receiver
    });
    emulated.faults(&json!({"notification": [{"change_type": "created", "out_of_order": true}]}));
    comes_out("they are told in another order", |number| {
        let [held, passing] = ["held", "passing"].map(|name| format!("{name}-{number}"));
        emulated.keep(&held, 1);
        // What goes to another one lets nothing go; the second to it lets go the first.
        emulated.keep(&passing, 2);
        emulated.keep(&passing, 5);
        let of_other = told_of(&passing, &other);
        let is_held = told(&receiver, &held).is_empty();
        emulated.keep(&held, 4);
        let of_it = told_of(&held, &receiver);
        is_held && of_other == ["updated", "created"] && of_it == ["updated", "created"]
    });
}

#[test]
fn messages_come_late() {
    let mut emulated = Emulated::new();
    let receiver = Receiver::new();
    assert_eq!(emulated.subscribe(&receiver, &json!({})).status, 201);
    emulated.faults(&json!({"notification": [{"change_type": "created", "delay": "2s"}]}));
    comes_out("it is late", |number| {
        let id = format!("r{number}");
        emulated.keep(&id, 1);
        emulated.keep(&id, 2);
        until("one came", || !told(&receiver, &id).is_empty());
        let is_late = told(&receiver, &id) == ["updated"];
        assert_eq!(told_of(&id, &receiver).len(), 2, "it comes all the same");
        is_late
    });
}

#[test]
fn a_record_is_404_for_a_while_after_its_notification() {
    let mut emulated = Emulated::new();
    let receiver = Receiver::new();
    assert_eq!(emulated.subscribe(&receiver, &json!({})).status, 201);
    emulated.faults(&json!({"request": [{"unseen_for": "10m"}]}));
    emulated.keep("r1", 1);
    receiver.wait_for(1);
    assert_eq!(emulated.read("r1").status, 404);
    emulated.faults(&json!({"request": [{"unseen_for": "1s"}]}));
    until("it is there", || emulated.read("r1").status == 200);
}

#[test]
fn a_validation_times_out_on_demand() {
    let mut emulated = Emulated::new();
    let receiver = Receiver::new();
    emulated.faults(&json!({"validation": [{"first": 1, "time_out": true}]}));
    let refused = emulated.subscribe(&receiver, &json!({}));
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("Subscription validation request timed out."),
        "{}",
        refused.text()
    );
    assert_eq!(receiver.received().len(), 0, "it was not asked");
    assert_eq!(emulated.subscribe(&receiver, &json!({})).status, 201);
}

#[test]
fn a_subscription_ends_by_the_moved_clock() {
    let mut emulated = Emulated::new();
    let (receiver, lifecycle) = (Receiver::new(), Receiver::new());
    let made =
        emulated.subscribe(&receiver, &json!({"lifecycleNotificationUrl": lifecycle.url("/life")}));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    emulated.advance("PT55M");
    let told = lifecycle.wait_for(1);
    assert_eq!(told[0]["lifecycleEvent"], "reauthorizationRequired");
    emulated.keep("r1", 1);
    assert_eq!(ids(&receiver.wait_for(1)), ["r1"]);
    emulated.advance("PT10M");
    let shown = emulated.client.get(&format!("/v1.0/subscriptions/{id}"));
    assert_eq!(shown.status, 404, "{}", shown.text());
    // A notification to it would have been sent before the later ones to others.
    let other = Receiver::new();
    assert_eq!(emulated.subscribe(&other, &json!({})).status, 201);
    for (number, id) in ["r2", "r3"].into_iter().enumerate() {
        emulated.keep(id, 1);
        other.wait_for(number + 1);
    }
    assert_eq!(receiver.items().len(), 1);
}

/// The notifications of a record that a receiver got.
fn told(receiver: &Receiver, record: &str) -> Vec<String> {
    let mut items = receiver.items();
    items.retain(|item| item["resourceData"]["id"] == record);
    items.iter().map(|item| item["changeType"].as_str().unwrap().to_owned()).collect()
}

/// The notifications of a record, once both messages about it have arrived.
fn told_of(record: &str, receiver: &Receiver) -> Vec<String> {
    until("both messages came", || told(receiver, record).len() == 2);
    told(receiver, record)
}

/// Tries something with another number each time until it comes out. Where it is too slow for what is
/// held up only for a while, it comes out later; where nothing is held up, never.
fn comes_out(what: &str, mut tried: impl FnMut(usize) -> bool) {
    let mut number = 0;
    until(what, || {
        number += 1;
        tried(number)
    });
}
