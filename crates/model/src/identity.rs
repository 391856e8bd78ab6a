//! The two ways in which a record names people: `organizer` and `participants` (deprecated, flat
//! identity sets) and `organizer_v2` and `participants_v2` (entities). What a record lacks of the
//! one is made from the other.

use odata::json::{Member, Node, Text};

use crate::key::key;

/// Members of an identity set in the order in which Graph prints them; where several are filled,
/// the first one names the party.
const MEMBERS: [&str; 15] = [
    "acsUser",
    "spoolUser",
    "phone",
    "guest",
    "encrypted",
    "onPremises",
    "acsApplicationInstance",
    "spoolApplicationInstance",
    "azureApplicationInstance",
    "applicationInstance",
    "application",
    "device",
    "azureCommunicationServicesUser",
    "assertedIdentity",
    "user",
];

/// Most legacy participants that Graph gives.
const MOST_LEGACY_PARTICIPANTS: usize = 130;

/// The name of the first filled member of an identity set, and the id in it: together they name the
/// party.
pub fn party(set: &Node<'_>) -> Option<(&'static str, String)> {
    MEMBERS.iter().find_map(|name| {
        let id = set.get(name)?.get("id")?.as_text()?;
        Some((*name, id.value().into_owned()))
    })
}

/// The id of the party that an identity set names.
pub fn party_id(set: &Node<'_>) -> Option<String> {
    party(set).map(|(_, id)| id)
}

/// A telephone number as E.164 has it, if the id is one with its country: `tel:` and what only groups its
/// digits go. Any other id stays as it is.
pub(crate) fn e164(id: &str) -> String {
    let number = id.strip_prefix("tel:").unwrap_or(id).split(';').next().unwrap_or_default();
    let is_grouping = |letter: &char| matches!(letter, ' ' | '-' | '.' | '(' | ')' | '/');
    let number: String = number.chars().filter(|letter| !is_grouping(letter)).collect();
    match number.strip_prefix('+') {
        Some(digits) if is_number(digits) => number,
        _ => id.to_owned(),
    }
}

/// Whether a text is digits, at most 15 of them (E.164, 6.2.1).
fn is_number(digits: &str) -> bool {
    (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The entity (organizer or participant) for a legacy identity set; `None` if it names nobody.
pub fn entity_from_set<'a>(set: &Node<'a>) -> Option<Node<'a>> {
    let id = party_id(set)?;
    let mut members = without_annotations(set);
    for member in &mut members {
        if member.name.is("acsUser") {
            member.name = Text::plain("azureCommunicationServicesUser");
        }
    }
    Some(Node::Object(vec![
        Member { name: Text::plain("id"), value: Node::String(Text::of(&id)) },
        Member { name: Text::plain("identity"), value: Node::Object(members) },
        Member { name: Text::plain("administrativeUnitInfos"), value: Node::Array(Vec::new()) },
    ]))
}

/// The legacy identity set for an entity; `None` if it has no identity.
pub fn set_from_entity<'a>(entity: &Node<'a>) -> Option<Node<'a>> {
    let identity = entity.get("identity")?;
    party(identity)?;
    let mut members = without_annotations(identity);
    members.retain(|member| {
        let is_new = member.name.is("endpointType") || member.name.is("assertedIdentity");
        let is_old_twin = member.name.is("acsUser");
        !(matches!(member.value, Node::Null) && (is_new || is_old_twin))
    });
    let has_old = members.iter().any(|member| member.name.is("acsUser"));
    for member in &mut members {
        if member.name.is("azureCommunicationServicesUser") && !has_old {
            member.name = Text::plain("acsUser");
        }
    }
    Some(Node::Object(members))
}

/// Participants for legacy identity sets: one for each distinct party, in order.
pub fn participants_from_sets<'a>(sets: &[Node<'a>]) -> Vec<Node<'a>> {
    distinct(sets, party).filter_map(entity_from_set).collect()
}

/// Legacy identity sets for participants: the first 130 distinct parties.
pub fn sets_from_participants<'a>(participants: &[Node<'a>]) -> Vec<Node<'a>> {
    distinct(participants, |entity| party(entity.get("identity")?))
        .filter_map(set_from_entity)
        .take(MOST_LEGACY_PARTICIPANTS)
        .collect()
}

fn distinct<'n, 'a>(
    nodes: &'n [Node<'a>],
    party: fn(&Node<'_>) -> Option<(&'static str, String)>,
) -> impl Iterator<Item = &'n Node<'a>> {
    let mut seen = std::collections::HashSet::new();
    nodes
        .iter()
        .filter(move |node| party(node).is_some_and(|(member, id)| seen.insert((member, key(&id)))))
}

fn without_annotations<'a>(set: &Node<'a>) -> Vec<Member<'a>> {
    let members = set.as_object().unwrap_or_default().iter();
    members.filter(|member| !member.name.raw().contains('@')).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(node: &Node<'_>) -> String {
        let mut out = Vec::new();
        odata::json::write_node(&mut out, node);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_number_with_its_country_is_written_as_e_164_has_it() {
        for (id, expected) in [
            ("+15550100182", "+15550100182"),
            ("tel:+1-555-010-0182", "+15550100182"),
            ("+49 (30) 5550100.7;ext=12", "+49305550100 7"),
            ("0305550100", "0305550100"),
            ("+1555a", "+1555a"),
            ("+", "+"),
            ("+1234567890123456", "+1234567890123456"),
            ("anonymous", "anonymous"),
        ] {
            assert_eq!(e164(id), expected.replace(' ', ""), "{id}");
        }
    }

    #[test]
    fn one_participant_for_each_distinct_party() {
        let sets = Node::parse(
            r#"[{"user":{"id":"A","displayName":"Abbie Wilkins"}},{"user":{"id":"A"}},
                {"phone":{"id":"A"},"user":null},{"acsUser":{"id":"8:acs:x"},"user":null},
                {"user":null}]"#,
        )
        .unwrap();
        let participants = participants_from_sets(sets.as_array().unwrap());
        let ids: Vec<_> = participants.iter().map(|p| text(p.get("id").unwrap())).collect();
        assert_eq!(ids, [r#""A""#, r#""A""#, r#""8:acs:x""#]);
        assert_eq!(
            text(&participants[2]),
            r#"{"id":"8:acs:x","identity":{"azureCommunicationServicesUser":{"id":"8:acs:x"},"user":null},"administrativeUnitInfos":[]}"#
        );
    }

    #[test]
    fn legacy_sets_come_back_from_what_was_made_of_them() {
        let sets = Node::parse(
            r#"[{"user":{"id":"A","tenantId":"t"}},{"acsUser":{"id":"8:acs:x"},"user":null}]"#,
        )
        .unwrap();
        let sets = sets.as_array().unwrap();
        assert_eq!(sets_from_participants(&participants_from_sets(sets)), sets);
    }

    #[test]
    fn no_more_than_130_legacy_participants() {
        let many: Vec<_> = (0..200)
            .map(|n| format!(r#"{{"id":"{n}","identity":{{"user":{{"id":"{n}"}}}}}}"#))
            .collect();
        let text = format!("[{}]", many.join(","));
        let node = Node::parse(&text).unwrap();
        assert_eq!(sets_from_participants(node.as_array().unwrap()).len(), 130);
    }
}
