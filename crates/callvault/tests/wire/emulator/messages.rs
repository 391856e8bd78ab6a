//! Faults of messages to subscribers.

use super::*;

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["resourceData"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn messages_are_dropped_doubled_and_sent_with_another_state() {
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
    emulated.faults(&json!({"notification": [
        {"change_type": "created", "nth": 1, "out_of_order": true}, {"nth": 3, "delay": "700ms"}]}));
    emulated.keep("r1", 1);
    // What goes to another one lets nothing go; the second to it lets go the first.
    emulated.keep("other-1", 2);
    emulated.keep("other-2", 2);
    assert_eq!(ids(&other.wait_for(2)), ["other-2", "other-1"]);
    assert_eq!(receiver.items().len(), 0, "held back");
    emulated.keep("r2", 1);
    assert_eq!(ids(&receiver.wait_for(2)), ["r2", "r1"]);
    emulated.keep("r3", 1);
    emulated.keep("r4", 1);
    assert_eq!(ids(&receiver.wait_for(4)[2..]), ["r4", "r3"]);
}

#[test]
fn a_record_is_not_there_for_a_while_after_it_was_announced() {
    let mut emulated = Emulated::new();
    let receiver = Receiver::new();
    assert_eq!(emulated.subscribe(&receiver, &json!({})).status, 201);
    emulated.faults(&json!({"request": [{"unseen_for": "1s"}]}));
    emulated.keep("r1", 1);
    receiver.wait_for(1);
    let began = Instant::now();
    assert_eq!(emulated.read("r1").status, 404);
    until("it is there", || emulated.read("r1").status == 200);
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
}

#[test]
fn an_address_does_not_answer_its_validation_when_that_is_wanted() {
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
fn a_subscription_lives_and_ends_by_the_clock_that_is_moved() {
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
    emulated.keep("r2", 1);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(receiver.items().len(), 1);
}
