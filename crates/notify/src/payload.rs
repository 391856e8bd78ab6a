//! What is sent: Graph's `changeNotificationCollection`, for records and for events of the
//! subscription itself.

use odata::json::push_member;
use odata::key;
use odata::primitive::DateTimeOffset;
use store::{Channel, DeliveryRow, SubscriptionRow};

/// Bytes of an item beside what repeats, roughly.
const ITEM: usize = 320;

/// The body for messages of one subscription.
pub(crate) fn body(
    subscription: &SubscriptionRow,
    client_state: Option<&str>,
    messages: &[DeliveryRow],
) -> Vec<u8> {
    let front = front(subscription, client_state);
    let mut out = Vec::with_capacity(16 + messages.len() * (front.len() + ITEM));
    out.extend_from_slice(b"{\"value\":[");
    for (number, message) in messages.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&front);
        push_rest(&mut out, message);
    }
    out.extend_from_slice(b"]}");
    out
}

/// What each item of a subscription begins with.
fn front(subscription: &SubscriptionRow, client_state: Option<&str>) -> Vec<u8> {
    let mut out = vec![b'{'];
    push_member(&mut out, "subscriptionId", &subscription.id);
    out.push(b',');
    push_member(&mut out, "subscriptionExpirationDateTime", &expiry(subscription.expires));
    out.push(b',');
    push_member(&mut out, "tenantId", subscription.tenant.as_str());
    match client_state {
        None => out.extend_from_slice(b",\"clientState\":null,"),
        Some(state) => {
            out.push(b',');
            push_member(&mut out, "clientState", state);
            out.push(b',');
        }
    }
    out
}

fn push_rest(out: &mut Vec<u8>, message: &DeliveryRow) {
    if message.event.channel() == Channel::Lifecycle {
        push_member(out, "lifecycleEvent", message.event.name());
        return out.push(b'}');
    }
    let id = message.record_id.as_deref().unwrap_or_default();
    let resource = format!("communications/callRecords{}", key_of(id));
    push_member(out, "changeType", message.event.name());
    out.push(b',');
    push_member(out, "resource", &resource);
    out.extend_from_slice(b",\"resourceData\":{\"@odata.type\":\"#Microsoft.Graph.callRecord\",");
    push_member(out, "@odata.id", &resource);
    out.push(b',');
    push_member(out, "id", id);
    out.extend_from_slice(b"}}");
}

/// The id behind the name of the collection: a segment of its own, as Graph writes it, where it holds
/// nothing that is encoded and a digit or a dash, which the name of no operation does.
fn key_of(id: &str) -> String {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_plain && id.contains(|char: char| char.is_ascii_digit() || char == '-') {
        return format!("/{id}");
    }
    key::in_path(id)
}

/// With an offset where other answers have `Z`, as Graph writes it here.
fn expiry(ticks: i64) -> String {
    let text = DateTimeOffset(ticks).to_string();
    match text.strip_suffix('Z') {
        Some(text) => format!("{text}+00:00"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use model::TenantId;
    use store::Event;

    use super::*;

    fn subscription() -> SubscriptionRow {
        SubscriptionRow {
            key: 1,
            id: "11111111-aaaa-4bbb-8ccc-000000000001".to_owned(),
            tenant: TenantId::parse("22222222-aaaa-4bbb-8ccc-000000000002").unwrap(),
            application_id: String::new(),
            creator_id: None,
            resource: "/communications/callRecords".to_owned(),
            change_type: "created,updated".to_owned(),
            notification_url: String::new(),
            lifecycle_notification_url: None,
            latest_supported_tls_version: String::new(),
            sealed_client_state: None,
            sealed_secrets: Vec::new(),
            created: 0,
            expires: DateTimeOffset::parse("2026-03-01T12:00:00Z").unwrap().0,
            created_after: 0,
        }
    }

    fn message(event: Event, record: Option<&str>) -> DeliveryRow {
        DeliveryRow {
            key: 7,
            subscription_key: 1,
            event,
            record_id: record.map(str::to_owned),
            version: None,
            queued: 0,
            message: None,
            died: None,
            is_undecided: false,
        }
    }

    #[test]
    fn notifications_are_those_of_graph() {
        let messages =
            [message(Event::Created, Some("3cf3bbc8")), message(Event::Updated, Some("a/b\""))];
        let body = body(&subscription(), Some("se\"cret"), &messages);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            concat!(
                r#"{"value":[{"subscriptionId":"11111111-aaaa-4bbb-8ccc-000000000001","#,
                r#""subscriptionExpirationDateTime":"2026-03-01T12:00:00+00:00","#,
                r#""tenantId":"22222222-aaaa-4bbb-8ccc-000000000002","clientState":"se\"cret","#,
                r#""changeType":"created","resource":"communications/callRecords/3cf3bbc8","#,
                r##""resourceData":{"@odata.type":"#Microsoft.Graph.callRecord","##,
                r#""@odata.id":"communications/callRecords/3cf3bbc8","id":"3cf3bbc8"}},"#,
                r#"{"subscriptionId":"11111111-aaaa-4bbb-8ccc-000000000001","#,
                r#""subscriptionExpirationDateTime":"2026-03-01T12:00:00+00:00","#,
                r#""tenantId":"22222222-aaaa-4bbb-8ccc-000000000002","clientState":"se\"cret","#,
                r#""changeType":"updated","resource":"communications/callRecords('a%2Fb%22')","#,
                r##""resourceData":{"@odata.type":"#Microsoft.Graph.callRecord","##,
                r#""@odata.id":"communications/callRecords('a%2Fb%22')","id":"a/b\""}}]}"#,
            )
        );
    }

    #[test]
    fn events_of_the_subscription_have_no_resource() {
        let body = body(&subscription(), None, &[message(Event::Missed, None)]);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            concat!(
                r#"{"value":[{"subscriptionId":"11111111-aaaa-4bbb-8ccc-000000000001","#,
                r#""subscriptionExpirationDateTime":"2026-03-01T12:00:00+00:00","#,
                r#""tenantId":"22222222-aaaa-4bbb-8ccc-000000000002","clientState":null,"#,
                r#""lifecycleEvent":"missed"}]}"#,
            )
        );
    }
}
