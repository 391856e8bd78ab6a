//! One callRecord as it is kept, with sessions and participants as they are kept.

use model::assemble::push_record;
use model::fragment::SESSIONS_PER_PACK;
use model::generated;
use odata::bound::ExpandItem;
use store::{Reader, StoredRecord};
use web::{Problem, Response};

use crate::ask::Ask;
use crate::copies::{open_expansion, push_inline_link, push_participant_page, push_session_page};
use crate::paging::{MOST_PARTICIPANTS, MOST_SESSIONS, Page};
use crate::record::{has_unsettled_enum, record_path};
use crate::scope::Content;
use crate::tag::TagOf;
use crate::target::RecordRef;

/// `callRecords/{id}`
pub(crate) fn get(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
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
        return ask.scope.find(reader, record);
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
    push_record(out, &ask.scope.metadata, path, &row.fragment).map_err(Problem::damaged)?;
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
    let page = Page::first(&item.query, MOST_SESSIONS, ask.scope.max_page_size);
    open_expansion(ask, path, item, out);
    let shown = push_session_page(ask, reader, row, &item.query, 0..page.room(), out)?;
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
    let page = Page::first(&item.query, MOST_PARTICIPANTS, ask.scope.max_page_size);
    open_expansion(ask, path, item, out);
    let shown = push_participant_page(reader, row, 0..page.room(), out)?;
    out.push(b']');
    if shown < row.participant_count as usize {
        push_inline_link(ask, row, item, &page, shown, out);
    }
    Ok(())
}

const _: () = assert!(SESSIONS_PER_PACK == MOST_SESSIONS, "a page is a copy of one pack");
