//! Sessions of a record, and the segments of a session.

use model::assemble::{SessionForm, push_items, push_session};
use model::fragment::{Pack, SESSIONS_PER_PACK};
use model::generated;
use odata::bound::Query;
use odata::context;
use odata::json::{Node, write_members, write_node};
use store::{Reader, StoredRecord};

use super::ask::{Ask, Content, damaged};
use super::call_records::{
    has_unsettled_enum, push_count, push_next_link, push_packs, record_path,
};
use super::paging::{MOST_SESSIONS, Page};
use super::target::RecordRef;
use crate::problem::Problem;
use crate::response::Response;

/// `callRecords/{id}/sessions`
pub(super) fn list(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let page = ask.page(MOST_SESSIONS)?;
    let mut reader = ask.reader();
    let row = ask.find_for_page(&mut reader, record, &page)?;
    let etag = ask.etag(&row)?;
    if ask.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let start = start_of(&page);
    let path = record_path(&row);
    let mut out = ask.open(16 * 1024);
    push_count(&mut out, ask.query.count.then_some(row.session_count as u64));
    out.extend_from_slice(b",\"value\":[");
    let shown = push_page(ask, &mut reader, &row, &path, ask.query, start, page.room(), &mut out)?;
    out.push(b']');
    push_link_behind(ask, &row, &page, start + shown, row.session_count, &mut out);
    out.push(b'}');
    let content = Content {
        ty: &generated::SESSION,
        is_collection: true,
        path: &format!("{path}/sessions"),
        has_unsettled_enum: has_unsettled_enum(&row),
    };
    ask.finish(out, &content, Some(etag))
}

/// `callRecords/{id}/sessions/$count`
pub(super) fn count(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let row = ask.find(&mut ask.reader(), record)?;
    ask.number(row.session_count as u64)
}

/// `callRecords/{id}/sessions/{id}`
pub(super) fn get(ask: &Ask<'_>, record: &RecordRef, id: &str) -> Result<Response, Problem> {
    let found = Found::of(ask, record, id)?;
    let etag = ask.etag(&found.row)?;
    if ask.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let path = record_path(&found.row);
    let segments = segments_suffix(ask.query);
    let mut session = Vec::new();
    let form = SessionForm { segments: segments.as_deref() };
    found.with(|item| push_session(&mut session, ask.metadata(), &path, form, item))?;
    let mut out = ask.open(session.len() + 256);
    out.push(b',');
    out.extend_from_slice(&session[1..]);
    let content = Content {
        ty: &generated::SESSION,
        is_collection: false,
        path: &context::entity(&ask.resource, id),
        has_unsettled_enum: has_unsettled_enum(&found.row),
    };
    ask.finish(out, &content, Some(etag))
}

/// `callRecords/{id}/sessions/{id}/segments`. Graph never pages them.
pub(super) fn segments(
    ask: &Ask<'_>,
    record: &RecordRef,
    session: &str,
) -> Result<Response, Problem> {
    let found = Found::of(ask, record, session)?;
    let page = ask.page(MOST_SESSIONS)?;
    let start = start_of(&page);
    let text = found.segments()?;
    let nodes = parse(&text)?;
    let mut out = ask.open(text.len() + 256);
    push_count(&mut out, ask.query.count.then_some(nodes.len() as u64));
    out.extend_from_slice(b",\"value\":[");
    let shown = nodes.iter().skip(start).take(page.room());
    for (index, node) in shown.clone().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_node(&mut out, node);
    }
    out.push(b']');
    let behind = start + shown.count();
    push_link_behind(ask, &found.row, &page, behind, nodes.len() as i64, &mut out);
    out.push(b'}');
    let path = format!("{}/sessions('{session}')/segments", record_path(&found.row));
    let content = Content {
        ty: &generated::SEGMENT,
        is_collection: true,
        path: &path,
        has_unsettled_enum: has_unsettled_enum(&found.row),
    };
    ask.finish(out, &content, None)
}

/// `callRecords/{id}/sessions/{id}/segments/$count`
pub(super) fn segment_count(
    ask: &Ask<'_>,
    record: &RecordRef,
    session: &str,
) -> Result<Response, Problem> {
    let text = Found::of(ask, record, session)?.segments()?;
    ask.number(parse(&text)?.len() as u64)
}

/// `callRecords/{id}/sessions/{id}/segments/{id}`
pub(super) fn segment(
    ask: &Ask<'_>,
    record: &RecordRef,
    session: &str,
    id: &str,
) -> Result<Response, Problem> {
    let found = Found::of(ask, record, session)?;
    let text = found.segments()?;
    let wanted = model::key(id);
    let nodes = parse(&text)?;
    let segment = nodes.iter().find(|node| {
        let id = node.get("id").and_then(Node::as_text);
        id.is_some_and(|id| model::key(&id.value()) == wanted)
    });
    let members = segment.and_then(Node::as_object).ok_or_else(Problem::not_found)?;
    let mut out = ask.open(text.len() + 256);
    out.push(b',');
    write_members(&mut out, members);
    out.push(b'}');
    let content = Content {
        ty: &generated::SEGMENT,
        is_collection: false,
        path: &context::entity(&ask.resource, id),
        has_unsettled_enum: has_unsettled_enum(&found.row),
    };
    ask.finish(out, &content, None)
}

/// Appends sessions from the `start`-th on, `room` at most, in the form that `query` asks for; how
/// many there were.
#[expect(
    clippy::too_many_arguments,
    reason = "all are needed, and a struct would name them once more"
)]
pub(super) fn push_page(
    ask: &Ask<'_>,
    reader: &mut Reader,
    row: &StoredRecord,
    record: &str,
    query: &Query,
    start: usize,
    room: usize,
    out: &mut Vec<u8>,
) -> Result<usize, Problem> {
    let segments = segments_suffix(query);
    let form = SessionForm { segments: segments.as_deref() };
    let mut pack = Vec::new();
    push_packs(start, room, SESSIONS_PER_PACK, |number, window| {
        if !reader.session_pack(row.record_key, number, &mut pack)? {
            return Ok(0);
        }
        push_items(out, &pack, window, |out, session| {
            push_session(out, ask.metadata(), record, form, session);
        })
        .map_err(damaged)
    })
}

/// The link to what is behind the `behind`-th item, if there is anything.
pub(super) fn push_link_behind(
    ask: &Ask<'_>,
    row: &StoredRecord,
    page: &Page,
    behind: usize,
    count: i64,
    out: &mut Vec<u8>,
) {
    let shown = behind - start_of(page);
    if shown == 0 || behind >= count as usize {
        return;
    }
    let after = (behind as u64).to_le_bytes().to_vec();
    if let Some(next) = page.next(shown, after, Some(row.version)) {
        push_next_link(ask, out, &next);
    }
}

/// The position at which a page of something below a record begins.
pub(super) fn start_of(page: &Page) -> usize {
    let bytes = page.after.first_chunk::<8>().copied().unwrap_or_default();
    usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX)
}

/// What stands behind a session's path in the context of its segments, if they are asked for.
fn segments_suffix(query: &Query) -> Option<String> {
    let item = query.expand.iter().find(|item| item.property.name == "segments")?;
    Some(context::nested("", item.property, &item.query))
}

/// A session and the pack that holds it.
struct Found {
    row: StoredRecord,
    pack: Vec<u8>,
    index: usize,
}

impl Found {
    fn of(ask: &Ask<'_>, record: &RecordRef, id: &str) -> Result<Self, Problem> {
        let mut reader = ask.reader();
        let row = ask.find(&mut reader, record)?;
        let ordinal = reader
            .session_ordinal(row.record_key, &model::key(id))?
            .and_then(|ordinal| usize::try_from(ordinal).ok())
            .ok_or_else(Problem::not_found)?;
        let mut pack = Vec::new();
        if !reader.session_pack(row.record_key, ordinal / SESSIONS_PER_PACK, &mut pack)? {
            return Err(Problem::not_found());
        }
        Ok(Self { row, pack, index: ordinal % SESSIONS_PER_PACK })
    }

    fn with<T>(&self, read: impl FnOnce(&model::fragment::Item<'_>) -> T) -> Result<T, Problem> {
        let pack = Pack::read(&self.pack).map_err(damaged)?;
        let item = pack.items().nth(self.index).ok_or_else(Problem::not_found)?;
        Ok(read(&item.map_err(damaged)?))
    }

    /// The segments as a JSON array.
    fn segments(&self) -> Result<String, Problem> {
        self.with(|item| format!("[{}]", String::from_utf8_lossy(item.inner)))
    }
}

fn parse(segments: &str) -> Result<Vec<Node<'_>>, Problem> {
    match Node::parse(segments) {
        Ok(Node::Array(nodes)) => Ok(nodes),
        _ => Err(damaged(model::fragment::Corrupt)),
    }
}
