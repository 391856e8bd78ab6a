//! The endpoint of a participant, as records have it.

use odata::json::{Member, Node, Text};

const PARTICIPANT_ENDPOINT: &str = "#microsoft.graph.callRecords.participantEndpoint";

/// The endpoint of the party that an identity set names, with what an event states of it.
pub(crate) fn endpoint<'e>(identity: Option<&Node<'e>>, stated: Option<&Node<'e>>) -> Node<'e> {
    let mut members: Vec<Member<'e>> =
        stated.and_then(Node::as_object).unwrap_or_default().to_vec();
    let has = |members: &[Member<'e>], name: &str| members.iter().any(|it| it.name.is(name));
    let push = |members: &mut Vec<Member<'e>>, name, value| {
        members.push(Member { name: Text::plain(name), value });
    };
    if !has(&members, "@odata.type") {
        let name = Text::plain("@odata.type");
        members.insert(0, Member { name, value: Node::text(PARTICIPANT_ENDPOINT) });
    }
    let is_participant = members[0].value.as_text().is_some_and(|ty| ty.is(PARTICIPANT_ENDPOINT));
    if let Some(set) = identity.filter(|_| is_participant) {
        if !has(&members, "identity") {
            push(&mut members, "identity", without_type(set));
        }
        if let Some((member, _)) = model::identity::party(set)
            && let Some(identity) = set.get(member)
            && !has(&members, "associatedIdentity")
        {
            push(&mut members, "associatedIdentity", identity.clone());
        }
    }
    Node::Object(members)
}

/// An identity set as it stands where a plainer type is declared.
fn without_type<'e>(set: &Node<'e>) -> Node<'e> {
    let members = set.as_object().unwrap_or_default().iter();
    Node::Object(members.filter(|member| !member.name.is("@odata.type")).cloned().collect())
}
