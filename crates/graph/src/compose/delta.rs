//! Changes of call records, and the records that they begin with.

use std::collections::HashMap;
use std::sync::Arc;

use model::generated;
use odata::bound::{Expr, ExprKind, Path, PathStep, Query, Root, Ty};
use odata::context;
use odata::edm::{Primitive, Type};
use odata::literal::Literal;
use store::{ChangeRange, ChangedRecord, LogPosition, Reader, RecordFate, ResultRow, RowSet};
use web::Problem;

use super::{Composer, Question};
use crate::page_text::{PageForm, PageText};
use crate::paging::Page;
use crate::tracking::{DELTA, TrackedPage, TrackedPlace};

impl Composer {
    /// A page of changes, or of the records that they begin with.
    pub(crate) fn delta(
        &self,
        reader: &mut Reader,
        question: &Question,
        page: &TrackedPage,
    ) -> Result<Vec<u8>, Problem> {
        let made = match page.place.clone() {
            TrackedPlace::Latest => {
                let next = TrackedPlace::Since(reader.log_position()?);
                let mut text = self.open_tracked(question, "");
                text.open_items();
                text.close_items();
                Ok(self.close_tracked(text, question, page, &next))
            }
            // Before the records are read: what changes meanwhile is told of twice, or later.
            TrackedPlace::Start => {
                let since = reader.log_position()?;
                self.tracked_records(reader, question, page, (since, Vec::new()))
            }
            TrackedPlace::Records { since, after } => {
                reader.check_position(&since)?;
                self.tracked_records(reader, question, page, (since, after))
            }
            TrackedPlace::Since(since) => {
                reader.check_position(&since)?;
                let (until, after) = (reader.log_position()?, since.sequence);
                self.changes(reader, question, page, (since, until, after))
            }
            TrackedPlace::Changes { since, until, after } => {
                reader.check_position(&since)?;
                self.changes(reader, question, page, (since, until, after))
            }
        };
        made.map_err(|problem| match self.budget.meter.place() {
            Some(place) => problem.in_calculation(&place),
            None => problem,
        })
    }

    fn tracked_records(
        &self,
        reader: &mut Reader,
        question: &Question,
        page: &TrackedPage,
        (since, after): (LogPosition, Vec<u8>),
    ) -> Result<Vec<u8>, Problem> {
        let query = Query { top: None, ..question.query.clone() };
        let at = Page { size: page.size, left: None, after, version: None };
        let (found, _) = self.found(reader, RowSet::Records, &query, &at)?;
        let mut text = self.open_tracked(question, "");
        text.open_items();
        for row in &found.rows {
            self.add_row(reader, question, RowSet::Records, row, &mut text)?;
        }
        text.close_items();
        let next = match found.next {
            Some(after) => TrackedPlace::Records { since, after },
            None => TrackedPlace::Since(since),
        };
        Ok(self.close_tracked(text, question, page, &next))
    }

    fn changes(
        &self,
        reader: &mut Reader,
        question: &Question,
        page: &TrackedPage,
        (since, until, after): (LogPosition, LogPosition, i64),
    ) -> Result<Vec<u8>, Problem> {
        let range = ChangeRange { since: since.sequence, after, until: until.sequence };
        let changed = reader.changed_records(&self.scope.tenant, range, page.size)?;
        let mut shown = self.shown_of(reader, &changed.records, &question.query)?;
        let mut text = self.open_tracked(question, "/$delta");
        text.open_items();
        for ChangedRecord { id, fate } in &changed.records {
            if *fate == RecordFate::Erased {
                text.removed(id, "deleted");
            } else if let Some(row) = shown.remove(&model::key(id)) {
                self.add_row(reader, question, RowSet::Records, &row, &mut text)?;
            } else if *fate == RecordFate::Changed && self.is_seen(reader, id)? {
                text.removed(id, "changed");
            }
        }
        text.close_items();
        let next = if changed.is_end {
            TrackedPlace::Since(until)
        } else {
            TrackedPlace::Changes { since, until, after: changed.up_to }
        };
        Ok(self.close_tracked(text, question, page, &next))
    }

    /// Those of changed records that a list would show, by the keys of their ids.
    fn shown_of(
        &self,
        reader: &mut Reader,
        changed: &[ChangedRecord],
        query: &Query,
    ) -> Result<HashMap<Vec<u8>, ResultRow>, Problem> {
        let ids = changed.iter().filter(|it| it.fate != RecordFate::Erased).map(|it| &it.id);
        let mut shown = HashMap::new();
        if query.filter.is_none() {
            for id in ids {
                let id_key = model::key(id);
                let record = reader.record(&self.scope.tenant, &id_key, None)?;
                if let Some(record) = record.filter(|record| self.scope.shows(record)) {
                    shown.insert(id_key, ResultRow::Record(Arc::new(record)));
                }
            }
            return Ok(shown);
        }
        let ids: Vec<Expr> = ids.map(|id| text(Literal::String(id.clone()))).collect();
        if ids.is_empty() {
            return Ok(shown);
        }
        let query = Query { top: None, ..query.clone() }.narrowed(is_one_of(ids));
        let asked = self.row_query(RowSet::Records, &query);
        let mut after = None;
        loop {
            let tenant = &self.scope.tenant;
            let found =
                reader.page(tenant, &asked, after.as_deref(), changed.len(), &self.budget)?;
            for row in found.rows {
                if let ResultRow::Record(record) = &row {
                    shown.insert(model::key(&record.id), row);
                }
            }
            after = found.next;
            if after.is_none() {
                self.limits.release_the_rest(&self.budget);
                return Ok(shown);
            }
        }
    }

    /// Whether a record is there and young enough to be shown.
    fn is_seen(&self, reader: &mut Reader, id: &str) -> Result<bool, Problem> {
        let record = reader.record(&self.scope.tenant, &model::key(id), None)?;
        Ok(record.is_some_and(|record| self.scope.shows(&record)))
    }

    fn open_tracked<'q>(&'q self, question: &'q Question, suffix: &str) -> PageText<'q> {
        let context = context::of(&question.resource, &question.query);
        let form = PageForm {
            ty: &generated::CALL_RECORD,
            path: "communications/callRecords",
            root: &self.scope.root,
            query: &question.query,
            shape: self.scope.shape,
        };
        let remarks = self.scope.remarks(&question.resource, &question.query);
        let context = [&*self.scope.metadata, &context, suffix];
        PageText::open(form, &context, &remarks, 64 * 1024)
    }

    fn close_tracked(
        &self,
        mut text: PageText<'_>,
        question: &Question,
        page: &TrackedPage,
        next: &TrackedPlace,
    ) -> Vec<u8> {
        let link = page.link(next, &self.scope.addresses(DELTA), &question.query);
        match next {
            TrackedPlace::Since(_) => text.delta_link(&link),
            _ => text.link(Some(&link)),
        }
        text.close()
    }
}

/// `id in (…)`
fn is_one_of(ids: Vec<Expr>) -> Expr {
    let property = generated::CALL_RECORD.property("id").expect("a record has an id");
    let path = Path { root: Root::Item, steps: vec![PathStep::Property(property)] };
    let id = Expr { kind: ExprKind::Path(path), ty: Ty::One(property.ty) };
    let ids = Expr { kind: ExprKind::List(ids), ty: Ty::Many(property.ty) };
    let kind = ExprKind::In(Box::new(id), Box::new(ids));
    Expr { kind, ty: Ty::One(Type::Primitive(Primitive::Boolean)) }
}

fn text(literal: Literal) -> Expr {
    Expr { kind: ExprKind::Literal(literal), ty: Ty::One(Type::Primitive(Primitive::String)) }
}
