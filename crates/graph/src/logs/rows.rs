//! Rows of a log as items of the query language.

use std::ops::ControlFlow;

use model::TenantId;
use model::log::{CALL_RECORD, Log, show};
use odata::bound::Query;
use odata::edm::StructuredType;
use odata::json::{Json, Member, Node, Text};
use store::{LogRange, Reader};
use web::Problem;

use super::join::Join;
use super::report;
use crate::kept_json::parse;
use crate::lister::{Chunk, Position, Source, Visit};
use crate::page_text::{ERROR, error_node, error_row};
use crate::read_request::ReadRequest;

/// Says beside a record how it was found.
const JOINED_BY: &str = "callvault.callRecord@callvault.joinedBy";
/// Rows that are read at a time.
const AT_ONCE: usize = 256;

/// A kept row as it is shown.
pub(super) fn text(log: Log, ty: &'static StructuredType, body: &str) -> Json {
    match show(log, ty, body).map_err(Problem::damaged) {
        Ok(row) => Json::of(&row),
        Err(problem) => error_row("", &problem),
    }
}

/// The rows of a range, the earliest first.
pub(super) struct Rows {
    tenant: TenantId,
    range: LogRange,
    ty: &'static StructuredType,
    join: Join,
    /// Conditions, orders or calculations look into the records that rows lead to.
    looks_into_records: bool,
    /// What is shown of these records.
    expanded: Option<Query>,
    most: u64,
}

impl Rows {
    pub(super) fn new(
        read: &ReadRequest<'_>,
        range: LogRange,
        ty: &'static StructuredType,
    ) -> Self {
        let chooses = Query { expand: Vec::new(), ..read.query.clone() };
        Self {
            tenant: read.scope.tenant.clone(),
            range,
            ty,
            join: Join::new(read),
            looks_into_records: super::asks_for_records(&chooses),
            expanded: read.query.expanded(CALL_RECORD).cloned(),
            most: read.worker.shared.query.cost.rows_scanned,
        }
    }

    fn item<'a>(&self, reader: &mut Reader, body: &'a str) -> Result<Node<'a>, Problem> {
        let mut node = show(self.range.log, self.ty, body).map_err(Problem::damaged)?;
        if self.looks_into_records
            && let Some(found) = self.join.record(reader, self.range.log, &node)?
        {
            put(&mut node, CALL_RECORD, self.join.whole(reader, &found.id)?);
        }
        Ok(node)
    }

    /// The rows of the dial-out report, which are made of what is kept of each day.
    fn sums(
        &self,
        reader: &mut Reader,
        after: Option<Position>,
        visit: &mut Visit<'_>,
    ) -> Result<Chunk, Problem> {
        let behind = after.map_or(0, |(place, _)| place);
        let sums = report::sums(reader, &self.tenant, &self.range, self.most)?;
        for (place, body) in (1..).zip(&sums).skip_while(|(place, _)| *place <= behind) {
            let node = show(self.range.log, self.ty, body.as_str()).map_err(Problem::damaged)?;
            if visit(node, (place, 0))?.is_break() {
                break;
            }
        }
        Ok(Chunk::Last)
    }
}

impl Source for Rows {
    fn ty(&self) -> &'static StructuredType {
        self.ty
    }

    fn chunk(
        &self,
        reader: &mut Reader,
        after: Option<Position>,
        visit: &mut Visit<'_>,
    ) -> Result<Chunk, Problem> {
        if self.range.log == Log::DialoutReport {
            return self.sums(reader, after, visit);
        }
        let kept = reader.log_rows(&self.tenant, &self.range, after, (0, AT_ONCE))?;
        for row in &kept {
            let node = match self.item(reader, &row.body) {
                Err(problem) if problem.is_damage() => error_node("", &problem),
                item => item?,
            };
            if visit(node, (row.time, row.key))? == ControlFlow::Break(()) {
                return Ok(Chunk::Last);
            }
        }
        Ok(if kept.len() < AT_ONCE { Chunk::Last } else { Chunk::More })
    }

    /// The row alone: its record can be large, and only some of the rows are shown.
    fn kept(&self, item: &Node<'_>) -> Json {
        let is_own = |member: &&Member<'_>| !member.name.is(CALL_RECORD);
        let members = item.as_object().unwrap_or_default().iter().filter(is_own).cloned();
        Json::of(&Node::Object(members.collect()))
    }

    fn finish(&self, reader: &mut Reader, text: Json) -> Result<Json, Problem> {
        let Some(query) = &self.expanded else { return Ok(text) };
        let mut node = parse(text.as_str())?;
        if node.get(ERROR).is_some() {
            return Ok(text);
        }
        match self.join.record(reader, self.range.log, &node)? {
            None => put(&mut node, CALL_RECORD, Node::Null),
            Some(found) => {
                let by = Node::String(Text::plain(found.by));
                put(&mut node, JOINED_BY, by);
                let record = match self.join.shown(reader, &found.id, query) {
                    Err(problem) if problem.is_damage() => error_node(&found.id, &problem),
                    record => record?,
                };
                put(&mut node, CALL_RECORD, record);
            }
        }
        Ok(Json::of(&node))
    }
}

fn put(node: &mut Node<'_>, name: &'static str, value: Node<'static>) {
    if let Node::Object(members) = node {
        members.push(Member { name: Text::plain(name), value });
    }
}
