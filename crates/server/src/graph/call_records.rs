//! One callRecord as it is kept, with sessions and participants as they are kept.

use model::assemble::{Window, push_annotation, push_items, push_participant, push_record};
use model::fragment::{PARTICIPANTS_PER_PACK, SESSIONS_PER_PACK};
use model::{flags, generated};
use odata::bound::{ExpandItem, Query};
use odata::{context, key};
use store::{Reader, StoredRecord};

use super::ask::{Ask, Content, damaged};
use super::paging::{MOST_PARTICIPANTS, MOST_SESSIONS, Page};
use super::sessions;
use super::tag::TagOf;
use super::target::RecordRef;
use crate::problem::Problem;
use crate::response::Response;

/// `callRecords/{id}`
pub(super) fn get(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let mut reader = ask.reader();
    let row = find(ask, &mut reader, record)?;
    let etag = ask.etag(TagOf::Record, &row)?;
    if ask.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let expanded = if ask.query.expand.is_empty() { 0 } else { 12 * 1024 };
    let mut out = ask.open(row.fragment.len() + 512 + expanded);
    out.push(b',');
    let path = record_path(&row);
    push_members(ask, &mut reader, &row, &path, &mut out)?;
    out.push(b'}');
    let content = Content {
        ty: &generated::CALL_RECORD,
        is_collection: false,
        path: &path,
        has_unsettled_enum: has_unsettled_enum(&row),
    };
    ask.finish(out, &content, Some(etag))
}

fn find(ask: &Ask<'_>, reader: &mut Reader, record: &RecordRef) -> Result<StoredRecord, Problem> {
    let expands = |name| ask.query.expand.iter().any(|item| item.property.name == name);
    if record.version.is_some() || expands("participants_v2") {
        return ask.find(reader, record);
    }
    ask.find_alone(reader, record, expands("sessions"))
}

/// Appends a record's members and what is expanded of it, without braces.
fn push_members(
    ask: &Ask<'_>,
    reader: &mut Reader,
    row: &StoredRecord,
    path: &str,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    push_record(out, ask.metadata(), path, &row.fragment).map_err(damaged)?;
    for item in &ask.query.expand {
        match item.property.name {
            "sessions" => push_sessions(ask, reader, row, path, item, out)?,
            "participants_v2" => push_participants(ask, reader, row, path, item, out)?,
            // The organizer is there without being asked for.
            _ => {}
        }
    }
    Ok(())
}

fn push_sessions(
    ask: &Ask<'_>,
    reader: &mut Reader,
    row: &StoredRecord,
    path: &str,
    item: &ExpandItem,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    let page = Page::first(&item.query, MOST_SESSIONS, ask.request.preferences.max_page_size);
    open_expansion(ask, path, item, out);
    let shown = sessions::push_page(ask, reader, row, path, &item.query, 0, page.room(), out)?;
    out.push(b']');
    if shown < row.session_count as usize {
        push_inline_link(ask, row, item, &page, shown, out);
    }
    Ok(())
}

fn push_participants(
    ask: &Ask<'_>,
    reader: &mut Reader,
    row: &StoredRecord,
    path: &str,
    item: &ExpandItem,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    let page = Page::first(&item.query, MOST_PARTICIPANTS, ask.request.preferences.max_page_size);
    open_expansion(ask, path, item, out);
    let shown = push_participant_page(reader, row, 0, page.room(), out)?;
    out.push(b']');
    if shown < row.participant_count as usize {
        push_inline_link(ask, row, item, &page, shown, out);
    }
    Ok(())
}

pub(super) fn open_expansion(ask: &Ask<'_>, path: &str, item: &ExpandItem, out: &mut Vec<u8>) {
    let name = item.property.name;
    let context = context::nested(path, item.property, &item.query);
    out.push(b',');
    push_annotation(out, &format!("{name}@odata.context"), &[ask.metadata(), &context]);
    out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
}

/// The link from the part of a collection that stands in its record to the rest of it.
pub(super) fn push_inline_link(
    ask: &Ask<'_>,
    row: &StoredRecord,
    item: &ExpandItem,
    page: &Page,
    shown: usize,
    out: &mut Vec<u8>,
) {
    let after = (shown as u64).to_le_bytes().to_vec();
    let Some(next) = page.next(shown, after, Some(row.version)) else { return };
    let (key, name) = (key::in_path(&row.id), item.property.name);
    let resource = format!("communications/callRecords{key}/{name}");
    let link = next.link(ask.root(), ask.keys(), ask.asked(&resource), &item.query);
    out.push(b',');
    push_annotation(out, &format!("{name}@odata.nextLink"), &[&link]);
}

/// Appends participants from the `start`-th on, `room` at most; how many there were.
pub(super) fn push_participant_page(
    reader: &mut Reader,
    row: &StoredRecord,
    start: usize,
    room: usize,
    out: &mut Vec<u8>,
) -> Result<usize, Problem> {
    push_packs(start, room, PARTICIPANTS_PER_PACK, |number, window| {
        let mut pack = Vec::new();
        if !reader.participant_pack(row.record_key, number, &mut pack)? {
            return Ok(0);
        }
        push_items(out, &pack, window, push_participant).map_err(damaged)
    })
}

/// Goes over the packs that hold the items from the `start`-th on, `room` at most.
pub(super) fn push_packs(
    start: usize,
    room: usize,
    pack_size: usize,
    mut push: impl FnMut(usize, Window) -> Result<usize, Problem>,
) -> Result<usize, Problem> {
    let mut shown = 0;
    while shown < room {
        let at = start + shown;
        let window = Window { skip: at % pack_size, take: room - shown, is_first: shown == 0 };
        let count = push(at / pack_size, window)?;
        shown += count;
        // Only the last pack has room.
        if window.skip + count < pack_size {
            break;
        }
    }
    Ok(shown)
}

const _: () = assert!(SESSIONS_PER_PACK == MOST_SESSIONS, "a page is a copy of one pack");

/// A record's path as contexts write it.
pub(super) fn record_path(row: &StoredRecord) -> String {
    format!("communications/callRecords{}", key::in_parentheses(&row.id))
}

pub(super) fn has_unsettled_enum(row: &StoredRecord) -> bool {
    row.flags & flags::UNSETTLED_ENUM != 0
}

pub(super) fn push_count(out: &mut Vec<u8>, count: Option<u64>) {
    if let Some(count) = count {
        out.extend_from_slice(format!(",\"@odata.count\":{count}").as_bytes());
    }
}

pub(super) fn push_next_link(ask: &Ask<'_>, out: &mut Vec<u8>, next: &Page) {
    let query = Query { skiptoken: None, ..ask.query.clone() };
    let link = next.link(ask.root(), ask.keys(), ask.asked(&ask.path), &query);
    out.push(b',');
    push_annotation(out, "@odata.nextLink", &[&link]);
}
