//! What is sent: Graph's `changeNotificationCollection`, for records and for events of the
//! subscription itself.

use odata::json::{Member, Node, Text, write_node};
use odata::percent::encode_segment;
use odata::primitive::DateTimeOffset;
use store::{Channel, DeliveryRow, SubscriptionRow};

/// The body for messages of one subscription.
pub(crate) fn body(
    subscription: &SubscriptionRow,
    client_state: Option<&str>,
    messages: &[DeliveryRow],
) -> Vec<u8> {
    let items = messages.iter().map(|message| item(subscription, client_state, message));
    let mut out = Vec::new();
    write_node(&mut out, &object([("value", Node::Array(items.collect()))]));
    out
}

fn item(
    subscription: &SubscriptionRow,
    client_state: Option<&str>,
    message: &DeliveryRow,
) -> Node<'static> {
    let mut members = vec![
        ("subscriptionId", text(&subscription.id)),
        ("subscriptionExpirationDateTime", text(&expiry(subscription.expires))),
        ("tenantId", text(subscription.tenant.as_str())),
        ("clientState", client_state.map_or(Node::Null, text)),
    ];
    if message.event.channel() == Channel::Lifecycle {
        members.push(("lifecycleEvent", text(message.event.name())));
        return object(members);
    }
    let id = message.record_id.as_deref().unwrap_or_default();
    let resource = format!("communications/callRecords/{}", encode_segment(id));
    let data = object([
        ("@odata.type", text("#Microsoft.Graph.callRecord")),
        ("@odata.id", text(&resource)),
        ("id", text(id)),
    ]);
    members.extend([
        ("changeType", text(message.event.name())),
        ("resource", text(&resource)),
        ("resourceData", data),
    ]);
    object(members)
}

fn object(members: impl IntoIterator<Item = (&'static str, Node<'static>)>) -> Node<'static> {
    let member = |(name, value)| Member { name: Text::of(name), value };
    Node::Object(members.into_iter().map(member).collect())
}

fn text(value: &str) -> Node<'static> {
    Node::String(Text::of(value))
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
                r#""changeType":"updated","resource":"communications/callRecords/a%2Fb%22","#,
                r##""resourceData":{"@odata.type":"#Microsoft.Graph.callRecord","##,
                r#""@odata.id":"communications/callRecords/a%2Fb%22","id":"a/b\""}}]}"#,
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
