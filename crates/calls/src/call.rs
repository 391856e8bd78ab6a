//! A call as Graph shows it (Graph, "call resource type"), as far as a keeper of records knows it.

use model::TenantId;
use model::call::Ending;
use odata::json::{Member, Node, Text};

use crate::leg::{Leg, Party, State};

/// Of a call that ended well (RFC 3261 section 21.2, which Graph's codes follow).
const OK: u32 = 200;
/// Of a call whose end nobody told.
const NO_END: u32 = 408;
/// Of a failure that has no code of its own.
const FAILED: u32 = 500;

/// The members of a call in Graph's order.
pub fn members<'e>(leg: &Leg<'e>, tenant: &TenantId) -> Vec<Member<'e>> {
    let (source, targets): (Vec<_>, Vec<_>) =
        leg.parties.iter().filter(|party| party.identity.is_some()).partition(|it| it.is_source);
    let or_null = |node: Option<&Node<'e>>| node.cloned().unwrap_or(Node::Null);
    let members = [
        ("id", Node::text(leg.id)),
        ("callChainId", Node::text(leg.chain_id)),
        ("direction", or_null(leg.direction)),
        ("resultInfo", result(leg)),
        ("source", source.first().map_or(Node::Null, |party| participant(party))),
        ("state", Node::text(leg.state.name())),
        ("subject", or_null(leg.subject)),
        ("targets", Node::Array(targets.into_iter().map(invitation).collect())),
        ("tenantId", Node::text(tenant.as_str())),
    ];
    let member = |(name, value)| Member { name: Text::plain(name), value };
    members.into_iter().map(member).collect()
}

fn participant<'e>(party: &Party<'e>) -> Node<'e> {
    let identity = identity(party);
    let endpoint_type = identity.get("endpointType").cloned().unwrap_or(Node::Null);
    Node::object([
        ("countryCode", Node::Null),
        ("endpointType", endpoint_type),
        ("identity", identity),
        ("languageId", Node::Null),
        ("participantId", Node::Null),
        ("region", Node::Null),
    ])
}

fn invitation<'e>(party: &Party<'e>) -> Node<'e> {
    Node::object([
        ("hidden", Node::Null),
        ("identity", identity(party)),
        ("participantId", Node::Null),
        ("removeFromDefaultAudioRoutingGroup", Node::Null),
        ("replacesCallId", Node::Null),
    ])
}

/// An identity, with its type said, since the member is declared with a plainer one.
fn identity<'e>(party: &Party<'e>) -> Node<'e> {
    const TYPE: &str = "@odata.type";
    let members = party.identity.and_then(Node::as_object).unwrap_or_default();
    let ty = Member {
        name: Text::plain(TYPE),
        value: Node::String(Text::plain("#microsoft.graph.communicationsIdentitySet")),
    };
    let rest = members.iter().filter(|member| !member.name.is(TYPE)).cloned();
    Node::Object(std::iter::once(ty).chain(rest).collect())
}

/// How the call ended; null before that.
fn result(leg: &Leg<'_>) -> Node<'static> {
    let reason = leg.any_failure().and_then(|failure| failure.get("reason")?.as_text());
    let (code, message) = match (leg.state, leg.any_failure()) {
        (State::Terminating | State::Terminated, Some(_)) => {
            let reason = reason.map(|reason| reason.value().into_owned()).unwrap_or_default();
            (code(&reason).unwrap_or(FAILED), reason)
        }
        (State::Terminated, None) if leg.ending == Ending::Abandoned => {
            (NO_END, "No event told of the end of the call.".to_owned())
        }
        (State::Terminated, None) => (OK, "The call has ended.".to_owned()),
        _ => return Node::Null,
    };
    Node::object([
        ("code", Node::Number(code.to_string().into())),
        ("message", Node::text(&message)),
        ("subcode", Node::Number("0".into())),
    ])
}

/// The code in front of a reason such as `486 Busy Here`.
fn code(reason: &str) -> Option<u32> {
    let word = reason.split_whitespace().next()?;
    word.parse().ok().filter(|code| (100..700).contains(code))
}
