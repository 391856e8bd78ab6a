//! The sessions of a record as they are kept.

use model::assemble::{SessionForm, push_items, push_session};
use model::fragment::SESSIONS_PER_PACK;
use model::generated;
use odata::bound::Query;
use odata::context;
use store::{Reader, StoredRecord};

use super::ask::{Ask, Content, damaged};
use super::call_records::{
    has_unsettled_enum, push_count, push_next_link, push_packs, record_path,
};
use super::paging::{MOST_SESSIONS, Page};
use super::tag::TagOf;
use super::target::RecordRef;
use crate::problem::Problem;
use crate::response::Response;

/// `callRecords/{id}/sessions`
pub(super) fn list(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let page = ask.page(MOST_SESSIONS)?;
    let mut reader = ask.reader();
    let row = ask.find_for_page(&mut reader, record, &page)?;
    let etag = ask.etag(TagOf::Sessions, &row)?;
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
    let form = match segments_suffix(query) {
        Some(segments) => SessionForm::with_segments(ask.metadata(), record, &segments),
        None => SessionForm::ALONE,
    };
    let mut pack = Vec::new();
    push_packs(start, room, SESSIONS_PER_PACK, |number, window| {
        if !reader.session_pack(row.record_key, number, &mut pack)? {
            return Ok(0);
        }
        push_items(out, &pack, window, |out, session| {
            push_session(out, &form, session);
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
pub(super) fn segments_suffix(query: &Query) -> Option<String> {
    let item = query.expand.iter().find(|item| item.property.name == "segments")?;
    Some(context::nested("", item.property, &item.query))
}
