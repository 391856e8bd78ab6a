//! Pieces of answers that are copied from the fragments that are kept of a record.

use std::ops::Range;

use model::assemble::{
    SessionForm, Window, push_annotation, push_items, push_participant, push_session,
};
use model::fragment::{PARTICIPANTS_PER_PACK, SESSIONS_PER_PACK};
use odata::bound::{ExpandItem, Query};
use odata::{context, key};
use store::{Reader, StoredRecord};
use web::Problem;

use crate::ask::Ask;
use crate::paging::Page;
use crate::record::record_path;

/// Opens an expanded collection with its context.
pub(crate) fn open_expansion(ask: &Ask<'_>, path: &str, item: &ExpandItem, out: &mut Vec<u8>) {
    let name = item.property.name;
    let context = context::nested(path, item.property, &item.query);
    out.push(b',');
    push_annotation(out, &format!("{name}@odata.context"), &[&ask.scope.metadata, &context]);
    out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
}

/// The link from the part of a collection that stands in its record to the rest of it.
pub(crate) fn push_inline_link(
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
    let link = ask.scope.link(&next, &resource, &item.query);
    out.push(b',');
    push_annotation(out, &format!("{name}@odata.nextLink"), &[&link]);
}

/// Appends the sessions at those places, in the form that `query` asks for; how many there were.
pub(crate) fn push_session_page(
    ask: &Ask<'_>,
    reader: &mut Reader,
    row: &StoredRecord,
    query: &Query,
    places: Range<usize>,
    out: &mut Vec<u8>,
) -> Result<usize, Problem> {
    let form = session_form(ask, row, query);
    let mut pack = Vec::new();
    push_packs(places, SESSIONS_PER_PACK, |number, window| {
        if !reader.session_pack(row.record_key, number, &mut pack)? {
            return Ok(0);
        }
        push_items(out, &pack, window, |out, session| {
            push_session(out, &form, session);
        })
        .map_err(Problem::damaged)
    })
}

/// How sessions are written: with their segments, if these are asked for.
pub(crate) fn session_form(ask: &Ask<'_>, row: &StoredRecord, query: &Query) -> SessionForm {
    let expanded = query.expand.iter().find(|item| item.property.name == "segments");
    match expanded {
        Some(item) => {
            let segments = context::nested("", item.property, &item.query);
            SessionForm::with_segments(&ask.scope.metadata, &record_path(row), &segments)
        }
        None => SessionForm::ALONE,
    }
}

/// Appends the participants at those places; how many there were.
pub(crate) fn push_participant_page(
    reader: &mut Reader,
    row: &StoredRecord,
    places: Range<usize>,
    out: &mut Vec<u8>,
) -> Result<usize, Problem> {
    push_packs(places, PARTICIPANTS_PER_PACK, |number, window| {
        let mut pack = Vec::new();
        if !reader.participant_pack(row.record_key, number, &mut pack)? {
            return Ok(0);
        }
        push_items(out, &pack, window, push_participant).map_err(Problem::damaged)
    })
}

/// Goes over the packs that hold the items at those places.
fn push_packs(
    places: Range<usize>,
    pack_size: usize,
    mut push: impl FnMut(usize, Window) -> Result<usize, Problem>,
) -> Result<usize, Problem> {
    let room = places.len();
    let mut shown = 0;
    while shown < room {
        let at = places.start + shown;
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

/// Appends the number of all items, if that is asked for.
pub(crate) fn push_count(out: &mut Vec<u8>, count: Option<u64>) {
    if let Some(count) = count {
        out.extend_from_slice(format!(",\"@odata.count\":{count}").as_bytes());
    }
}

/// The link to what is behind the `behind`-th item, if there is anything.
pub(crate) fn push_link_behind(
    ask: &Ask<'_>,
    row: &StoredRecord,
    page: &Page,
    behind: usize,
    count: i64,
    out: &mut Vec<u8>,
) {
    let shown = behind - page.start();
    if shown == 0 || behind >= count as usize {
        return;
    }
    let after = (behind as u64).to_le_bytes().to_vec();
    if let Some(next) = page.next(shown, after, Some(row.version)) {
        push_next_link(ask, out, &next);
    }
}

fn push_next_link(ask: &Ask<'_>, out: &mut Vec<u8>, next: &Page) {
    let query = Query { skiptoken: None, ..ask.query.clone() };
    let link = ask.scope.link(next, &ask.path, &query);
    out.push(b',');
    push_annotation(out, "@odata.nextLink", &[&link]);
}
