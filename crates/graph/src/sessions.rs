//! The sessions of a record as they are kept.

use model::generated;
use web::{Problem, Response};

use crate::ask::Ask;
use crate::copies::{push_count, push_link_behind, push_session_page};
use crate::paging::MOST_SESSIONS;
use crate::record::{has_unsettled_enum, record_path};
use crate::scope::Content;
use crate::tag::TagOf;
use crate::target::RecordRef;

/// `callRecords/{id}/sessions`
pub(crate) fn list(ask: &Ask<'_>, record: &RecordRef) -> Result<Response, Problem> {
    let page = ask.page(MOST_SESSIONS)?;
    let mut reader = ask.reader();
    let row = ask.scope.find_for_page(&mut reader, record, &page)?;
    let etag = ask.etag(TagOf::Sessions, &row)?;
    if ask.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let start = page.start();
    let path = record_path(&row);
    let mut out = ask.open(16 * 1024);
    push_count(&mut out, ask.query.count.then_some(row.session_count as u64));
    out.extend_from_slice(b",\"value\":[");
    let shown = push_session_page(
        ask,
        &mut reader,
        &row,
        ask.query,
        start..start.saturating_add(page.room()),
        &mut out,
    )?;
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
