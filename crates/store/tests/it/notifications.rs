//! The queues of notifications: what goes in once, what stays until it arrived, what is given up.

use store::{
    Channel, DeliveryOutcome, Event, Match, Reader, SentMessages, Store, SubscriptionOutcome,
    SubscriptionRow,
};

use crate::calls::call;
use crate::engine::{Folder, other_tenant, serve, tenant};

const HOUR: i64 = 3_600 * 10_000_000;
/// Long after anything that a test does.
const FAR: i64 = 9_000_000 * HOUR;

pub(crate) fn subscription(id: &str) -> SubscriptionRow {
    SubscriptionRow {
        key: 0,
        id: id.to_owned(),
        tenant: tenant(),
        application_id: "app".to_owned(),
        creator_id: None,
        resource: format!("communications/callRecords?{id}"),
        change_type: "created,updated".to_owned(),
        notification_url: "https://contoso.com/hook".to_owned(),
        lifecycle_notification_url: Some("https://contoso.com/life".to_owned()),
        latest_supported_tls_version: "v1_2".to_owned(),
        sealed_client_state: None,
        sealed_secrets: b"sealed".to_vec(),
        created: 1,
        expires: FAR,
        created_after: 0,
    }
}

/// A store with one subscription; its key.
fn subscribed(folder: &Folder) -> (Store, i64) {
    let store = serve(folder);
    assert_eq!(
        store.add_subscription(subscription("s"), 9).wait().unwrap(),
        SubscriptionOutcome::Added
    );
    let key = store.reader().unwrap().subscriptions(None, 2).unwrap()[0].key;
    (store, key)
}

pub(crate) fn matched(key: i64, number: u8, version: i64) -> Match {
    Match {
        subscription_key: key,
        id_key: vec![number],
        record_id: format!("r{number}"),
        version,
        wants_created: true,
        wants_updated: true,
        is_decided: true,
    }
}

/// The messages that go out next, as `created r1`.
fn next(reader: &mut Reader, key: i64, channel: Channel) -> Vec<String> {
    let rows = reader.next_deliveries((key, channel), 0, 100).unwrap();
    let text = |id: Option<String>| id.unwrap_or_default();
    rows.into_iter().map(|row| format!("{} {}", row.event.name(), text(row.record_id))).collect()
}

fn sent(reader: &mut Reader, key: i64, channel: Channel, count: usize) -> SentMessages {
    let rows = reader.next_deliveries((key, channel), 0, count).unwrap();
    SentMessages::of(channel, &rows).unwrap()
}

fn failed(now: i64, give_up_before: i64) -> DeliveryOutcome {
    DeliveryOutcome::Failed { now, due: now + HOUR, give_up_before, reason: "refused".to_owned() }
}

#[test]
fn versions_are_told_once_in_the_order_of_their_commits() {
    let folder = Folder::new();
    let (store, key) = subscribed(&folder);
    let mut reader = store.reader().unwrap();
    let matches = vec![matched(key, 1, 2), matched(key, 1, 3), matched(key, 2, 1)];
    assert_eq!(store.enqueue((0, 5), matches.clone()).wait().unwrap(), 3);
    let expected = ["created r1", "updated r1", "created r2"];
    assert_eq!(next(&mut reader, key, Channel::Notifications), expected);
    assert_eq!(store.enqueue((0, 5), matches.clone()).wait().unwrap(), 0, "the cursor has moved");
    assert_eq!(store.enqueue((5, 6), matches).wait().unwrap(), 0, "they were told");
    assert_eq!(store.enqueue((6, 7), vec![matched(key, 1, 1)]).wait().unwrap(), 0);
    let only_new = Match { wants_updated: false, ..matched(key, 1, 4) };
    assert_eq!(store.enqueue((7, 8), vec![only_new]).wait().unwrap(), 0);
    assert_eq!(reader.notification_cursor().unwrap(), 8);
    let one = sent(&mut reader, key, Channel::Notifications, 2);
    store.settle(one, DeliveryOutcome::Delivered).wait().unwrap();
    assert_eq!(next(&mut reader, key, Channel::Notifications), ["created r2"]);
}

#[test]
fn what_failed_is_sent_again_together_and_after_its_wait() {
    let folder = Folder::new();
    let (store, key) = subscribed(&folder);
    let mut reader = store.reader().unwrap();
    store.enqueue((0, 1), vec![matched(key, 1, 1), matched(key, 2, 1)]).wait().unwrap();
    let both = sent(&mut reader, key, Channel::Notifications, 100);
    assert_eq!(store.settle(both, failed(HOUR, 0)).wait().unwrap(), 0);
    store.enqueue((1, 2), vec![matched(key, 3, 1)]).wait().unwrap();
    assert!(reader.due_endpoints(2 * HOUR - 1, "CallRecords.Read.All").unwrap().is_empty());
    let failing = &reader.failing_endpoints().unwrap()[0];
    assert_eq!((failing.failures, failing.since, failing.due), (1, HOUR, 2 * HOUR));
    assert_eq!(failing.reason, "refused");
    let row = reader.subscription(key).unwrap().unwrap();
    assert!(store.update_subscription(row).wait().unwrap());
    assert_eq!(
        reader.due_endpoints(0, "CallRecords.Read.All").unwrap().len(),
        1,
        "who renews may be told again"
    );
    assert_eq!(store.settle(both, failed(HOUR, 0)).wait().unwrap(), 0);
    let due = reader.due_endpoints(2 * HOUR, "CallRecords.Read.All").unwrap();
    assert_eq!((due.len(), due[0].failures, due[0].channel), (1, 1, Channel::Notifications));
    assert_eq!(next(&mut reader, key, Channel::Notifications), ["created r1", "created r2"]);
    store.settle(both, DeliveryOutcome::Delivered).wait().unwrap();
    assert_eq!(reader.due_endpoints(0, "CallRecords.Read.All").unwrap()[0].failures, 0);
    assert_eq!(next(&mut reader, key, Channel::Notifications), ["created r3"]);
}

#[test]
fn what_fails_for_too_long_is_given_up_said_to_be_missed_and_can_be_replayed() {
    let folder = Folder::new();
    let (store, key) = subscribed(&folder);
    let mut reader = store.reader().unwrap();
    store.enqueue((0, 1), vec![matched(key, 1, 1), matched(key, 2, 1)]).wait().unwrap();
    let first = sent(&mut reader, key, Channel::Notifications, 1);
    let queued = reader.next_deliveries((key, Channel::Notifications), 0, 1).unwrap()[0].queued;
    let settle = |settled| store.settle(first, settled).wait().unwrap();
    assert_eq!(settle(failed(queued + HOUR, queued - 1)), 0, "it has not been long");
    assert_eq!(settle(failed(queued + 5 * HOUR, queued + HOUR - 1)), 0, "nor failed for long");
    assert_eq!(settle(failed(queued + 6 * HOUR, queued + 2 * HOUR)), 2);
    assert!(next(&mut reader, key, Channel::Notifications).is_empty());
    assert_eq!(next(&mut reader, key, Channel::Lifecycle), ["missed "]);
    let dead = reader.deliveries(Some(&tenant()), true, 0, 10).unwrap();
    assert_eq!(dead.len(), 2);
    assert!(reader.deliveries(Some(&other_tenant()), true, 0, 10).unwrap().is_empty());
    assert_eq!(store.replay(key, Some(dead[1].key)).wait().unwrap(), 1);
    assert_eq!(next(&mut reader, key, Channel::Notifications), ["created r2"]);
    assert_eq!(store.replay(key, None).wait().unwrap(), 1);
    assert_eq!(next(&mut reader, key, Channel::Notifications).len(), 1, "each as it was sent");
    assert_eq!(reader.due_endpoints(0, "CallRecords.Read.All").unwrap().len(), 2, "at once");
}

#[test]
fn what_is_replayed_while_a_request_is_out_stays_in_the_queue() {
    let folder = Folder::new();
    let (store, key) = subscribed(&folder);
    let mut reader = store.reader().unwrap();
    let four = (1..=4).map(|number| matched(key, number, 1)).collect();
    store.enqueue((0, 1), four).wait().unwrap();
    let first = sent(&mut reader, key, Channel::Notifications, 1);
    let queued = reader.next_deliveries((key, Channel::Notifications), 0, 1).unwrap()[0].queued;
    store.settle(first, failed(queued + HOUR, 0)).wait().unwrap();
    let given_up = store.settle(first, failed(queued + 6 * HOUR, queued + 2 * HOUR));
    assert_eq!(given_up.wait().unwrap(), 4);
    let dead = reader.deliveries(None, true, 0, 10).unwrap();
    assert_eq!(store.replay(key, Some(dead[1].key)).wait().unwrap(), 1);
    store.enqueue((1, 2), vec![matched(key, 5, 1)]).wait().unwrap();
    let expected = ["created r2", "created r5"];
    assert_eq!(next(&mut reader, key, Channel::Notifications), expected);
    let out = sent(&mut reader, key, Channel::Notifications, 100);
    // Their numbers stand between those of the request.
    assert_eq!(store.replay(key, None).wait().unwrap(), 3);
    store.settle(out, DeliveryOutcome::Delivered).wait().unwrap();
    assert_eq!(next(&mut reader, key, Channel::Notifications), ["created r1"]);
    let out = sent(&mut reader, key, Channel::Notifications, 100);
    store.settle(out, DeliveryOutcome::Delivered).wait().unwrap();
    assert_eq!(next(&mut reader, key, Channel::Notifications), ["created r3", "created r4"]);
}

#[test]
fn the_end_of_a_life_is_told_once_and_its_removal() {
    let folder = Folder::new();
    let (store, key) = subscribed(&folder);
    let mut reader = store.reader().unwrap();
    assert!(store.warn_subscription(key).wait().unwrap());
    assert!(!store.warn_subscription(key).wait().unwrap());
    let mut row = reader.subscription(key).unwrap().unwrap();
    row.expires -= HOUR;
    assert!(store.update_subscription(row).wait().unwrap());
    assert!(store.warn_subscription(key).wait().unwrap(), "another end");
    assert_eq!(next(&mut reader, key, Channel::Lifecycle), ["reauthorizationRequired "]);
    store.enqueue((0, 1), vec![matched(key, 1, 1)]).wait().unwrap();
    store.remove_subscription(key).wait().unwrap();
    assert!(next(&mut reader, key, Channel::Notifications).is_empty());
    assert_eq!(next(&mut reader, key, Channel::Lifecycle)[1], "subscriptionRemoved ");
    assert!(reader.subscriptions(None, 2).unwrap().is_empty());
    assert_eq!(reader.ended_subscriptions(FAR).unwrap(), ["s"]);
    assert!(store.delete_subscription("s").wait().unwrap());
    assert!(reader.due_endpoints(FAR, "CallRecords.Read.All").unwrap().is_empty());
    assert_eq!(Event::Missed.channel(), Channel::Lifecycle);
}

#[test]
fn subscriptions_are_bounded_and_none_is_twice() {
    let folder = Folder::new();
    let store = serve(&folder);
    let add = |row: SubscriptionRow, quota| store.add_subscription(row, quota).wait().unwrap();
    assert_eq!(add(subscription("a"), 2), SubscriptionOutcome::Added);
    let same = SubscriptionRow { id: "b".to_owned(), ..subscription("a") };
    assert_eq!(add(same.clone(), 2), SubscriptionOutcome::Duplicate);
    let of_other = SubscriptionRow { tenant: other_tenant(), ..same.clone() };
    assert_eq!(add(of_other, 2), SubscriptionOutcome::Added);
    assert_eq!(add(subscription("c"), 2), SubscriptionOutcome::Added);
    assert_eq!(add(subscription("d"), 2), SubscriptionOutcome::QuotaReached);
    let later = SubscriptionRow { created: FAR, expires: 2 * FAR, ..subscription("d") };
    assert_eq!(add(later, 2), SubscriptionOutcome::Added, "those that have ended don't count");
}

#[test]
fn only_new_versions_of_the_log_are_told() {
    let folder = Folder::new();
    let store = serve(&folder);
    let write = |call: crate::calls::Call| {
        store.write(&tenant(), vec![call.shred(&store)]).wait().unwrap();
    };
    write(call(1));
    write(call(1).version(3));
    write(call(1).version(2));
    write(call(1).version(3).sessions(1));
    write(call(2));
    let mut reader = store.reader().unwrap();
    let found = reader.committed_versions(0, 100).unwrap();
    let told: Vec<_> =
        found.versions.iter().map(|version| (version.id.clone(), version.version)).collect();
    let (one, two) = (call(1).id, call(2).id);
    assert_eq!(told, [(one.clone(), 1), (one, 3), (two.clone(), 1)]);
    let entries: Vec<i64> =
        reader.changes(0, 100).unwrap().iter().map(|change| change.sequence).collect();
    assert_eq!(entries.len(), 5);
    assert_eq!((found.up_to, found.has_more), (entries[4], false));
    let rest = reader.committed_versions(entries[3], 1).unwrap();
    let (id, up_to) = (rest.versions[0].id.clone(), rest.up_to);
    assert_eq!((id, up_to, rest.has_more), (two, entries[4], true));
}
