//! One entity with what is computed and expanded of it.

use std::borrow::Cow;

use model::assemble::{push_annotation, push_record};
use model::fragment::RecordFragment;
use model::generated;
use model::rows::QUALITY;
use odata::bound::{ExpandItem, ExpandKind, Query};
use odata::context;
use odata::edm::{StructuredType, Type};
use odata::eval::Selection;
use odata::json::write_members;
use odata::key;
use store::{Reader, StoredRecord};
use web::Problem;

use super::entity::{
    Entity, Source, entity_of, find_in, find_session, quality_member, record_text, whole_record,
};
use super::narrowing::{choosing, narrow};
use super::selection::{choose, computed, load, not_computed};
use super::{Answer, Base, Composer, Question, Tail};
use crate::kept_json::parse;
use crate::paging::Page;
use crate::record::record_path;
use crate::scope::Content;

/// What stands around an expanded property.
#[derive(Clone, Copy)]
struct Surroundings<'a> {
    /// Path of the entity, as contexts write it.
    context: &'a str,
    /// Path of the entity, as addresses write it; `None` where nothing is paged.
    address: Option<&'a str>,
    /// The version of the record.
    version: i64,
    /// Text of the entity that the answer is of.
    outermost: Option<&'a str>,
}

/// What an entity is, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct EntityPlace<'a> {
    pub(super) ty: &'static StructuredType,
    /// Its path, as contexts write it.
    pub(super) path: &'a str,
    /// The version of the record.
    pub(super) version: i64,
    /// Text of the entity that the answer is of, if that is another.
    pub(super) outermost: Option<&'a str>,
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
                let row = self.scope.find(reader, record)?;
                self.push_record(reader, &row, query, &mut out)?;
                (&generated::CALL_RECORD, record_path(&row))
            }
            base => {
                let Some((entity, ty, version)) = self.entity(reader, base)? else {
                    return Ok(Answer::Nothing);
                };
                let path = context::entity(&question.resource, &entity.id);
                let place = EntityPlace { ty, path: &path, version, outermost: None };
                self.push_members(&entity, query, place, &mut out)?;
                (ty, path)
            }
        };
        out.push(b'}');
        let ty = Type::Structured(ty);
        let content = Content { ty, is_collection: false, path: &path, has_unsettled_enum: true };
        self.finish(out, question, &content)
    }

    fn single_ref(&self, reader: &mut Reader, question: &Question) -> Result<Answer, Problem> {
        let id = match &question.target.base {
            Base::Record(record) => self.scope.find(reader, record)?.id,
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
                let row = self.scope.find(reader, record)?;
                let text = record_text(&row)?;
                let node = parse(&text)?;
                let organizer = node.get("organizer_v2").filter(|node| node.as_object().is_some());
                Ok(organizer.map(|node| (entity_of(node), &generated::ORGANIZER, row.version)))
            }
            Base::Participant(record, id) => {
                let row = self.scope.find(reader, record)?;
                let found = find_in(&mut Source::Participants(reader, &row), id)?;
                Ok(Some((found, &generated::PARTICIPANT, row.version)))
            }
            Base::Session(record, id) => {
                let row = self.scope.find(reader, record)?;
                let found = find_session(reader, &row, id)?;
                Ok(Some((found, &generated::SESSION, row.version)))
            }
            Base::Segment(record, session, id) => {
                let row = self.scope.find(reader, record)?;
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
        if query.compute.is_empty() && choosing(query).is_none() && !shows_quality(query) {
            push_record(out, &self.scope.metadata, &path, &row.fragment)
                .map_err(Problem::damaged)?;
        } else {
            let fragment = self.changed(reader, row, query)?;
            push_record(out, &self.scope.metadata, &path, &fragment).map_err(Problem::damaged)?;
        }
        if !query.compute.is_empty() {
            let text = whole_record(reader, row, query.uses_member(QUALITY))?;
            let ty = Type::Structured(&generated::CALL_RECORD);
            let meter = &self.budget.meter;
            out.extend_from_slice(&computed(&query.compute, load(&text, meter)?, ty, meter)?);
        }
        if shows_quality(query) {
            out.extend_from_slice(&quality_member(&reader.verdict(row)?));
        }
        if query.expand.is_empty() {
            return Ok(());
        }
        let address = format!("communications/callRecords{}", key::in_path(&row.id));
        // Only conditions that begin at the outermost entity need its text.
        let needs_text = query.expand.iter().any(|item| item.query.uses_outermost());
        let is_judged = query.uses_member(QUALITY);
        let text = if needs_text { Some(whole_record(reader, row, is_judged)?) } else { None };
        let around = Surroundings {
            context: &path,
            address: Some(&address),
            version: row.version,
            outermost: text.as_deref(),
        };
        for item in &query.expand {
            let source = match item.property.name {
                "sessions" => Source::Sessions(reader, row, item.query.uses_member(QUALITY)),
                "participants_v2" => Source::Participants(reader, row),
                // The organizer is there without being asked for.
                _ => continue,
            };
            self.push_expansion(source, item, around, out)?;
        }
        Ok(())
    }

    /// Appends the members of an entity inside a record, what is computed and what is expanded, without
    /// braces.
    pub(super) fn push_members(
        &self,
        entity: &Entity,
        query: &Query,
        place: EntityPlace<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let EntityPlace { ty, path, version, outermost } = place;
        let entity = &*with_verdict(entity, ty, query)?;
        let text = entity.text();
        let meter = &self.budget.meter;
        if query.compute.is_empty() && choosing(query).is_none() {
            out.extend_from_slice(&entity.members);
        } else {
            let own = Entity { members: entity.members.clone(), ..Entity::default() }.text();
            let own = parse(&own)?;
            let mut own = not_computed(own.as_object().unwrap_or_default(), &query.compute);
            if let Some(select) = choosing(query) {
                let around = load(outermost.unwrap_or(&text), meter)?;
                narrow(&mut own, ty, select, (&around, meter))?;
            }
            write_members(out, &own);
        }
        if !query.compute.is_empty() {
            let ty = Type::Structured(ty);
            out.extend_from_slice(&computed(&query.compute, load(&text, meter)?, ty, meter)?);
        }
        if shows_quality(query) {
            out.extend_from_slice(&entity.quality);
        }
        let outermost = Some(outermost.unwrap_or(&text));
        let around = Surroundings { context: path, address: None, version, outermost };
        for item in query.expand.iter().filter(|item| item.property.name == "segments") {
            self.push_expansion(Source::Segments(&entity.segments), item, around, out)?;
        }
        Ok(())
    }

    /// A record fragment without the members that computed ones replace, and without the items of
    /// collections that are not chosen.
    fn changed(
        &self,
        reader: &mut Reader,
        row: &StoredRecord,
        query: &Query,
    ) -> Result<Vec<u8>, Problem> {
        let text = record_text(row)?;
        let record = parse(&text)?;
        let mut members = not_computed(record.as_object().unwrap_or_default(), &query.compute);
        if let Some(select) = choosing(query) {
            let whole = whole_record(reader, row, query.uses_member(QUALITY))?;
            let meter = &self.budget.meter;
            let around = load(&whole, meter)?;
            narrow(&mut members, &generated::CALL_RECORD, select, (&around, meter))?;
        }
        Ok(RecordFragment::of(&members))
    }

    fn push_expansion(
        &self,
        mut source: Source<'_>,
        item: &ExpandItem,
        around: Surroundings<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let (name, ty) = (item.property.name, source.ty());
        let page = Page::first(&item.query, source.most(), self.scope.max_page_size);
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
            push_annotation(
                out,
                &format!("{name}@odata.context"),
                &[&self.scope.metadata, &context],
            );
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
                let (version, outermost) = (around.version, around.outermost);
                let place = EntityPlace { ty, path: &path, version, outermost };
                // ComputedMember members are in the entity already.
                let query = Query { compute: Vec::new(), ..(*item.query).clone() };
                self.push_members(entity, &query, place, out)?;
            }
            out.push(b'}');
        }
        out.push(b']');
        if let (true, Some(address)) = (has_more, around.address) {
            let after = (items.len() as u64).to_le_bytes().to_vec();
            if let Some(next) = page.next(items.len(), after, Some(around.version)) {
                let resource = format!("{address}/{name}");
                let link = self.scope.link(&next, &resource, &item.query);
                out.push(b',');
                push_annotation(out, &format!("{name}@odata.nextLink"), &[&link]);
            }
        }
        Ok(())
    }
}

/// A session, judged if the query asks for the verdict.
fn with_verdict<'e>(
    entity: &'e Entity,
    ty: &'static StructuredType,
    query: &Query,
) -> Result<Cow<'e, Entity>, Problem> {
    let is_due = std::ptr::eq(ty, &raw const generated::SESSION)
        && entity.quality.is_empty()
        && query.uses_member(QUALITY);
    if !is_due {
        return Ok(Cow::Borrowed(entity));
    }
    Ok(Cow::Owned(Entity { quality: entity.judged()?, ..entity.clone() }))
}

/// Whether the verdict is shown, which is so only where it is selected by its name.
fn shows_quality(query: &Query) -> bool {
    query.select.as_ref().is_some_and(|select| select.find(QUALITY).is_some())
}

/// Appends the address of an entity, as `$ref` shows it.
pub(super) fn push_reference(out: &mut Vec<u8>, path: &str) {
    push_annotation(out, "@odata.id", &[path]);
}

/// The path of an entity of a collection, as contexts write it.
pub(super) fn entity_path(collection: &str, id: &str) -> String {
    format!("{collection}{}", key::in_parentheses(id))
}
