//! Fills in what a record lacks of the one way to name people from the other (see
//! [`crate::identity`]).

use odata::canonical::Canonicaliser;
use odata::edm::StructuredType;
use odata::json::{Member, Node, Pointer, Text};

use super::Error;
use super::members::{get, get_mut, set, take};
use crate::{flags, generated, identity};

/// Fills in what one side of the identities lacks and takes the participants out.
pub(super) fn derive<'a>(
    members: &mut Vec<Member<'a>>,
    canonicaliser: &mut Canonicaliser,
    found: &mut u32,
) -> Result<Vec<Node<'a>>, Error> {
    let participants = match take(members, "participants_v2") {
        Some(Node::Array(items)) if !items.is_empty() => items,
        _ => {
            let sets = get(members, "participants").and_then(Node::as_array).unwrap_or_default();
            let mut derived = identity::participants_from_sets(sets);
            for item in &mut derived {
                canonicalise(item, &generated::PARTICIPANT, canonicaliser)?;
            }
            if !derived.is_empty() {
                *found |= flags::PARTICIPANTS_V2_DERIVED;
            }
            derived
        }
    };
    if let Some(Node::Array(sets)) = get_mut(members, "participants")
        && sets.is_empty()
        && !participants.is_empty()
    {
        *sets = identity::sets_from_participants(&participants);
        for set in sets {
            canonicalise(set, &generated::IDENTITY_SET, canonicaliser)?;
        }
        *found |= flags::PARTICIPANTS_DERIVED;
    }
    derive_organizer(members, canonicaliser, found)?;
    Ok(participants)
}

fn derive_organizer(
    members: &mut Vec<Member<'_>>,
    canonicaliser: &mut Canonicaliser,
    found: &mut u32,
) -> Result<(), Error> {
    if !members.iter().any(|member| member.name.is("organizer_v2")) {
        members.push(Member { name: Text::plain("organizer_v2"), value: Node::Null });
    }
    let given = |name| get(members, name).filter(|node| !matches!(node, Node::Null));
    match (given("organizer"), given("organizer_v2")) {
        (Some(legacy), None) => {
            if let Some(mut entity) = identity::entity_from_set(legacy) {
                canonicalise(&mut entity, &generated::ORGANIZER, canonicaliser)?;
                set(members, "organizer_v2", entity);
                *found |= flags::ORGANIZER_V2_DERIVED;
            }
        }
        (None, Some(entity)) => {
            if let Some(mut legacy) = identity::set_from_entity(entity) {
                canonicalise(&mut legacy, &generated::IDENTITY_SET, canonicaliser)?;
                set(members, "organizer", legacy);
                *found |= flags::ORGANIZER_DERIVED;
            }
        }
        _ => {}
    }
    Ok(())
}

fn canonicalise(
    node: &mut Node<'_>,
    ty: &'static StructuredType,
    canonicaliser: &mut Canonicaliser,
) -> Result<(), Error> {
    if let Node::Object(members) = node {
        canonicaliser.object(members, ty, &Pointer::Root)?;
    }
    Ok(())
}
