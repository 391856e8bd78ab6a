//! What rules change in the body of an answer: rows that are left out, links, values, or all of it.
//!
//! Values that are not meant stay as they were written, digit for digit.

use std::sync::Arc;
use std::time::Duration;

use odata::json::{Node, Text, pointer_tokens, write_node};
use odata::primitive::{self, DateTimeOffset};

use crate::rules::{Links, RequestRule};

/// The host of links that lead elsewhere (RFC 2606, section 2).
const ELSEWHERE: &str = "https://elsewhere.invalid/";

/// What a rule changes in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerChange(Arc<RequestRule>);

// Numbers in rules are compared as text is: nothing but a test does.
impl Eq for AnswerChange {}

impl AnswerChange {
    pub(crate) fn of(rule: &RequestRule) -> Option<Self> {
        rule.changes_answer().then(|| Self(Arc::new(rule.clone())))
    }

    /// The body as it is sent: `asked` is the address of the request, `now` the time (ticks) by which calls
    /// have ended. A body that is no JSON is sent as it is, unless there is another in its place.
    pub fn apply(&self, body: &[u8], asked: &str, now: i64) -> Vec<u8> {
        if let Some(other) = &self.0.body {
            return other.clone().into_bytes();
        }
        let text = std::str::from_utf8(body).unwrap_or_default();
        let Ok(mut node) = Node::parse(text) else { return body.to_vec() };
        if let Some(time) = self.0.unlisted_for {
            leave_out(&mut node, time.time(), now);
        }
        if let Some(links) = self.0.links {
            change_links(&mut node, links, asked);
        }
        let mut texts = Vec::new();
        for (pointer, value) in self.0.set.iter().flatten() {
            texts.push((pointer, value.to_string()));
        }
        for (pointer, text) in &texts {
            if let (Some(place), Ok(value)) = (at(&mut node, pointer), Node::parse(text)) {
                *place = value.into_owned();
            }
        }
        let mut out = Vec::new();
        write_node(&mut out, &node);
        out
    }
}

/// Takes rows out of a list whose calls ended less than so long ago.
fn leave_out(node: &mut Node<'_>, time: Duration, now: i64) {
    let Some(Node::Array(rows)) = node.get_mut("value") else { return };
    let listed_before = now.saturating_sub(primitive::Duration::from(time).0);
    rows.retain(|row| {
        let end = ["endDateTime", "startDateTime"].iter().find_map(|name| row.get(name)?.as_text());
        let end = end.and_then(|text| DateTimeOffset::parse(&text.value()));
        end.is_none_or(|end| end.0 <= listed_before)
    });
}

fn change_links(node: &mut Node<'_>, links: Links, asked: &str) {
    let Node::Object(members) = node else { return };
    let is_link = |name: &str| name.ends_with("@odata.nextLink");
    if links == Links::Dropped {
        members.retain(|member| !is_link(&member.name.value()));
        return;
    }
    for member in members.iter_mut().filter(|member| is_link(&member.name.value())) {
        let Node::String(link) = &member.value else { continue };
        let link = match links {
            Links::Foreign => {
                let behind = link.value();
                let path = behind.splitn(4, '/').nth(3).unwrap_or_default();
                format!("{ELSEWHERE}{path}")
            }
            _ => asked.to_owned(),
        };
        member.value = Node::String(Text::of(&link));
    }
}

/// The value at a JSON Pointer (RFC 6901).
fn at<'n, 'a>(node: &'n mut Node<'a>, pointer: &str) -> Option<&'n mut Node<'a>> {
    let mut place = node;
    for token in pointer_tokens(pointer) {
        place = match place {
            Node::Array(items) => items.get_mut(token.parse::<usize>().ok()?)?,
            other => other.get_mut(&token)?,
        };
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    fn changed(rule: &str, body: &str) -> String {
        let rules = Rules::from_toml(&format!("[[request]]\n{rule}")).unwrap();
        let change = AnswerChange::of(&rules.requests[0]).unwrap();
        let now = DateTimeOffset::parse("2026-11-01T12:00:00Z").unwrap().0;
        String::from_utf8(change.apply(body.as_bytes(), "http://vault/x?a=b", now)).unwrap()
    }

    #[test]
    fn calls_that_ended_lately_are_left_out_of_lists() {
        let body = r#"{"value":[{"id":"a","endDateTime":"2026-11-01T11:30:00Z","x":0.10},{"id":"b","endDateTime":"2026-11-01T10:30:00Z"},{"id":"c"}]}"#;
        let expected = r#"{"value":[{"id":"b","endDateTime":"2026-11-01T10:30:00Z"},{"id":"c"}]}"#;
        assert_eq!(changed("unlisted_for = \"1h\"", body), expected);
    }

    #[test]
    fn links_lead_elsewhere_back_or_nowhere() {
        let body = r#"{"value":[],"@odata.nextLink":"http://vault/v1.0/y?z"}"#;
        for (links, expected) in [
            ("loop", r#"{"value":[],"@odata.nextLink":"http://vault/x?a=b"}"#),
            ("foreign", r#"{"value":[],"@odata.nextLink":"https://elsewhere.invalid/v1.0/y?z"}"#),
            ("dropped", r#"{"value":[]}"#),
        ] {
            assert_eq!(changed(&format!("links = \"{links}\""), body), expected);
        }
    }

    #[test]
    fn values_are_replaced_and_others_stay_as_they_were_written() {
        let body = r#"{"version":3,"x":1.50,"value":[{"id":"a"}]}"#;
        let rule = r#"set = { "/version" = 2, "/value/0/id" = "b", "/none/0" = 1 }"#;
        assert_eq!(changed(rule, body), r#"{"version":2,"x":1.50,"value":[{"id":"b"}]}"#);
        assert_eq!(changed("body = \"<html>\"", body), "<html>");
        assert_eq!(changed("links = \"loop\"", "no JSON"), "no JSON");
    }
}
