//! What an answer gives to the client: links, ids, a subscription. A scan of its text finds them, since
//! answers can be large and little of them matters here.

use std::borrow::Cow;

use odata::json::Node;

/// The end of the names of links.
const LINK: &str = "odata.nextLink\"";
/// Bytes of an id at most; what is longer is none of a record.
const LONGEST_ID: usize = 64;

/// A link that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    /// What there is more of: the part of the name before the `@`, nothing for the answer itself.
    pub(crate) of: &'a str,
    /// As the client reads it.
    pub(crate) url: Cow<'a, str>,
}

/// All links in the text of an answer. A quote in a JSON string has a backslash before it, so that
/// the name of a member is never found within a value.
pub(crate) fn links(body: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (at, name_end) in body.match_indices(LINK) {
        let Some(front) = body[..at].strip_suffix('@') else { continue };
        let of = front.rfind('"').map_or("", |quote| &front[quote + 1..]);
        let value = body[at + name_end.len()..].trim_start();
        if let Some(value) = value.strip_prefix(':')
            && let Some(url) = string(value.trim_start())
        {
            found.push(Link { of, url });
        }
    }
    found
}

/// The JSON string that a text begins with.
fn string(text: &str) -> Option<Cow<'_, str>> {
    let inside = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = inside.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })?;
    if !inside[..end].contains('\\') {
        return Some(Cow::Borrowed(&inside[..end]));
    }
    serde_json::from_str(&text[..end + 2]).ok().map(Cow::Owned)
}

/// All values of members whose names end in `id`, as far as they can be ids of records.
pub(crate) fn ids(body: &str) -> impl Iterator<Item = &str> {
    body.match_indices("d\":\"").filter_map(|(at, name_end)| {
        let is_id = body[..at].ends_with(['i', 'I']);
        let value = &body[at + name_end.len()..];
        let value = &value[..value.find('"')?];
        (is_id && !value.is_empty() && value.len() <= LONGEST_ID && !value.contains('\\'))
            .then_some(value)
    })
}

/// A subscription, as the answer to its creation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// In small letters.
    pub(crate) id: String,
    pub(crate) change_type: String,
    /// Without a slash in front.
    pub(crate) resource: String,
    pub(crate) has_client_state: bool,
    /// Whether messages go to an address that anybody could send to.
    pub(crate) is_open: bool,
}

/// Reads the answer to a creation. `None` if it is none.
pub(crate) fn subscription(body: &str) -> Option<Subscription> {
    let node = Node::parse(body).ok()?;
    let text =
        |name: &str| node.get(name).and_then(Node::as_text).map(|text| text.value().into_owned());
    let address = text("notificationUrl");
    Some(Subscription {
        id: text("id")?.to_ascii_lowercase(),
        change_type: text("changeType")?,
        resource: text("resource").unwrap_or_default().trim_start_matches('/').to_owned(),
        has_client_state: text("clientState").is_some_and(|state| !state.is_empty()),
        is_open: address.is_none_or(|address| address.to_ascii_lowercase().starts_with("http")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Vec<(String, String)> {
        links(body).into_iter().map(|link| (link.of.to_owned(), link.url.into_owned())).collect()
    }

    fn pair(of: &str, url: &str) -> (String, String) {
        (of.to_owned(), url.to_owned())
    }

    #[test]
    fn links_are_found_wherever_they_stand() {
        let body = r#"{"a":1,"sessions@odata.nextLink":"https://h/v1.0/a?$skiptoken=x","sessions":[],
            "participants_v2@odata.nextLink" : "https:\/\/h\/v1.0\/b?\u0024skiptoken=\"y\\",
            "value":[],"@odata.nextLink":"https://h/v1.0/c"}"#;
        let expected = [
            pair("sessions", "https://h/v1.0/a?$skiptoken=x"),
            pair("participants_v2", "https://h/v1.0/b?$skiptoken=\"y\\"),
            pair("", "https://h/v1.0/c"),
        ];
        assert_eq!(found(body), expected);
    }

    #[test]
    fn what_only_looks_like_a_link_is_none() {
        for body in [
            "",
            r#"{"text":"\"@odata.nextLink\":\"https://h/v1.0/a\""}"#,
            r#"{"@odata.nextLink":null}"#,
            r#"{"@odata.nextLink":"cut"#,
            r#"{"@odata.nextLink":"#,
            r#"{"@odata.nextLink""#,
            r#"{"myodata.nextLink":"https://h/v1.0/a"}"#,
            r#"["@odata.nextLink","a"]"#,
        ] {
            assert_eq!(found(body), [], "{body}");
        }
    }

    #[test]
    fn ids_are_found_under_names_that_end_so() {
        let body = r#"{"id":"a","callId":"b","kind":"c","id":null,"value":[{"id":"d"}],"id":"cut"#;
        assert_eq!(ids(body).collect::<Vec<_>>(), ["a", "b", "d"]);
    }

    #[test]
    fn subscriptions_are_read() {
        let read = subscription(
            r#"{"@odata.context":"c","id":"AB","changeType":"created","resource":"/r",
                "clientState":null,"notificationUrl":"HTTPS://h"}"#,
        );
        let expected = Subscription {
            id: "ab".to_owned(),
            change_type: "created".to_owned(),
            resource: "r".to_owned(),
            has_client_state: false,
            is_open: true,
        };
        assert_eq!(read, Some(expected));
        let read = subscription(
            r#"{"id":"a","changeType":"updated","clientState":"x","notificationUrl":"EventHub:e"}"#,
        );
        assert!(read.is_some_and(|read| read.has_client_state && !read.is_open));
        assert_eq!(subscription(r#"{"error":{}}"#), None);
    }
}
