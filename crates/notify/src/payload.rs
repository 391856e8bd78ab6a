//! What is sent: Graph's `changeNotificationCollection`, for records and for events of the
//! subscription itself.

use odata::json::push_text;
use odata::percent::encode_segment;
use odata::primitive::DateTimeOffset;
use store::{Channel, DeliveryRow, SubscriptionRow};

/// The body for messages of one subscription.
pub(crate) fn body(
    subscription: &SubscriptionRow,
    client_state: Option<&str>,
    messages: &[DeliveryRow],
) -> Vec<u8> {
    let mut out = b"{\"value\":[".to_vec();
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_item(&mut out, subscription, client_state, message);
    }
    out.extend_from_slice(b"]}");
    out
}

fn push_item(
    out: &mut Vec<u8>,
    subscription: &SubscriptionRow,
    client_state: Option<&str>,
    message: &DeliveryRow,
) {
    let mut item = Members(out, b'{');
    item.text("subscriptionId", &subscription.id);
    item.text("subscriptionExpirationDateTime", &expiry(subscription.expires));
    item.text("tenantId", subscription.tenant.as_str());
    match client_state {
        Some(state) => item.text("clientState", state),
        None => item.raw("clientState", b"null"),
    }
    if message.event.channel() == Channel::Lifecycle {
        item.text("lifecycleEvent", message.event.name());
    } else {
        let id = message.record_id.as_deref().unwrap_or_default();
        let resource = format!("communications/callRecords/{}", encode_segment(id));
        item.text("changeType", message.event.name());
        item.text("resource", &resource);
        let mut data = Vec::new();
        let mut members = Members(&mut data, b'{');
        members.text("@odata.type", "#Microsoft.Graph.callRecord");
        members.text("@odata.id", &resource);
        members.text("id", id);
        data.push(b'}');
        item.raw("resourceData", &data);
    }
    out.push(b'}');
}

/// Members of an object, behind what opens it or parts them.
struct Members<'o>(&'o mut Vec<u8>, u8);

impl Members<'_> {
    fn raw(&mut self, name: &str, value: &[u8]) {
        self.0.push(std::mem::replace(&mut self.1, b','));
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        self.0.extend_from_slice(value);
    }

    fn text(&mut self, name: &str, value: &str) {
        let mut quoted = vec![b'"'];
        push_text(&mut quoted, value);
        quoted.push(b'"');
        self.raw(name, &quoted);
    }
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
