//! What a segment says of one of its ends, beside what the end says itself: whether it is a service, who is
//! there, and which end comes first.
//!
//! [`mod@crate::shred`] writes this into columns, [`crate::rows`] into rows of ends; both ask here.

use odata::edm::StructuredType;
use odata::json::{Member, Node};
use odata::primitive::parse_guid;

use crate::generated;
use crate::identity::{self, e164};

/// Whether an end is a service: by its user agent, or else by the type of the end.
pub(crate) fn is_service(end: &Node<'_>) -> bool {
    match user_agent(end) {
        Some((_, ty)) if ty.is_a(&generated::SERVICE_USER_AGENT) => true,
        Some((_, ty)) if ty.is_a(&generated::CLIENT_USER_AGENT) => false,
        _ => is_a(end, &generated::SERVICE_ENDPOINT),
    }
}

/// Whether an end is one of a participant, which has an identity.
pub(crate) fn is_participant(end: &Node<'_>) -> bool {
    is_a(end, &generated::PARTICIPANT_ENDPOINT)
}

/// Who is at an end: kind and id of the party that its identity names, else of the associated identity,
/// which is a telephone's where its id is a number, else a user's.
pub fn party(end: &Node<'_>) -> Option<(&'static str, String)> {
    let named = end.get("identity").and_then(identity::party);
    named.or_else(|| {
        let id = end.get("associatedIdentity")?.get("id")?.as_text()?.value();
        Some((if id.starts_with('+') { "phone" } else { "user" }, id.into_owned()))
    })
}

/// Kind and id of who is at an end; a telephone's id as E.164 has it.
pub(crate) fn person(end: &Node<'_>) -> Option<(&'static str, String)> {
    let (kind, id) = party(end)?;
    Some((kind, if kind == "phone" { e164(&id) } else { id }))
}

/// Who is at an end, as a text that is the same wherever the same one is: `user/821809f5-…`. A telephone's id is
/// as E.164 has it, a GUID in lower case.
pub fn person_key(end: &Node<'_>) -> Option<String> {
    let (kind, mut id) = person(end)?;
    if parse_guid(&id).is_some() {
        id.make_ascii_lowercase();
    }
    Some(format!("{kind}/{id}"))
}

/// Which of caller and callee the Call Quality Dashboard calls the first end: 0 or 1. A service comes
/// before a client; of two alike, the one whose platform the schema names first; then the caller. (The
/// dashboard's own order of two clients is not published.)
pub(crate) fn first_end(ends: [Option<&Node<'_>>; 2]) -> usize {
    let rank = |end: Option<&Node<'_>>| match end {
        Some(end) => (!is_service(end), platform(end)),
        None => (true, i64::MAX),
    };
    usize::from(rank(ends[1]) < rank(ends[0]))
}

/// What the user agent of a client says of its platform.
pub(crate) fn platform_name<'n, 'a>(end: &'n Node<'a>) -> Option<&'n Node<'a>> {
    let agent = user_agent(end).filter(|(_, ty)| ty.is_a(&generated::CLIENT_USER_AGENT));
    agent.and_then(|(agent, _)| agent.get("platform"))
}

/// The number of the platform of a client; beyond all where there is none.
fn platform(end: &Node<'_>) -> i64 {
    let name = platform_name(end).and_then(Node::as_text);
    let members = generated::CLIENT_PLATFORM.members;
    let member = name.and_then(|name| members.iter().find(|(member, _)| name.is(member)));
    member.map_or(i64::MAX, |(_, value)| *value)
}

fn user_agent<'n, 'a>(end: &'n Node<'a>) -> Option<(&'n Node<'a>, &'static StructuredType)> {
    let agent = end.get("userAgent")?;
    Some((agent, actual_type(agent.as_object()?, &generated::USER_AGENT)))
}

fn is_a(node: &Node<'_>, ty: &'static StructuredType) -> bool {
    let members = node.as_object().unwrap_or_default();
    actual_type(members, &generated::ENDPOINT).is_a(ty)
}

/// The type that an object in canonical form says to have.
pub(crate) fn actual_type(
    members: &[Member<'_>],
    declared: &'static StructuredType,
) -> &'static StructuredType {
    let stated = members.iter().find(|member| member.name.is("@odata.type"));
    stated
        .and_then(|member| member.value.as_text())
        .and_then(|name| declared.find_derived(name.value().trim_start_matches('#')))
        .unwrap_or(declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "#microsoft.graph.callRecords";

    fn end(ty: &str, agent: &str) -> String {
        format!(r#"{{"@odata.type":"{PREFIX}.{ty}","userAgent":{agent}}}"#)
    }

    fn agent(ty: &str, more: &str) -> String {
        format!(r#"{{"@odata.type":"{PREFIX}.{ty}"{more}}}"#)
    }

    #[test]
    fn a_service_is_told_by_its_user_agent_or_else_by_the_end() {
        let client = agent("clientUserAgent", "");
        let service = agent("serviceUserAgent", "");
        for (json, expected) in [
            (end("serviceEndpoint", &service), true),
            (end("participantEndpoint", &service), true),
            (end("serviceEndpoint", &client), false),
            (end("serviceEndpoint", "null"), true),
            (end("participantEndpoint", "null"), false),
        ] {
            assert_eq!(is_service(&Node::parse(&json).unwrap()), expected, "{json}");
        }
    }

    #[test]
    fn the_first_end_is_a_service_or_of_the_platform_named_first_or_the_caller() {
        let client = |platform: &str| {
            let more = format!(r#","platform":"{platform}""#);
            end("participantEndpoint", &agent("clientUserAgent", &more))
        };
        let service = end("serviceEndpoint", &agent("serviceUserAgent", ""));
        for (caller, callee, expected) in [
            (client("windows"), service.clone(), 1),
            (service.clone(), client("windows"), 0),
            (service.clone(), service.clone(), 0),
            (client("iOS"), client("windows"), 1),
            (client("windows"), client("iOS"), 0),
            (client("windows"), client("windows"), 0),
            (end("participantEndpoint", "null"), client("windows"), 1),
            (client("tomorrows"), client("windows"), 1),
            ("null".to_owned(), service.clone(), 1),
        ] {
            let nodes = [&caller, &callee].map(|json| Node::parse(json).unwrap());
            let ends = nodes.each_ref().map(|node| Some(node).filter(|it| **it != Node::Null));
            assert_eq!(first_end(ends), expected, "{caller} {callee}");
        }
    }
}
