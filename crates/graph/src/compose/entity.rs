//! Entities inside a record, as text: where they come from, and how one is found.

use model::fragment::{PARTICIPANTS_PER_PACK, Pack, RecordFragment, SESSIONS_PER_PACK};
use model::generated;
use model::rows::{QUALITY, without_quality};
use odata::edm::StructuredType;
use odata::eval::HeapSize;
use odata::json::{Node, write_members, write_node};
use quality::member;
use quality::profile::standard;
use store::{Reader, StoredRecord};
use web::Problem;

use crate::kept_json::parse;
use crate::paging::{MOST_PARTICIPANTS, MOST_SESSIONS};
use crate::record;

/// An entity as text.
#[derive(Debug, Clone, Default)]
pub(super) struct Entity {
    pub(super) id: String,
    /// Members without braces, without navigation properties.
    pub(super) members: Vec<u8>,
    /// Of a session, its segments without brackets.
    pub(super) segments: Vec<u8>,
    /// Where it was judged, the member with the verdict and a comma before it.
    pub(super) quality: Vec<u8>,
}

impl HeapSize for Entity {
    fn heap_size(&self) -> usize {
        self.id.len() + self.members.len() + self.segments.len() + self.quality.len()
    }
}

/// Where the entities of an expanded property come from.
pub(super) enum Source<'a> {
    /// With verdicts if a condition or an order asks for them.
    Sessions(&'a mut Reader, &'a StoredRecord, bool),
    Participants(&'a mut Reader, &'a StoredRecord),
    /// Text of segments, without brackets.
    Segments(&'a [u8]),
}

impl Entity {
    /// As JSON text, with the segments if there are any.
    pub(super) fn text(&self) -> String {
        let mut text = vec![b'{'];
        text.extend_from_slice(&self.members);
        text.extend_from_slice(&self.quality);
        if !self.segments.is_empty() {
            text.extend_from_slice(b",\"segments\":[");
            text.extend_from_slice(&self.segments);
            text.push(b']');
        }
        text.push(b'}');
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The member with the verdict on a session, and a comma before it.
    pub(super) fn judged(&self) -> Result<Vec<u8>, Problem> {
        let text = self.text();
        Ok(quality_member(&member::of_session(&parse(&text)?, standard())))
    }
}

/// The member with a verdict, and a comma before it.
pub(super) fn quality_member(verdict: &Node<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    member::push(&mut out, verdict);
    out
}

impl Source<'_> {
    pub(super) fn ty(&self) -> &'static StructuredType {
        match self {
            Self::Sessions(..) => &generated::SESSION,
            Self::Participants(..) => &generated::PARTICIPANT,
            Self::Segments(_) => &generated::SEGMENT,
        }
    }

    /// Entities that an answer holds at most; segments are never paged, as Graph does.
    pub(super) fn most(&self) -> usize {
        match self {
            Self::Sessions(..) => MOST_SESSIONS,
            Self::Participants(..) => MOST_PARTICIPANTS,
            Self::Segments(_) => usize::MAX,
        }
    }

    /// Gives each entity to `take`, until that says that it has enough. Returns whether it said so.
    pub(super) fn each(
        &mut self,
        mut take: impl FnMut(Entity) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let mut pack = Vec::new();
        match self {
            Self::Sessions(reader, row, is_judged) => {
                let is_judged = *is_judged;
                let mut take = |mut entity: Entity| {
                    if is_judged {
                        entity.quality = entity.judged()?;
                    }
                    take(entity)
                };
                for number in 0..(row.session_count as usize).div_ceil(SESSIONS_PER_PACK) {
                    if !reader.session_pack(row.record_key, number, &mut pack)?
                        || !each_of_pack(&pack, &mut take)?
                    {
                        break;
                    }
                }
            }
            Self::Participants(reader, row) => {
                for number in 0..(row.participant_count as usize).div_ceil(PARTICIPANTS_PER_PACK) {
                    if !reader.participant_pack(row.record_key, number, &mut pack)?
                        || !each_of_pack(&pack, &mut take)?
                    {
                        break;
                    }
                }
            }
            Self::Segments(text) => {
                let text = format!("[{}]", String::from_utf8_lossy(text));
                for node in parse(&text)?.as_array().unwrap_or_default() {
                    if !take(entity_of(node))? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

fn each_of_pack(
    pack: &[u8],
    take: &mut impl FnMut(Entity) -> Result<bool, Problem>,
) -> Result<bool, Problem> {
    for item in Pack::read(pack).map_err(Problem::damaged)?.items() {
        let item = item.map_err(Problem::damaged)?;
        let entity = Entity {
            id: item.id.to_owned(),
            members: without_quality(item.members).map_err(Problem::damaged)?.into_owned(),
            segments: item.inner.to_vec(),
            quality: Vec::new(),
        };
        if !take(entity)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An entity from its JSON, segments and verdict apart.
pub(super) fn entity_of(node: &Node<'_>) -> Entity {
    let mut entity = Entity::default();
    let Node::Object(members) = node else { return entity };
    if let Some(id) = node.get("id").and_then(Node::as_text) {
        entity.id = id.value().into_owned();
    }
    let is_apart =
        |name: &str| name == "segments" || name.starts_with("segments@") || name == QUALITY;
    let own: Vec<_> =
        members.iter().filter(|member| !is_apart(member.name.raw())).cloned().collect();
    write_members(&mut entity.members, &own);
    if let Some(verdict) = node.get(QUALITY) {
        entity.quality = quality_member(verdict);
    }
    if let Some(Node::Array(segments)) = node.get("segments") {
        for (index, segment) in segments.iter().enumerate() {
            if index > 0 {
                entity.segments.push(b',');
            }
            write_node(&mut entity.segments, segment);
        }
    }
    entity
}

/// A record's own members as JSON.
pub(super) fn record_text(row: &StoredRecord) -> Result<String, Problem> {
    let members = RecordFragment::members(&row.fragment).map_err(Problem::damaged)?;
    let members = without_quality(members).map_err(Problem::damaged)?;
    Ok(format!("{{{}}}", String::from_utf8_lossy(&members)))
}

/// A record with all that is inside, as JSON; with verdicts if a condition asks for them.
pub(super) fn whole_record(
    reader: &mut Reader,
    row: &StoredRecord,
    is_judged: bool,
) -> Result<String, Problem> {
    let mut text = record_text(row)?;
    text.pop();
    if is_judged {
        let verdict = quality_member(&reader.verdict(row)?);
        text.push_str(&String::from_utf8_lossy(&verdict));
    }
    push_array(&mut text, "participants_v2", &mut Source::Participants(&mut *reader, row))?;
    push_array(&mut text, "sessions", &mut Source::Sessions(reader, row, is_judged))?;
    text.push('}');
    Ok(text)
}

fn push_array(text: &mut String, name: &str, source: &mut Source<'_>) -> Result<(), Problem> {
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":[");
    let mut is_first = true;
    source.each(|entity| {
        if !std::mem::take(&mut is_first) {
            text.push(',');
        }
        text.push_str(&entity.text());
        Ok(true)
    })?;
    text.push(']');
    Ok(())
}

/// The session with that id, by the index of sessions.
pub(super) fn find_session(
    reader: &mut Reader,
    row: &StoredRecord,
    id: &str,
) -> Result<Entity, Problem> {
    let ordinal = reader
        .session_ordinal(row.record_key, &model::key(id))?
        .and_then(|ordinal| usize::try_from(ordinal).ok())
        .ok_or_else(record::not_found)?;
    let mut pack = Vec::new();
    if !reader.session_pack(row.record_key, ordinal / SESSIONS_PER_PACK, &mut pack)? {
        return Err(record::not_found());
    }
    let mut found = None;
    let mut index = 0;
    each_of_pack(&pack, &mut |entity| {
        if index == ordinal % SESSIONS_PER_PACK {
            found = Some(entity);
        }
        index += 1;
        Ok(found.is_none())
    })?;
    found.ok_or_else(record::not_found)
}

/// The entity with that id; where it stands twice, the first.
pub(super) fn find_in(source: &mut Source<'_>, id: &str) -> Result<Entity, Problem> {
    let wanted = model::key(id);
    let mut found = None;
    source.each(|entity| {
        if model::key(&entity.id) == wanted {
            found = Some(entity);
        }
        Ok(found.is_none())
    })?;
    found.ok_or_else(record::not_found)
}
