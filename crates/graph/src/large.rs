//! Records and what is inside them, where that is too large to be made as a whole: parts of text between
//! fragments that are read as the client takes them.
//!
//! What such an answer says is what any other read of the same would say, and its tag is the same. But it
//! has no length, since nobody has counted it, and no encoding, since it would be encoded in memory. What
//! has to be made as a whole all the same (another form than the one kept, a member of a batch) is made
//! elsewhere, if it is at most half of what may be in flight.

mod maker;

use std::sync::Arc;

use bytes::Bytes;
use model::assemble::{SessionForm, Window, push_annotation};
use model::fragment::{FragmentKind, PARTICIPANTS_PER_PACK, SESSIONS_PER_PACK};
use model::generated;
use odata::bound::Query;
use odata::edm::StructuredType;
use store::StoredRecord;
use web::outflow::{InFlight, Outflow, Reader};
use web::response::{ContentType, ETag};
use web::{Problem, Response, stream};

use crate::ask::Ask;
use crate::copies::{open_expansion, push_count, push_inline_link, push_link_behind, session_form};
use crate::paging::{MOST_PARTICIPANTS, MOST_SESSIONS, Page};
use crate::query_form::selects;
use crate::record::{has_unsettled_enum, record_path};
use crate::scope::Content;
use crate::tag::TagOf;
use crate::target::{Base, RecordRef};
use maker::{Layout, Maker, Part};

/// Bytes that are sent together.
const PIECE: usize = 128 << 10;
/// What a reader needs beside the fragments as the store keeps them: windows of the decoder, and pieces on
/// their way.
const BESIDE: u64 = 4 << 20;

/// An answer that is yet to be made.
struct Plan {
    parts: Vec<Part>,
    /// What comes behind them.
    text: Vec<u8>,
    etag: ETag,
    ty: &'static StructuredType,
    is_collection: bool,
    path: String,
    has_unsettled_enum: bool,
}

/// Answers for a record, its sessions or its participants as they are kept.
pub(crate) async fn answer(ask: &Ask<'_>, base: &Base) -> Result<Response, Problem> {
    let plan = {
        let mut reader = ask.reader();
        reader.without_large(|reader| match base {
            Base::Record(of) => record(ask, reader, of),
            Base::Sessions(of) => sessions(ask, reader, of),
            Base::Participants(of) => participants(ask, reader, of),
            _ => Err(Problem::internal("nothing else is kept as it is answered")),
        })?
    };
    if ask.request.matches_none(&plan.etag) {
        return Ok(Response::not_modified(plan.etag));
    }
    let outflow = ask.worker.web.shared.outflow.clone();
    let peer = Arc::clone(ask.request.peer());
    let whose = Reader { caller: Some(Arc::clone(&ask.caller)), peer };
    let (_, shape) = ask.wanted()?;
    let is_kept_form = !selects(ask.query) && shape.is_plain(plan.has_unsettled_enum);
    if ask.request.is_member || !is_kept_form {
        return whole(ask, plan, outflow, whose, is_kept_form).await;
    }
    let Plan { parts, text, etag, .. } = plan;
    let maker = ask.elsewhere(move |reader| {
        let bytes = packed_bytes(reader, &parts)?;
        let in_flight = outflow.take(bytes + BESIDE, &whose)?;
        Ok((Maker::new(reader, parts, text)?, in_flight))
    });
    let (maker, in_flight) = maker.await?;
    let (sender, stream) = stream::stream();
    tokio::task::spawn_local(send(maker, sender, in_flight));
    let format = ask.format()?;
    let response = Response::stream(ContentType::Json(format), stream);
    Ok(response.with_etag(etag).applied(ask.applied()))
}

/// Makes piece after piece, each when the one before it was taken.
async fn send(mut maker: Maker, sender: stream::Sender, in_flight: InFlight) {
    loop {
        let work = move || {
            let piece = maker.piece(PIECE);
            (maker, piece)
        };
        let Ok((back, piece)) = tokio::task::spawn_blocking(work).await else { return };
        maker = back;
        match piece {
            Ok(piece) if piece.is_empty() => break,
            Ok(piece) => {
                if sender.send(Bytes::from(piece)).await.is_err() {
                    return;
                }
            }
            Err(problem) => {
                tracing::error!(?problem, "a large answer broke off");
                return;
            }
        }
    }
    sender.finish();
    drop(in_flight);
}

/// Makes all of it, on another thread.
async fn whole(
    ask: &Ask<'_>,
    plan: Plan,
    outflow: Outflow,
    whose: Reader,
    is_kept_form: bool,
) -> Result<Response, Problem> {
    let Plan { parts, text, etag, ty, is_collection, path, has_unsettled_enum } = plan;
    let (format, shape) = ask.wanted()?;
    let (scope, query) = (ask.scope.clone(), ask.query.clone());
    let made = ask.elsewhere(move |reader| {
        let mut maker = Maker::new(reader, parts, text)?;
        // Both the text as it is kept and the one that is answered.
        let mut in_flight = outflow.take(2 * maker.size(), &whose)?;
        let mut out = Vec::new();
        loop {
            let piece = maker.piece(PIECE)?;
            if piece.is_empty() {
                break;
            }
            out.extend_from_slice(&piece);
        }
        if !is_kept_form {
            let content = Content { ty, is_collection, path: &path, has_unsettled_enum };
            out = scope.vary(&out, &content, &query, &shape)?;
        }
        in_flight.become_size(out.len() as u64);
        Ok((out, in_flight))
    });
    let (out, in_flight) = made.await?;
    let response = Response::json(format, out).with_etag(etag).applied(ask.applied());
    Ok(response.counted(in_flight))
}

fn packed_bytes(reader: &mut store::Reader, parts: &[Part]) -> Result<u64, Problem> {
    let mut all = 0;
    for part in parts {
        if let Part::Fragment { kind, place, .. } = part {
            all += reader.packed_bytes(*kind, *place)?.unwrap_or(0);
        }
    }
    Ok(all)
}

fn record(ask: &Ask<'_>, reader: &mut store::Reader, of: &RecordRef) -> Result<Plan, Problem> {
    let row = ask.scope.find(reader, of)?;
    let path = record_path(&row);
    let mut plan = Plan::new(ask, &row, TagOf::Record, &generated::CALL_RECORD, &path)?;
    plan.text.push(b',');
    let mut organizer = Vec::new();
    let context = [&*ask.scope.metadata, &path, "/organizer_v2/$entity"];
    push_annotation(&mut organizer, "organizer_v2@odata.context", &context);
    organizer.push(b',');
    plan.fragment(FragmentKind::Record, (row.record_key, 0), Layout::Record { organizer });
    for item in &ask.query.expand {
        let wanted = ask.scope.max_page_size;
        match item.property.name {
            "sessions" => {
                let page = Page::first(&item.query, MOST_SESSIONS, wanted);
                open_expansion(ask, &path, item, &mut plan.text);
                let shown = plan.sessions(ask, &row, &item.query, 0, page.room());
                plan.text.push(b']');
                if shown < row.session_count as usize {
                    push_inline_link(ask, &row, item, &page, shown, &mut plan.text);
                }
            }
            "participants_v2" => {
                let page = Page::first(&item.query, MOST_PARTICIPANTS, wanted);
                open_expansion(ask, &path, item, &mut plan.text);
                let shown = plan.participants(&row, 0, page.room());
                plan.text.push(b']');
                if shown < row.participant_count as usize {
                    push_inline_link(ask, &row, item, &page, shown, &mut plan.text);
                }
            }
            // The organizer is there without being asked for.
            _ => {}
        }
    }
    plan.text.push(b'}');
    Ok(plan)
}

fn sessions(ask: &Ask<'_>, reader: &mut store::Reader, of: &RecordRef) -> Result<Plan, Problem> {
    let page = ask.page(MOST_SESSIONS)?;
    let row = ask.scope.find_for_page(reader, of, &page)?;
    let path = record_path(&row);
    let mut plan = Plan::new(ask, &row, TagOf::Sessions, &generated::SESSION, &path)?;
    plan.open_collection(ask, row.session_count);
    let start = page.start();
    let shown = plan.sessions(ask, &row, ask.query, start, page.room());
    plan.text.push(b']');
    push_link_behind(ask, &row, &page, start + shown, row.session_count, &mut plan.text);
    plan.text.push(b'}');
    Ok(plan)
}

fn participants(
    ask: &Ask<'_>,
    reader: &mut store::Reader,
    of: &RecordRef,
) -> Result<Plan, Problem> {
    let page = ask.page(MOST_PARTICIPANTS)?;
    let row = ask.scope.find_for_page(reader, of, &page)?;
    let path = record_path(&row);
    let mut plan = Plan::new(ask, &row, TagOf::Participants, &generated::PARTICIPANT, &path)?;
    plan.open_collection(ask, row.participant_count);
    let start = page.start();
    let shown = plan.participants(&row, start, page.room());
    plan.text.push(b']');
    push_link_behind(ask, &row, &page, start + shown, row.participant_count, &mut plan.text);
    plan.text.push(b'}');
    Ok(plan)
}

impl Plan {
    fn new(
        ask: &Ask<'_>,
        row: &StoredRecord,
        of: TagOf,
        ty: &'static StructuredType,
        record: &str,
    ) -> Result<Self, Problem> {
        let inside = match of {
            TagOf::Sessions => "/sessions",
            TagOf::Participants => "/participants_v2",
            TagOf::Record | TagOf::Rows => "",
        };
        Ok(Self {
            parts: Vec::new(),
            text: ask.open(512),
            etag: ask.etag(of, row)?,
            ty,
            is_collection: !inside.is_empty(),
            path: format!("{record}{inside}"),
            has_unsettled_enum: has_unsettled_enum(row),
        })
    }

    fn open_collection(&mut self, ask: &Ask<'_>, count: i64) {
        push_count(&mut self.text, ask.query.count.then_some(count as u64));
        self.text.extend_from_slice(b",\"value\":[");
    }

    /// Puts a fragment behind the text so far.
    fn fragment(&mut self, kind: FragmentKind, place: (i64, usize), layout: Layout) {
        self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        self.parts.push(Part::Fragment { kind, place, layout });
    }

    /// Puts sessions there from the `start`-th on, `room` at most; how many there are.
    fn sessions(
        &mut self,
        ask: &Ask<'_>,
        row: &StoredRecord,
        query: &Query,
        start: usize,
        room: usize,
    ) -> usize {
        let form = session_form(ask, row, query);
        let windows = windows(start, room, row.session_count as usize, SESSIONS_PER_PACK);
        windows.fold(0, |shown, (number, window)| {
            let layout = Layout::Items { window, form: form.clone() };
            self.fragment(FragmentKind::Sessions, (row.record_key, number), layout);
            shown + window.take
        })
    }

    /// The same of participants.
    fn participants(&mut self, row: &StoredRecord, start: usize, room: usize) -> usize {
        let windows = windows(start, room, row.participant_count as usize, PARTICIPANTS_PER_PACK);
        windows.fold(0, |shown, (number, window)| {
            let layout = Layout::Items { window, form: SessionForm::ALONE };
            self.fragment(FragmentKind::Participants, (row.record_key, number), layout);
            shown + window.take
        })
    }
}

/// The packs that hold `room` of `count` items from the `start`-th on, with what is shown of each.
fn windows(
    start: usize,
    room: usize,
    count: usize,
    pack_size: usize,
) -> impl Iterator<Item = (usize, Window)> {
    let room = room.min(count.saturating_sub(start));
    let mut shown = 0;
    std::iter::from_fn(move || {
        let at = start + shown;
        let skip = at % pack_size;
        let take = (room - shown).min(pack_size - skip);
        let window = Window { skip, take, is_first: shown == 0 };
        shown += take;
        (take > 0).then_some((at / pack_size, window))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_of_the_packs_that_hold_the_items() {
        let of = |start, room, count| -> Vec<_> {
            windows(start, room, count, 60)
                .map(|(number, window)| (number, window.skip, window.take, window.is_first))
                .collect()
        };
        assert_eq!(of(0, 60, 60), [(0, 0, 60, true)]);
        assert_eq!(of(0, 60, 7), [(0, 0, 7, true)]);
        assert_eq!(of(50, 60, 200), [(0, 50, 10, true), (1, 0, 50, false)]);
        assert_eq!(of(60, 5, 62), [(1, 0, 2, true)]);
        assert_eq!(of(9, 5, 9), []);
        assert_eq!(of(0, 0, 9), []);
    }
}
