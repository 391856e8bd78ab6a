//! Participants and the organizer of a record.

use model::fragment::{Item, PARTICIPANTS_PER_PACK, Pack, RecordFragment};
use model::generated;
use odata::context;
use odata::json::{Node, write_members};

use super::ask::{Ask, Content, damaged};
use super::call_records::{has_unsettled_enum, push_count, push_participant_page, record_path};
use super::paging::MOST_PARTICIPANTS;
use super::sessions::{push_link_behind, start_of};
use super::target::RecordRef;
use crate::problem::Problem;
use crate::response::Response;

/// `callRecords/{id}/participants_v2`
pub(super) fn list(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let page = ask.page(MOST_PARTICIPANTS)?;
    let mut reader = ask.reader();
    let row = ask.find_for_page(&mut reader, record, &page)?;
    let etag = ask.etag(&row)?;
    if ask.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let start = start_of(&page);
    let mut out = ask.open(16 * 1024);
    push_count(&mut out, ask.query.count.then_some(row.participant_count as u64));
    out.extend_from_slice(b",\"value\":[");
    let shown = push_participant_page(&mut reader, &row, start, page.room(), &mut out)?;
    out.push(b']');
    push_link_behind(ask, &row, &page, start + shown, row.participant_count, &mut out);
    out.push(b'}');
    let path = format!("{}/participants_v2", record_path(&row));
    let content = Content {
        ty: &generated::PARTICIPANT,
        is_collection: true,
        path: &path,
        has_unsettled_enum: has_unsettled_enum(&row),
    };
    ask.finish(out, &content, Some(etag))
}

/// `callRecords/{id}/participants_v2/$count`
pub(super) fn count(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let row = ask.find(&mut ask.reader(), record)?;
    ask.number(row.participant_count as u64)
}

/// `callRecords/{id}/participants_v2/{id}`. Where an id stands twice, the first.
pub(super) fn get(ask: &Ask<'_>, record: &RecordRef, id: &str) -> Result<Response, Problem> {
    let mut reader = ask.reader();
    let row = ask.find(&mut reader, record)?;
    let wanted = model::key(id);
    let mut out = ask.open(1024);
    let mut pack = Vec::new();
    for number in 0..(row.participant_count as usize).div_ceil(PARTICIPANTS_PER_PACK) {
        if !reader.participant_pack(row.record_key, number, &mut pack)? {
            break;
        }
        for item in Pack::read(&pack).map_err(damaged)?.items() {
            let Item { id, members, .. } = item.map_err(damaged)?;
            if model::key(id) == wanted {
                out.push(b',');
                out.extend_from_slice(members);
                out.push(b'}');
                let content = Content {
                    ty: &generated::PARTICIPANT,
                    is_collection: false,
                    path: &context::entity(&ask.resource, id),
                    has_unsettled_enum: has_unsettled_enum(&row),
                };
                return ask.finish(out, &content, None);
            }
        }
    }
    Err(Problem::not_found())
}

/// `callRecords/{id}/organizer_v2`; 204 when the record names none (OData Protocol 11.2.7).
pub(super) fn organizer(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let row = ask.find(&mut ask.reader(), record)?;
    let members = RecordFragment::members(&row.fragment).map_err(damaged)?;
    let text = format!("{{{}}}", String::from_utf8_lossy(members));
    let node = Node::parse(&text).map_err(Problem::internal)?;
    let Some(organizer) = node.get("organizer_v2").and_then(Node::as_object) else {
        return Ok(Response::empty(http::StatusCode::NO_CONTENT));
    };
    let mut out = ask.open(1024);
    out.push(b',');
    write_members(&mut out, organizer);
    out.push(b'}');
    let content = Content {
        ty: &generated::ORGANIZER,
        is_collection: false,
        path: &context::entity(&ask.resource, ""),
        has_unsettled_enum: has_unsettled_enum(&row),
    };
    ask.finish(out, &content, None)
}
