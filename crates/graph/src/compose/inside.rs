//! Collections inside a record: sessions, segments, participants, and the versions of it.

use std::borrow::Cow;

use model::generated;
use model::rows::QUALITY;
use model::search::Finder;
use odata::bound::Query;
use odata::edm::{StructuredType, Type};
use odata::eval::{Pager, Selection, Sieve, Window};
use odata::json::{Member, Node, Text};
use odata::primitive::DateTimeOffset;
use store::{Reader, StoredRecord};
use web::Problem;

use super::entity::{Entity, Source, whole_record};
use super::expansion::{EntityPlace, entity_path, push_reference};
use super::selection::{applied, choose, exhausted, load};
use super::{Answer, Base, Composer, Question, Tail};
use crate::kept_json::parse;
use crate::paging::{MOST_PARTICIPANTS, MOST_SESSIONS, Page, PageLimit};
use crate::record::record_path;
use crate::target::RecordRef;

/// The items that an answer shows, and what it says of the whole.
struct CollectionPage {
    entities: Vec<Entity>,
    total: Option<u64>,
    has_more: bool,
    ty: &'static StructuredType,
    /// Path of the collection, as contexts write it.
    path: String,
    /// The record's version; links go on reading it.
    version: Option<i64>,
}

impl Composer {
    /// A collection inside a record, the number of its items, or their addresses.
    pub(super) fn inside(
        &self,
        reader: &mut Reader,
        question: &Question,
        query: &Query,
    ) -> Result<Answer, Problem> {
        let limit = match question.target.base {
            _ if query.apply.is_some() => PageLimit::up_to(self.limits.page),
            Base::Participants(_) => MOST_PARTICIPANTS.into(),
            _ => MOST_SESSIONS.into(),
        };
        let page = self.page(question, limit)?;
        if let Base::Versions(id) = &question.target.base {
            return self.versions(reader, question, query, id, &page);
        }
        if query.apply.is_some() && question.target.tail != Tail::Ref {
            let objects = self.with_source(reader, question, &page, |source, ty, _, _| {
                let limits = (self.limits.groups, &self.budget.meter);
                applied(query, Type::Structured(ty), limits, |take| {
                    source.each(|entity| Ok(take(parse(&entity.text())?)?.is_continue()))
                })
            })?;
            return self.objects(question, &objects, &page);
        }
        let shown = self.select(reader, question, query, &page)?;
        match question.target.tail {
            Tail::Count => Ok(Answer::Text(shown.total.unwrap_or_default().to_string())),
            _ => self.list(question, &page, &shown),
        }
    }

    fn select(
        &self,
        reader: &mut Reader,
        question: &Question,
        query: &Query,
        page: &Page,
    ) -> Result<CollectionPage, Problem> {
        let is_count = question.target.tail == Tail::Count;
        let query = Query { count: is_count || query.count, ..query.clone() };
        let size = if is_count { 0 } else { page.size };
        self.with_source(reader, question, page, |source, ty, path, version| {
            let place = (page.start(), size);
            let Selection { items, count, has_more } =
                choose(source, &query, Type::Structured(ty), place, (None, &self.budget.meter))?;
            Ok(CollectionPage {
                entities: items,
                total: count,
                has_more,
                ty,
                path,
                version: Some(version),
            })
        })
    }

    /// Opens the collection that is addressed.
    fn with_source<T>(
        &self,
        reader: &mut Reader,
        question: &Question,
        page: &Page,
        read: impl FnOnce(&mut Source<'_>, &'static StructuredType, String, i64) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let record = record_of(&question.target.base)?;
        let row = self.scope.find_for_page(reader, record, page)?;
        let path = record_path(&row);
        let pinned = RecordRef { id: record.id.clone(), version: Some(row.version) };
        match &question.target.base {
            Base::Sessions(_) => read(
                &mut Source::Sessions(
                    reader,
                    &row,
                    question.effective_query().uses_member(QUALITY),
                ),
                &generated::SESSION,
                format!("{path}/sessions"),
                row.version,
            ),
            Base::Participants(_) => read(
                &mut Source::Participants(reader, &row),
                &generated::PARTICIPANT,
                format!("{path}/participants_v2"),
                row.version,
            ),
            Base::Segments(_, session) => {
                let base = Base::Session(pinned, session.clone());
                let found = self.entity(reader, &base)?;
                let segments = found.map(|(entity, ..)| entity.segments).unwrap_or_default();
                read(
                    &mut Source::Segments(&segments),
                    &generated::SEGMENT,
                    format!("{}/segments", entity_path(&format!("{path}/sessions"), session)),
                    row.version,
                )
            }
            _ => Err(Problem::no_such_route()),
        }
    }

    fn list(
        &self,
        question: &Question,
        page: &Page,
        shown: &CollectionPage,
    ) -> Result<Answer, Problem> {
        let mut text = self.open_page(question, shown.ty, &shown.path, 16 * 1024);
        text.count(shown.total.filter(|_| question.query.count));
        text.open_items();
        for entity in &shown.entities {
            text.item(&entity.id, self.varies(question), |out| {
                out.push(b'{');
                self.push_item(question, shown, entity, out)?;
                out.push(b'}');
                Ok(())
            })?;
        }
        text.close_items();
        text.link(self.link_behind(question, page, shown).as_deref());
        Ok(Answer::Json(text.close()))
    }

    fn push_item(
        &self,
        question: &Question,
        shown: &CollectionPage,
        entity: &Entity,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let path = entity_path(&shown.path, &entity.id);
        if question.target.tail == Tail::Ref {
            push_reference(out, &path);
            return Ok(());
        }
        let version = shown.version.unwrap_or_default();
        let place = EntityPlace { ty: shown.ty, path: &path, version, outermost: None };
        // ComputedMember members are in the entity already.
        let query = Query { compute: Vec::new(), ..question.query.clone() };
        self.push_members(entity, &query, place, out)
    }

    fn link_behind(
        &self,
        question: &Question,
        page: &Page,
        shown: &CollectionPage,
    ) -> Option<String> {
        let count = shown.entities.len();
        if !shown.has_more || count == 0 {
            return None;
        }
        let after = ((page.start() + count) as u64).to_le_bytes().to_vec();
        let next = page.next(count, after, shown.version)?;
        Some(self.next_link(question, &next))
    }

    /// `callvault.versions()` with options: whole records are looked at.
    fn versions(
        &self,
        reader: &mut Reader,
        question: &Question,
        query: &Query,
        id: &str,
        page: &Page,
    ) -> Result<Answer, Problem> {
        let rows = self.all_versions(reader, id)?;
        let meter = &self.budget.meter;
        let ty = Type::Structured(&generated::CALL_RECORD);
        if query.apply.is_some() {
            let objects = applied(query, ty, (self.limits.groups, meter), |take| {
                for row in &rows {
                    let Some(text) =
                        readable(whole_record(reader, row, query.uses_member(QUALITY)))?
                    else {
                        continue;
                    };
                    if take(load(&text, meter)?)?.is_break() {
                        break;
                    }
                }
                Ok(())
            })?;
            return self.objects(question, &objects, page);
        }
        let is_count = question.target.tail == Tail::Count;
        let query = Query { count: is_count || query.count, ..query.clone() };
        let sieve = Sieve::new(&query);
        let start = page.start();
        let size = if is_count { 0 } else { page.size };
        let window = Window::of(&query, start as u64, size);
        let finder = Finder::default();
        let mut pager = Pager::new(&sieve, window, ty, self.environment(&finder));
        for row in &rows {
            // Of one that can't be read, conditions see what its columns say.
            let text = readable(whole_record(reader, row, query.uses_member(QUALITY)))?;
            let node = match &text {
                Some(text) => load(text, meter)?,
                None => known_of(row),
            };
            if pager.offer(Cow::Owned(node), |_| row).is_break() {
                break;
            }
        }
        let Selection { items, count: total, has_more } = pager.finish().map_err(exhausted)?;
        if is_count {
            return Ok(Answer::Text(total.unwrap_or_default().to_string()));
        }
        let (ty, path) = (&generated::CALL_RECORD, "communications/callRecords");
        let mut text = self.open_page(question, ty, path, 4096);
        text.count(total.filter(|_| question.query.count));
        text.open_items();
        for row in &items {
            text.item(&row.id, self.varies(question), |out| {
                out.push(b'{');
                match question.target.tail {
                    Tail::Ref => push_reference(out, &record_path(row)),
                    _ => self.push_record(reader, row, &question.query, out)?,
                }
                out.push(b'}');
                Ok(())
            })?;
        }
        text.close_items();
        if has_more {
            let after = ((start + items.len()) as u64).to_le_bytes().to_vec();
            if let Some(next) = page.next(items.len(), after, None) {
                text.link(Some(&self.next_link(question, &next)));
            }
        }
        Ok(Answer::Json(text.close()))
    }

    fn all_versions(&self, reader: &mut Reader, id: &str) -> Result<Vec<StoredRecord>, Problem> {
        let mut rows = reader.versions(&self.scope.tenant, &model::key(id))?;
        rows.retain(|row| self.scope.not_before.is_none_or(|oldest| row.start >= oldest));
        if rows.is_empty() { Err(crate::record::not_found()) } else { Ok(rows) }
    }
}

/// A record's text; none where what is kept of it can't be read.
fn readable(text: Result<String, Problem>) -> Result<Option<String>, Problem> {
    let checked = text.and_then(|text| parse(&text).map(drop).map(|()| text));
    match checked {
        Ok(text) => Ok(Some(text)),
        Err(problem) if problem.is_damage() => {
            tracing::error!(cause = ?problem, "a version can't be read");
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

/// What is known of a version without its text.
fn known_of(row: &StoredRecord) -> Node<'static> {
    let text =
        |name, text: &str| Member { name: Text::plain(name), value: Node::String(Text::of(text)) };
    let instant = |name, ticks| text(name, &DateTimeOffset(ticks).to_string());
    Node::Object(vec![
        text("id", &row.id),
        Member {
            name: Text::plain("version"),
            value: Node::Number(row.version.to_string().into()),
        },
        instant("startDateTime", row.start),
        instant("endDateTime", row.end),
    ])
}

/// The record that a collection is inside of.
fn record_of(base: &Base) -> Result<&RecordRef, Problem> {
    match base {
        Base::Sessions(record) | Base::Participants(record) | Base::Segments(record, _) => {
            Ok(record)
        }
        _ => Err(Problem::no_such_route()),
    }
}
