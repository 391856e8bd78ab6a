//! The participants of a record as they are kept.

use model::generated;
use web::{Problem, Response};

use crate::ask::Ask;
use crate::copies::{push_count, push_link_behind, push_participant_page};
use crate::paging::MOST_PARTICIPANTS;
use crate::record::{has_unsettled_enum, record_path};
use crate::scope::Content;
use crate::tag::TagOf;
use crate::target::RecordRef;

/// `callRecords/{id}/participants_v2`
pub(crate) fn list(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let page = ask.page(MOST_PARTICIPANTS)?;
    let mut reader = ask.reader();
    let row = ask.scope.find_for_page(&mut reader, record, &page)?;
    let etag = ask.etag(TagOf::Participants, &row)?;
    if ask.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let start = page.start();
    let mut out = ask.open(16 * 1024);
    push_count(&mut out, ask.query.count.then_some(row.participant_count as u64));
    out.extend_from_slice(b",\"value\":[");
    let shown = push_participant_page(
        &mut reader,
        &row,
        start..start.saturating_add(page.room()),
        &mut out,
    )?;
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
