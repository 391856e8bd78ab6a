//! The body of a notification, which anybody may send: bytes → what it says. Nothing of it is believed before
//! its client state is known to be ours; `reception` compares it.

use odata::json::Node;

/// Bytes of a body.
pub const LARGEST: usize = 1 << 20;
/// Bytes of a validation token.
pub const LARGEST_TOKEN: usize = 4 << 10;
/// Messages of a body that are looked at: more than ever come together.
const MOST: usize = 10_000;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The subscription that it is of.
    pub(crate) subscription: String,
    /// What shows that the source knows us.
    pub(crate) client_state: String,
    /// The tenant that it is about, if it says one.
    pub(crate) tenant: Option<String>,
    /// What it says.
    pub(crate) says: Says,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Says {
    /// There is something new of a record.
    Record(String),
    /// The subscription has to be authorized anew.
    Reauthorize,
    /// The subscription is gone.
    Removed,
    /// Notifications were lost.
    Missed,
    /// Something that is not known here.
    Other,
}

/// Reads a body; what can't be a message is left out.
///
/// # Errors
/// When it is no body of notifications at all.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Message>, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is no UTF-8")?;
    let body = Node::parse_foreign(text).map_err(|_| "the body is no JSON")?;
    let items =
        body.get("value").and_then(Node::as_array).ok_or("the body has no array 'value'")?;
    Ok(items.iter().take(MOST).filter_map(message).collect())
}

fn message(item: &Node<'_>) -> Option<Message> {
    let text = |node: Option<&Node<'_>>| Some(node?.as_text()?.value().into_owned());
    Some(Message {
        subscription: text(item.get("subscriptionId")).unwrap_or_default(),
        client_state: text(item.get("clientState"))?,
        tenant: text(item.get("tenantId")),
        says: match text(item.get("lifecycleEvent")).as_deref() {
            Some("reauthorizationRequired") => Says::Reauthorize,
            Some("subscriptionRemoved") => Says::Removed,
            Some("missed") => Says::Missed,
            Some(_) => Says::Other,
            None => record(item).map_or(Says::Other, Says::Record),
        },
    })
}

/// The id of the record: that of its data, else the last part of its address.
fn record(item: &Node<'_>) -> Option<String> {
    let text = |node: Option<&Node<'_>>| Some(node?.as_text()?.value().into_owned());
    let data = item.get("resourceData");
    let kind = data.and_then(|data| text(data.get("@odata.type")));
    let is_record = kind.is_none_or(|kind| kind.to_ascii_lowercase().ends_with(".callrecord"));
    let id = data.and_then(|data| text(data.get("id"))).or_else(|| {
        let resource = text(item.get("resource"))?;
        let last = resource.rsplit('/').next()?;
        let key = last.split_once("('").and_then(|(_, key)| key.strip_suffix("')"));
        Some(key.unwrap_or(last).to_owned())
    });
    id.filter(|id| is_record && (1..=model::key::LONGEST_ID).contains(&id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_events_are_read_whatever_the_case_of_their_type() {
        let body = br##"{"value":[
            {"subscriptionId":"s","clientState":"c","tenantId":"T","changeType":"created",
             "resource":"communications/callRecords/a",
             "resourceData":{"@odata.type":"#microsoft.graph.callrecord","id":"a"}},
            {"subscriptionId":"s","clientState":"c","resource":"communications/callRecords('b')"},
            {"subscriptionId":"s","clientState":"c","lifecycleEvent":"missed"},
            {"subscriptionId":"s","clientState":"c","lifecycleEvent":"reauthorizationRequired"},
            {"subscriptionId":"s","clientState":"c","lifecycleEvent":"subscriptionRemoved"},
            {"subscriptionId":"s","clientState":"c","lifecycleEvent":"new"},
            {"subscriptionId":"s","clientState":"c",
             "resourceData":{"@odata.type":"#microsoft.graph.message","id":"m"}},
            {"subscriptionId":"s"}, 7, null]}"##;
        let read = read(body).unwrap();
        let says: Vec<Says> = read.iter().map(|message| message.says.clone()).collect();
        let record = |id: &str| Says::Record(id.to_owned());
        let (other, missed) = (Says::Other, Says::Missed);
        let expected = [
            record("a"),
            record("b"),
            missed,
            Says::Reauthorize,
            Says::Removed,
            other.clone(),
            other,
        ];
        assert_eq!(says, expected);
        assert_eq!(read[0].tenant.as_deref(), Some("T"));
    }

    #[test]
    fn what_is_no_body_of_notifications_is_refused() {
        for body in [&b""[..], b"[]", b"{}", b"{\"value\":1}", b"\xff", b"{\"value\":["] {
            assert!(read(body).is_err(), "{body:?}");
        }
        let many = format!("{{\"value\":[{}{{}}]}}", "{},".repeat(20_000));
        assert_eq!(read(many.as_bytes()), Ok(Vec::new()));
        let long = format!(
            "{{\"value\":[{{\"clientState\":\"c\",\"resourceData\":{{\"id\":\"{}\"}}}}]}}",
            "x".repeat(100_000)
        );
        assert_eq!(read(long.as_bytes()).unwrap()[0].says, Says::Other);
    }
}
