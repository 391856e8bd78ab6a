//! One entity with what is computed and expanded of it.

use model::assemble::{push_annotation, push_record};
use model::fragment::{PARTICIPANTS_PER_PACK, Pack, RecordFragment, SESSIONS_PER_PACK};
use model::generated;
use odata::bound::{ComputedMember, ExpandItem, ExpandKind, Query};
use odata::context;
use odata::edm::{StructuredType, Type};
use odata::eval::{HeapSize, Selection};
use odata::json::{Node, write_members, write_node};
use odata::key;
use store::{Reader, StoredRecord};

use super::super::ask::damaged;
use super::super::call_records::record_path;
use super::super::paging::{MOST_PARTICIPANTS, MOST_SESSIONS, Page};
use super::selection::{choose, computed, load, not_computed};
use super::{Answer, Base, Composer, Question, Tail};
use crate::problem::Problem;

/// An entity as text.
#[derive(Debug, Clone, Default)]
pub(super) struct Entity {
    pub(super) id: String,
    /// Members without braces, without navigation properties.
    pub(super) members: Vec<u8>,
    /// Of a session, its segments without brackets.
    pub(super) segments: Vec<u8>,
}

impl HeapSize for Entity {
    fn heap_size(&self) -> usize {
        self.id.len() + self.members.len() + self.segments.len()
    }
}

/// Where the entities of an expanded property come from.
pub(super) enum Source<'a> {
    Sessions(&'a mut Reader, &'a StoredRecord),
    Participants(&'a mut Reader, &'a StoredRecord),
    /// Text of segments, without brackets.
    Segments(&'a [u8]),
}

impl Entity {
    /// As JSON text, with the segments if there are any.
    pub(super) fn text(&self) -> String {
        let mut text = vec![b'{'];
        text.extend_from_slice(&self.members);
        if !self.segments.is_empty() {
            text.extend_from_slice(b",\"segments\":[");
            text.extend_from_slice(&self.segments);
            text.push(b']');
        }
        text.push(b'}');
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Source<'_> {
    fn ty(&self) -> &'static StructuredType {
        match self {
            Self::Sessions(..) => &generated::SESSION,
            Self::Participants(..) => &generated::PARTICIPANT,
            Self::Segments(_) => &generated::SEGMENT,
        }
    }

    /// Entities that an answer holds at most; segments are never paged, as Graph does.
    fn most(&self) -> usize {
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
            Self::Sessions(reader, row) => {
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
    for item in Pack::read(pack).map_err(damaged)?.items() {
        let item = item.map_err(damaged)?;
        let entity = Entity {
            id: item.id.to_owned(),
            members: item.members.to_vec(),
            segments: item.inner.to_vec(),
        };
        if !take(entity)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An entity from its JSON, segments apart.
pub(super) fn entity_of(node: &Node<'_>) -> Entity {
    let mut entity = Entity::default();
    let Node::Object(members) = node else { return entity };
    if let Some(id) = node.get("id").and_then(Node::as_text) {
        entity.id = id.value().into_owned();
    }
    let is_segments = |name: &str| name == "segments" || name.starts_with("segments@");
    let own: Vec<_> =
        members.iter().filter(|member| !is_segments(member.name.raw())).cloned().collect();
    write_members(&mut entity.members, &own);
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

pub(super) fn parse(text: &str) -> Result<Node<'_>, Problem> {
    Node::parse(text).map_err(Problem::damaged)
}

/// What stands around an expanded property.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// Path of the entity, as contexts write it.
    context: &'a str,
    /// Path of the entity, as addresses write it; `None` where nothing is paged.
    address: Option<&'a str>,
    /// The version of the record.
    version: i64,
    /// Text of the entity that the answer is of.
    outermost: Option<&'a str>,
}

impl Composer {
    /// A single entity: a record, an organizer, a participant, a session, a segment.
    pub(super) fn single(
        &self,
        reader: &mut Reader,
        question: &Question,
    ) -> Result<Answer, Problem> {
        let query = &question.query;
        if question.target.tail == Tail::Ref {
            return self.single_ref(reader, question);
        }
        let mut out = self.open(question, 4096);
        out.push(b',');
        let (ty, path) = match &question.target.base {
            Base::Record(record) => {
                let row = self.find(reader, record)?;
                self.push_record(reader, &row, query, &mut out)?;
                (&generated::CALL_RECORD, record_path(&row))
            }
            base => {
                let Some((entity, ty, version)) = self.entity(reader, base)? else {
                    return Ok(Answer::Nothing);
                };
                let path = context::entity(&question.resource, &entity.id);
                self.push_members(&entity, ty, query, (&path, version), None, &mut out)?;
                (ty, path)
            }
        };
        out.push(b'}');
        self.finish(out, question, ty, false, &path)
    }

    fn single_ref(&self, reader: &mut Reader, question: &Question) -> Result<Answer, Problem> {
        let id = match &question.target.base {
            Base::Record(record) => self.find(reader, record)?.id,
            base => match self.entity(reader, base)? {
                Some((entity, ..)) => entity.id,
                None => return Ok(Answer::Nothing),
            },
        };
        let path = context::entity(&question.resource, &id);
        let mut out = self.open(question, 256);
        out.push(b',');
        push_reference(&mut out, &path);
        out.push(b'}');
        Ok(Answer::Json(out))
    }

    /// An entity inside a record, with its type and the record's version; `None` for an organizer
    /// that the record does not name, 404 for anything else that is not there.
    pub(super) fn entity(
        &self,
        reader: &mut Reader,
        base: &Base,
    ) -> Result<Option<(Entity, &'static StructuredType, i64)>, Problem> {
        match base {
            Base::Organizer(record) => {
                let row = self.find(reader, record)?;
                let text = record_text(&row)?;
                let node = parse(&text)?;
                let organizer = node.get("organizer_v2").filter(|node| node.as_object().is_some());
                Ok(organizer.map(|node| (entity_of(node), &generated::ORGANIZER, row.version)))
            }
            Base::Participant(record, id) => {
                let row = self.find(reader, record)?;
                let found = find_in(&mut Source::Participants(reader, &row), id)?;
                Ok(Some((found, &generated::PARTICIPANT, row.version)))
            }
            Base::Session(record, id) => {
                let row = self.find(reader, record)?;
                let found = find_session(reader, &row, id)?;
                Ok(Some((found, &generated::SESSION, row.version)))
            }
            Base::Segment(record, session, id) => {
                let row = self.find(reader, record)?;
                let session = find_session(reader, &row, session)?;
                let found = find_in(&mut Source::Segments(&session.segments), id)?;
                Ok(Some((found, &generated::SEGMENT, row.version)))
            }
            _ => Err(Problem::no_such_route()),
        }
    }

    /// Appends a record's members, what is computed and what is expanded, without braces.
    pub(super) fn push_record(
        &self,
        reader: &mut Reader,
        row: &StoredRecord,
        query: &Query,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let path = record_path(row);
        if query.compute.is_empty() {
            push_record(out, &self.metadata, &path, &row.fragment).map_err(damaged)?;
        } else {
            let fragment = without_computed(row, &query.compute)?;
            push_record(out, &self.metadata, &path, &fragment).map_err(damaged)?;
            let text = whole_record(reader, row)?;
            let ty = Type::Structured(&generated::CALL_RECORD);
            let meter = &self.budget.meter;
            out.extend_from_slice(&computed(&query.compute, load(&text, meter)?, ty, meter)?);
        }
        if query.expand.is_empty() {
            return Ok(());
        }
        let address = format!("communications/callRecords{}", key::in_path(&row.id));
        // Only conditions that begin at the outermost entity need its text.
        let needs_text = query.expand.iter().any(|item| item.query.uses_outermost());
        let text = if needs_text { Some(whole_record(reader, row)?) } else { None };
        let around = Around {
            context: &path,
            address: Some(&address),
            version: row.version,
            outermost: text.as_deref(),
        };
        for item in &query.expand {
            let source = match item.property.name {
                "sessions" => Source::Sessions(reader, row),
                "participants_v2" => Source::Participants(reader, row),
                // The organizer is there without being asked for.
                _ => continue,
            };
            self.push_expansion(source, item, around, out)?;
        }
        Ok(())
    }

    /// The same of an entity inside a record.
    pub(super) fn push_members(
        &self,
        entity: &Entity,
        ty: &'static StructuredType,
        query: &Query,
        (path, version): (&str, i64),
        outermost: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        if query.compute.is_empty() {
            out.extend_from_slice(&entity.members);
        } else {
            let own = Entity { members: entity.members.clone(), ..Entity::default() }.text();
            let own = parse(&own)?;
            let own = not_computed(own.as_object().unwrap_or_default(), &query.compute);
            write_members(out, &own);
            let text = entity.text();
            let (ty, meter) = (Type::Structured(ty), &self.budget.meter);
            out.extend_from_slice(&computed(&query.compute, load(&text, meter)?, ty, meter)?);
        }
        let text = entity.text();
        let outermost = Some(outermost.unwrap_or(&text));
        let around = Around { context: path, address: None, version, outermost };
        for item in query.expand.iter().filter(|item| item.property.name == "segments") {
            self.push_expansion(Source::Segments(&entity.segments), item, around, out)?;
        }
        Ok(())
    }

    fn push_expansion(
        &self,
        mut source: Source<'_>,
        item: &ExpandItem,
        around: Around<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let (name, ty) = (item.property.name, source.ty());
        let page = Page::first(&item.query, source.most(), self.max_page_size);
        let is_count = item.kind == ExpandKind::Count;
        let query = Query { count: item.query.count || is_count, ..(*item.query).clone() };
        let outermost = around.outermost.filter(|_| item.query.uses_outermost());
        let size = match outermost {
            _ if is_count => 0,
            // A link would begin at the collection itself, where `$it` is something else.
            Some(_) => usize::MAX,
            None => page.size,
        };
        let Selection { items, count, has_more } = choose(
            &mut source,
            &query,
            Type::Structured(ty),
            (0, size),
            (outermost, &self.budget.meter),
        )?;
        let path = format!("{}/{name}", around.context);
        if item.kind != ExpandKind::Count {
            let context = match item.kind {
                ExpandKind::Refs => "Collection($ref)".to_owned(),
                _ => context::nested(around.context, item.property, &item.query),
            };
            out.push(b',');
            push_annotation(out, &format!("{name}@odata.context"), &[&self.metadata, &context]);
        }
        if let Some(total) = count {
            out.extend_from_slice(format!(",\"{name}@odata.count\":{total}").as_bytes());
        }
        if item.kind == ExpandKind::Count {
            return Ok(());
        }
        out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
        for (index, entity) in items.iter().enumerate() {
            out.extend_from_slice(if index > 0 { b",{" } else { b"{" });
            let path = entity_path(&path, &entity.id);
            if item.kind == ExpandKind::Refs {
                push_reference(out, &path);
            } else {
                let place = (path.as_str(), around.version);
                // Computed members are in the entity already.
                let query = Query { compute: Vec::new(), ..(*item.query).clone() };
                self.push_members(entity, ty, &query, place, around.outermost, out)?;
            }
            out.push(b'}');
        }
        out.push(b']');
        if let (true, Some(address)) = (has_more, around.address) {
            let after = (items.len() as u64).to_le_bytes().to_vec();
            if let Some(next) = page.next(items.len(), after, Some(around.version)) {
                let resource = format!("{address}/{name}");
                let asked = self.asked(&resource);
                let link = next.link(&self.root, &self.keys, asked, &item.query);
                out.push(b',');
                push_annotation(out, &format!("{name}@odata.nextLink"), &[&link]);
            }
        }
        Ok(())
    }
}

/// A record fragment without the members that computed ones replace.
fn without_computed(row: &StoredRecord, compute: &[ComputedMember]) -> Result<Vec<u8>, Problem> {
    let text = record_text(row)?;
    let record = parse(&text)?;
    let members = not_computed(record.as_object().unwrap_or_default(), compute);
    Ok(RecordFragment::of(&members))
}

/// A record's own members as JSON.
pub(super) fn record_text(row: &StoredRecord) -> Result<String, Problem> {
    let members = RecordFragment::members(&row.fragment).map_err(damaged)?;
    Ok(format!("{{{}}}", String::from_utf8_lossy(members)))
}

/// A record with all that is inside, as JSON.
pub(super) fn whole_record(reader: &mut Reader, row: &StoredRecord) -> Result<String, Problem> {
    let mut text = record_text(row)?;
    text.pop();
    push_array(&mut text, "participants_v2", &mut Source::Participants(&mut *reader, row))?;
    push_array(&mut text, "sessions", &mut Source::Sessions(reader, row))?;
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
fn find_session(reader: &mut Reader, row: &StoredRecord, id: &str) -> Result<Entity, Problem> {
    let ordinal = reader
        .session_ordinal(row.record_key, &model::key(id))?
        .and_then(|ordinal| usize::try_from(ordinal).ok())
        .ok_or_else(Problem::not_found)?;
    let mut pack = Vec::new();
    if !reader.session_pack(row.record_key, ordinal / SESSIONS_PER_PACK, &mut pack)? {
        return Err(Problem::not_found());
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
    found.ok_or_else(Problem::not_found)
}

/// The entity with that id; where it stands twice, the first.
fn find_in(source: &mut Source<'_>, id: &str) -> Result<Entity, Problem> {
    let wanted = model::key(id);
    let mut found = None;
    source.each(|entity| {
        if model::key(&entity.id) == wanted {
            found = Some(entity);
        }
        Ok(found.is_none())
    })?;
    found.ok_or_else(Problem::not_found)
}

/// Appends the address of an entity, as `$ref` shows it.
pub(super) fn push_reference(out: &mut Vec<u8>, path: &str) {
    push_annotation(out, "@odata.id", &[path]);
}

/// The path of an entity of a collection, as contexts write it.
pub(super) fn entity_path(collection: &str, id: &str) -> String {
    format!("{collection}{}", key::in_parentheses(id))
}
