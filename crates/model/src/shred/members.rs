//! Members of an object by their names.

use odata::json::{Member, Node};
use odata::primitive::DateTimeOffset;

/// The value of a member.
pub(super) fn get<'n, 'a>(members: &'n [Member<'a>], name: &str) -> Option<&'n Node<'a>> {
    members.iter().find(|member| member.name.is(name)).map(|member| &member.value)
}

/// The value of a member, to be changed.
pub(super) fn get_mut<'n, 'a>(
    members: &'n mut [Member<'a>],
    name: &str,
) -> Option<&'n mut Node<'a>> {
    members.iter_mut().find(|member| member.name.is(name)).map(|member| &mut member.value)
}

/// Replaces the value of a member that is there.
pub(super) fn set<'a>(members: &mut [Member<'a>], name: &str, value: Node<'a>) {
    if let Some(slot) = get_mut(members, name) {
        *slot = value;
    }
}

/// Removes a member.
pub(super) fn take<'a>(members: &mut Vec<Member<'a>>, name: &str) -> Option<Node<'a>> {
    let index = members.iter().position(|member| member.name.is(name))?;
    Some(members.remove(index).value)
}

/// The ticks of an instant.
pub(super) fn instant(members: &[Member<'_>], name: &str) -> Option<i64> {
    match get(members, name)? {
        Node::String(text) => DateTimeOffset::parse(text.raw()).map(|instant| instant.0),
        _ => None,
    }
}

/// A whole number.
pub(super) fn integer(members: &[Member<'_>], name: &str) -> Option<i64> {
    match get(members, name)? {
        Node::Number(digits) => digits.parse().ok(),
        _ => None,
    }
}
