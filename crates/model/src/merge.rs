//! Merges two payloads of one version of a record, unless they disagree.
//!
//! A payload states only what it contains, so a value meets another one only where both records
//! have one. `null`, `""`, `[]` and the stand-in of an enumeration state nothing: services write
//! them for what they don't know. Sessions, segments and participants are matched by id.

mod values;

use std::collections::HashMap;

use odata::json::{Member, Node, Pointer, write_members, write_node};

use crate::flags;
use crate::fragment::{Codec, Corrupt, FragmentKind, Fragments, Item, Pack, RecordFragment};
use crate::generated;
use crate::key::key;
use crate::shred::{ShreddedRecord, shred_own};
use values::{Conflict, merge_members, says_the_same};

/// What came of it.
#[derive(Debug)]
pub enum Merge {
    /// The stored record says it all already.
    Unchanged,
    /// Both together.
    Merged(Box<ShreddedRecord>),
    /// They differ in the value at this JSON Pointer into the incoming record.
    Conflict {
        /// JSON Pointer (RFC 6901).
        pointer: String,
    },
}

/// Why a merge ends early.
enum Stop<E> {
    Failed(E),
    Differs(Conflict),
}

impl<E> From<Conflict> for Stop<E> {
    fn from(conflict: Conflict) -> Self {
        Self::Differs(conflict)
    }
}

/// Puts a stored record and an incoming one of the same id and version together.
pub fn merge<S: Fragments>(
    stored: &mut S,
    incoming: &ShreddedRecord,
    codec: &mut dyn Codec,
) -> Result<Merge, S::Error> {
    let mut parts = Parts::default();
    let outcome = merge_record(stored, incoming, codec, &mut parts)
        .and_then(|()| merge_participants(stored, incoming, codec, &mut parts))
        .and_then(|()| merge_sessions(stored, incoming, codec, &mut parts));
    match outcome {
        Err(Stop::Failed(error)) => return Err(error),
        Err(Stop::Differs(conflict)) => return Ok(Merge::Conflict { pointer: conflict.pointer }),
        Ok(()) if !parts.is_changed => return Ok(Merge::Unchanged),
        Ok(()) => {}
    }
    let text = std::str::from_utf8(&parts.close()).map(str::to_owned).map_err(|_| Corrupt)?;
    // The parts are canonical, so only damage can make the whole of them invalid.
    let merged = shred_own(&text, codec).map_err(|_| Corrupt)?;
    Ok(Merge::Merged(Box::new(merged)))
}

/// The merged record as text, growing.
#[derive(Default)]
struct Parts {
    text: Vec<u8>,
    is_changed: bool,
}

impl Parts {
    fn name(&mut self, name: &str) {
        self.text.push(if self.text.is_empty() { b'{' } else { b',' });
        self.text.push(b'"');
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
    }

    /// An array of objects, and whether more of it is missing.
    fn entities(&mut self, name: &str, items: &[Vec<u8>], is_incomplete: bool) {
        self.name(name);
        self.text.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            self.text.extend_from_slice(item);
        }
        self.text.push(b']');
        if is_incomplete {
            self.name(&format!("{name}@odata.nextLink"));
            self.text.extend_from_slice(b"\"\"");
        }
    }

    fn close(mut self) -> Vec<u8> {
        self.text.push(b'}');
        self.text
    }
}

const DERIVED: [(u32, &str); 3] = [
    (flags::ORGANIZER_DERIVED, "organizer"),
    (flags::PARTICIPANTS_DERIVED, "participants"),
    (flags::ORGANIZER_V2_DERIVED, "organizer_v2"),
];

fn merge_record<S: Fragments>(
    stored: &mut S,
    incoming: &ShreddedRecord,
    codec: &mut dyn Codec,
    parts: &mut Parts,
) -> Result<(), Stop<S::Error>> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    stored.record(&mut old).map_err(Stop::Failed)?;
    codec.decompress(FragmentKind::Record, &incoming.record, &mut new).map_err(damaged)?;
    let old = braced(RecordFragment::members(&old).map_err(damaged)?);
    let new = braced(RecordFragment::members(&new).map_err(damaged)?);
    let mut old = parse_members(&old).map_err(damaged)?;
    let mut new = parse_members(&new).map_err(damaged)?;
    for (bit, name) in DERIVED {
        let made = take_if(&mut old, name, stored.flags() & bit != 0);
        let restated = new.iter().position(|member| member.name.is(name));
        let says_no_more = restated.is_some_and(|at| {
            incoming.flags & bit != 0
                || made.as_ref().is_some_and(|made| says_the_same(made, &new[at].value))
        });
        if let (Some(at), true) = (restated, says_no_more) {
            new.remove(at);
        }
    }
    parts.is_changed |= merge_members(&mut old, new, &generated::CALL_RECORD, &Pointer::Root)?;
    parts.text.push(b'{');
    write_members(&mut parts.text, &old);
    Ok(())
}

/// A collection of entities on both sides of a merge.
struct Side {
    /// Each entity with its braces.
    items: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
    is_incomplete: bool,
}

fn merge_participants<S: Fragments>(
    stored: &mut S,
    incoming: &ShreddedRecord,
    codec: &mut dyn Codec,
    parts: &mut Parts,
) -> Result<(), Stop<S::Error>> {
    let is_made = stored.flags() & flags::PARTICIPANTS_V2_DERIVED != 0;
    let mut old = Side::new(stored.flags() & flags::PARTICIPANTS_INCOMPLETE != 0);
    let mut pack = Vec::new();
    let mut number = 0;
    while stored.participant_pack(number, &mut pack).map_err(Stop::Failed)? {
        old.add(&pack).map_err(damaged)?;
        number += 1;
    }
    let mut new = Side::new(incoming.flags & flags::PARTICIPANTS_INCOMPLETE != 0);
    if incoming.flags & flags::PARTICIPANTS_V2_DERIVED == 0 {
        for packed in &incoming.participant_packs {
            codec.decompress(FragmentKind::Participants, packed, &mut pack).map_err(damaged)?;
            new.add(&pack).map_err(damaged)?;
        }
    }
    if is_made {
        if new.items.is_empty() || !new.is_incomplete && old.says_the_same(&new) {
            return Ok(());
        }
        parts.is_changed = true;
        parts.entities("participants_v2", &new.items, new.is_incomplete);
        return Ok(());
    }
    parts.is_changed |= merge_sides(&mut old, new, "participants_v2", &generated::PARTICIPANT)?;
    if !old.items.is_empty() {
        parts.entities("participants_v2", &old.items, old.is_incomplete);
    }
    Ok(())
}

fn merge_sessions<S: Fragments>(
    stored: &mut S,
    incoming: &ShreddedRecord,
    codec: &mut dyn Codec,
    parts: &mut Parts,
) -> Result<(), Stop<S::Error>> {
    let mut old = Side::new(stored.flags() & flags::SESSIONS_INCOMPLETE != 0);
    let mut pack = Vec::new();
    let mut number = 0;
    while stored.session_pack(number, &mut pack).map_err(Stop::Failed)? {
        old.add(&pack).map_err(damaged)?;
        number += 1;
    }
    let mut new = Side::new(incoming.flags & flags::SESSIONS_INCOMPLETE != 0);
    for packed in &incoming.session_packs {
        codec.decompress(FragmentKind::Sessions, packed, &mut pack).map_err(damaged)?;
        new.add(&pack).map_err(damaged)?;
    }
    parts.is_changed |= merge_sides(&mut old, new, "sessions", &generated::SESSION)?;
    if !old.items.is_empty() || old.is_incomplete {
        parts.entities("sessions", &old.items, old.is_incomplete);
    }
    Ok(())
}

/// Merges `new` into `old` by id; whether that changed anything.
fn merge_sides(
    old: &mut Side,
    new: Side,
    name: &'static str,
    ty: &'static odata::edm::StructuredType,
) -> Result<bool, Conflict> {
    let root = Pointer::Root;
    let all = Pointer::Member(&root, name);
    if new.items.is_empty() {
        return Ok(false);
    }
    if old.items.is_empty() {
        *old = new;
        return Ok(true);
    }
    let mut places: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (index, key) in old.keys.iter().enumerate().rev() {
        places.entry(key.clone()).or_default().push(index);
    }
    let mut is_changed = false;
    let before = old.items.len();
    let mut left = before;
    for (index, (item, key)) in new.items.into_iter().zip(new.keys).enumerate() {
        let at = Pointer::Item(&all, index);
        let Some(place) = places.get_mut(&key).and_then(Vec::pop) else {
            if !old.is_incomplete {
                return Err(Conflict::at(&at));
            }
            old.items.push(item);
            old.keys.push(key);
            is_changed = true;
            continue;
        };
        left -= 1;
        if old.items[place] != item {
            is_changed |= merge_item(&mut old.items[place], &item, ty, &at)?;
        }
    }
    if left > 0 && !new.is_incomplete {
        return Err(Conflict::at(&all));
    }
    // An answer of our own has no link behind a collection that came in cut off, so the lack of
    // one says that it is whole only together with something that was missing.
    if old.items.len() > before {
        old.is_incomplete &= new.is_incomplete;
    }
    Ok(is_changed)
}

fn merge_item(
    old: &mut Vec<u8>,
    new: &[u8],
    ty: &'static odata::edm::StructuredType,
    at: &Pointer<'_>,
) -> Result<bool, Conflict> {
    let mut merged = Vec::new();
    let is_changed = {
        let (Ok(mut stored), Ok(incoming)) = (parse_members(old), parse_members(new)) else {
            return Err(Conflict::at(at));
        };
        let is_changed = merge_members(&mut stored, incoming, ty, at)?;
        write_node(&mut merged, &Node::Object(stored));
        is_changed
    };
    if is_changed {
        *old = merged;
    }
    Ok(is_changed)
}

impl Side {
    fn new(is_incomplete: bool) -> Self {
        Self { items: Vec::new(), keys: Vec::new(), is_incomplete }
    }

    /// Whether `new` states nothing that these entities, which were derived, don't say.
    fn says_the_same(&self, new: &Self) -> bool {
        self.keys == new.keys
            && self.items.iter().zip(&new.items).all(|(made, item)| {
                let (made, item) = (std::str::from_utf8(made), std::str::from_utf8(item));
                let (Ok(made), Ok(item)) = (made, item) else { return false };
                match (Node::parse(made), Node::parse(item)) {
                    (Ok(made), Ok(item)) => says_the_same(&made, &item),
                    _ => false,
                }
            })
    }

    fn add(&mut self, pack: &[u8]) -> Result<(), Corrupt> {
        for item in Pack::read(pack)?.items() {
            let item = item?;
            self.keys.push(key(item.id));
            self.items.push(whole(&item));
        }
        Ok(())
    }
}

/// An item of a pack as one object again.
fn whole(item: &Item<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(item.members.len() + item.inner.len() + 16);
    out.push(b'{');
    out.extend_from_slice(item.members);
    if !item.inner.is_empty() {
        out.extend_from_slice(b",\"segments\":[");
        out.extend_from_slice(item.inner);
        out.push(b']');
    }
    out.push(b'}');
    out
}

fn braced(members: &[u8]) -> Vec<u8> {
    [b"{", members, b"}"].concat()
}

fn parse_members(object: &[u8]) -> Result<Vec<Member<'_>>, Corrupt> {
    let text = std::str::from_utf8(object).map_err(|_| Corrupt)?;
    match Node::parse(text) {
        Ok(Node::Object(members)) => Ok(members),
        _ => Err(Corrupt),
    }
}

fn take_if<'a>(members: &mut Vec<Member<'a>>, name: &str, condition: bool) -> Option<Node<'a>> {
    let at = members.iter().position(|member| condition && member.name.is(name))?;
    Some(members.remove(at).value)
}

fn damaged<E: From<Corrupt>>(corrupt: Corrupt) -> Stop<E> {
    Stop::Failed(corrupt.into())
}
