//! Lists over all records of a tenant: the records, and what is inside them; with `$apply`, what it
//! makes of them.

use model::assemble::push_annotation;
use model::generated;
use odata::bound::Query;
use odata::edm::Type;
use odata::json::{Json, Node};
use store::{Reader, ResultRow, RowPage, RowQuery, RowSet};
use web::Problem;

use super::entity::entity_of;
use super::expansion::{EntityPlace, entity_path, push_reference};
use super::selection::Objects;
use super::{Answer, Composer, Question, Tail};
use crate::kept_json::parse;
use crate::page_text::PageText;
use crate::paging::{MOST_SESSIONS, Page, PageLimit};
use crate::record::{self, record_path};
use crate::scope::Content;
use crate::tag::content;

impl Composer {
    /// A page of rows.
    pub(super) fn rows(
        &self,
        reader: &mut Reader,
        question: &Question,
        rows: RowSet,
        query: &Query,
    ) -> Result<Answer, Problem> {
        let is_graph_s = rows == RowSet::Records && query.apply.is_none();
        let most = if is_graph_s { MOST_SESSIONS } else { self.limits.page };
        let page = self.page(question, PageLimit::up_to(most))?;
        if query.apply.is_some() {
            let objects = self.applied(reader, rows, query)?;
            return self.objects(question, &objects, &page);
        }
        let (found, total) = self.found(reader, rows, query, &page)?;
        let (ty, path) = (rows.ty(), "communications/callRecords");
        let mut text = self.open_page(question, ty, path, room_for(&found));
        text.count(total.filter(|_| query.count));
        text.open_items();
        for row in &found.rows {
            self.add_row(reader, question, rows, row, &mut text)?;
        }
        text.close_items();
        let are_copied = self.is_copied(question) && rows == RowSet::Records;
        let shown = are_copied.then(|| digest(&found, total));
        if let Some(after) = found.next {
            let next = Page { after, left: None, ..page };
            text.link(Some(&self.next_link(question, &next)));
        }
        let text = text.close();
        Ok(match shown {
            Some(shown) => Answer::Rows(text, shown),
            None => Answer::Json(text),
        })
    }

    /// Adds a row to a page.
    pub(super) fn add_row(
        &self,
        reader: &mut Reader,
        question: &Question,
        rows: RowSet,
        row: &ResultRow,
        text: &mut PageText<'_>,
    ) -> Result<(), Problem> {
        let is_record = rows == RowSet::Records;
        let is_varied = if self.is_copied(question) && is_record {
            has_unsettled_enum(row)
        } else {
            is_record && self.varies(question)
        };
        text.item(id_of(row), is_varied, |out| {
            let begin = out.len();
            out.push(b'{');
            self.push_row(reader, question, rows, row, out)?;
            out.push(b'}');
            if !is_record && self.varies(question) {
                self.vary_row(question, rows, row, (begin, out))?;
            }
            Ok(())
        })
    }

    /// Gives a row of what is inside records its form. It has the path of what it shows.
    fn vary_row(
        &self,
        question: &Question,
        rows: RowSet,
        row: &ResultRow,
        (begin, out): (usize, &mut Vec<u8>),
    ) -> Result<(), Problem> {
        let ResultRow::Row(text) = row else { return Ok(()) };
        let text = std::str::from_utf8(text).map_err(Problem::damaged)?;
        let path = inner_path(rows, &parse(text)?);
        let content = Content {
            ty: Type::Structured(rows.ty()),
            is_collection: false,
            path: &path,
            has_unsettled_enum: true,
        };
        let varied = self.scope.vary(&out[begin..], &content, &question.query, self.scope.shape)?;
        out.truncate(begin);
        out.extend_from_slice(&varied);
        Ok(())
    }

    /// What `$apply` and the options behind it make of rows.
    fn applied(
        &self,
        reader: &mut Reader,
        rows: RowSet,
        query: &Query,
    ) -> Result<Objects, Problem> {
        let mut asked = self.row_query(rows, query);
        let mut window = 0..usize::MAX;
        if query.count {
            let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let skip = asked.query.skip.take().map_or(0, number);
            let top = asked.query.top.take().map_or(usize::MAX, number);
            window = skip..skip.saturating_add(top);
        }
        let texts = reader.apply(&self.scope.tenant, &asked, &self.budget)?;
        let total = texts.len() as u64;
        let shown = texts.into_iter().skip(window.start).take(window.len());
        let items = shown.map(Json::from_written).collect();
        Ok(Objects { items, total })
    }

    /// `/$count` behind rows.
    pub(super) fn count_rows(
        &self,
        reader: &mut Reader,
        rows: RowSet,
        query: &Query,
    ) -> Result<Answer, Problem> {
        let asked = self.row_query(rows, query);
        let count = match query.apply {
            Some(_) => reader.apply(&self.scope.tenant, &asked, &self.budget)?.len() as u64,
            None => reader.count_rows(&self.scope.tenant, &asked, &self.budget)?,
        };
        Ok(Answer::Text(count.to_string()))
    }

    /// `/$ref` behind rows: the addresses of records. Rows of what is inside have none of their
    /// own.
    pub(super) fn row_refs(
        &self,
        reader: &mut Reader,
        question: &Question,
        query: &Query,
    ) -> Result<Answer, Problem> {
        let page = self.page(question, MOST_SESSIONS)?;
        let (found, total) = self.found(reader, RowSet::Records, query, &page)?;
        let mut out = self.open(question, 16 * 1024);
        if let (true, Some(total)) = (query.count, total) {
            out.extend_from_slice(format!(",\"@odata.count\":{total}").as_bytes());
        }
        out.extend_from_slice(b",\"value\":[");
        for (index, row) in found.rows.iter().enumerate() {
            let ResultRow::Record(row) = row else { continue };
            out.extend_from_slice(if index > 0 { b",{" } else { b"{" });
            push_reference(&mut out, &record_path(row));
            out.push(b'}');
        }
        out.push(b']');
        if let Some(after) = found.next {
            let link = self.next_link(question, &Page { after, left: None, ..page });
            out.push(b',');
            push_annotation(&mut out, "@odata.nextLink", &[&link]);
        }
        out.push(b'}');
        Ok(Answer::Json(out))
    }

    /// The rows of a page, and how many there are in all if that is asked for.
    pub(super) fn found(
        &self,
        reader: &mut Reader,
        rows: RowSet,
        query: &Query,
        page: &Page,
    ) -> Result<(RowPage, Option<u64>), Problem> {
        let asked = self.row_query(rows, query);
        let total = if query.count {
            Some(reader.count_rows(&self.scope.tenant, &asked, &self.budget)?)
        } else {
            None
        };
        if query.top == Some(0) {
            return Ok((RowPage::default(), total));
        }
        let after = (!page.after.is_empty()).then_some(page.after.as_slice());
        let found = reader.page(&self.scope.tenant, &asked, after, page.size, &self.budget)?;
        self.limits.release_the_rest(&self.budget);
        Ok((found, total))
    }

    pub(super) fn row_query(&self, rows: RowSet, query: &Query) -> RowQuery {
        RowQuery { rows, query: query.clone(), not_before: self.scope.not_before }
    }

    fn push_row(
        &self,
        reader: &mut Reader,
        question: &Question,
        rows: RowSet,
        row: &ResultRow,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        match row {
            ResultRow::Record(row) => self.push_record(reader, row, &question.query, out),
            ResultRow::Damaged { cause, .. } => Err(Problem::damaged(cause.clone())),
            ResultRow::Row(text) => {
                let text = std::str::from_utf8(text).map_err(Problem::damaged)?;
                let node = parse(text)?;
                let entity = entity_of(&node);
                let path = inner_path(rows, &node);
                let place = EntityPlace { ty: rows.ty(), path: &path, version: 0, outermost: None };
                self.push_members(&entity, &question.query, place, out)
            }
        }
    }

    /// Objects that `$apply` made, a page of them.
    pub(super) fn objects(
        &self,
        question: &Question,
        objects: &Objects,
        page: &Page,
    ) -> Result<Answer, Problem> {
        let Objects { items: objects, total } = objects;
        if question.target.tail == Tail::Count {
            return Ok(Answer::Text(objects.len().to_string()));
        }
        let start = page.start().min(objects.len());
        let shown = &objects[start..(start + page.size).min(objects.len())];
        let ty = question.resource.structured().unwrap_or(&generated::CALL_RECORD);
        let (ty, path) = (ty, "communications/callRecords");
        let mut text = self.open_page(question, ty, path, 16 * 1024);
        text.count(question.query.count.then_some(*total));
        text.open_items();
        for object in shown {
            text.item("", self.varies(question), |out| {
                out.extend_from_slice(object.as_str().as_bytes());
                Ok(())
            })?;
        }
        text.close_items();
        let behind = start + shown.len();
        if behind < objects.len() {
            let after = (behind as u64).to_le_bytes().to_vec();
            let next = Page { after, left: None, ..page.clone() };
            text.link(Some(&self.next_link(question, &next)));
        }
        Ok(Answer::Json(text.close()))
    }
}

/// Bytes that a page takes, roughly, with contexts and a link.
fn room_for(page: &RowPage) -> usize {
    let row = |row: &ResultRow| match row {
        ResultRow::Record(record) => record.fragment.len(),
        ResultRow::Row(text) => text.len(),
        ResultRow::Damaged { .. } => 0,
    };
    1_024 + page.rows.iter().map(|found| row(found) + 256).sum::<usize>()
}

/// Tells a page of records from others of the same question: by the content of each, the place where
/// the page ends, and the number of all records if that is shown.
fn digest(page: &RowPage, total: Option<u64>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for row in &page.rows {
        match row {
            ResultRow::Record(record) => hasher.update(&content(record)),
            ResultRow::Row(text) => hasher.update(text),
            ResultRow::Damaged { id, .. } => hasher.update(id.as_bytes()),
        };
    }
    hasher.update(&total.unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(page.next.as_deref().unwrap_or_default());
    *hasher.finalize().as_bytes()
}

/// The id of what a row shows, or of the record that it is in, where that is known without its text.
fn id_of(row: &ResultRow) -> &str {
    match row {
        ResultRow::Record(record) => &record.id,
        ResultRow::Damaged { id, .. } => id,
        ResultRow::Row(_) => "",
    }
}

/// Whether a row is a record with enumeration members that not everyone may see.
fn has_unsettled_enum(row: &ResultRow) -> bool {
    matches!(row, ResultRow::Record(row) if record::has_unsettled_enum(row))
}

/// The path at which what a row shows is kept, for the contexts inside it.
fn inner_path(rows: RowSet, node: &Node<'_>) -> String {
    let text = |name: &str| {
        let text = node.get(name).and_then(Node::as_text);
        text.map(|text| text.value().into_owned()).unwrap_or_default()
    };
    let record = entity_path("communications/callRecords", &text("callRecordId"));
    match rows {
        RowSet::Sessions => entity_path(&format!("{record}/sessions"), &text("id")),
        RowSet::Segments => {
            let session = entity_path(&format!("{record}/sessions"), &text("sessionId"));
            entity_path(&format!("{session}/segments"), &text("id"))
        }
        _ => record,
    }
}
