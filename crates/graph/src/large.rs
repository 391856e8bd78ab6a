//! Records and what is inside them, where that is too large to be made as a whole: parts of text between
//! fragments that are read as the client takes them.
//!
//! What such an answer says is what any other read of the same would say, and its tag is the same. But it
//! has no length, since nobody has counted it, and no encoding, since it would be encoded in memory. What
//! has to be made as a whole all the same (another form than the one kept, a member of a batch) is made
//! elsewhere, if it is at most half of what may be in flight.

mod piece_writer;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use model::assemble::{SessionForm, Window, push_annotation};
use model::fragment::FragmentKind;
use store::StoredRecord;
use web::answer_budget::{AnswerBudget, InFlight, Reader};
use web::response::{ContentType, ETag};
use web::{Problem, Response, stream};

use crate::copy::page;
use crate::form::{Collection, Sink, Variation};
use crate::read_request::ReadRequest;
use crate::tag::TagOf;
use crate::target::RecordRef;
use piece_writer::{Layout, Part, PieceWriter};

/// Bytes that are sent together.
const PIECE: usize = 128 << 10;
/// What a reader needs beside the fragments as the store keeps them: windows of the decoder, and pieces on
/// their way.
const BESIDE: u64 = 4 << 20;

/// An answer that is yet to be made. It takes the pieces of a form as places in the store.
struct Plan {
    parts: Vec<Part>,
    /// What comes behind them.
    text: Vec<u8>,
    metadata: Arc<str>,
}

/// Answers for a record, its sessions or its participants as they are kept.
pub(crate) async fn answer(
    read: &ReadRequest<'_>,
    of: TagOf,
    record: &RecordRef,
) -> Result<Response, Problem> {
    let PlannedAnswer { plan, etag, variation } =
        read.reader().without_large(|reader| plan(read, reader, of, record))?;
    if read.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let answer_budget = read.worker.web.shared.answer_budget.clone();
    let peer = Arc::clone(read.request.peer());
    let whose = Reader { caller: Some(Arc::clone(&read.caller)), peer };
    let format = read.format()?;
    let Plan { parts, text, .. } = plan;
    if read.request.is_member || variation.is_some() {
        let made = read.elsewhere(move |reader| {
            whole(reader, (parts, text), (answer_budget, whose), variation)
        });
        let (out, in_flight) = made.await?;
        let response = Response::json(format, out).with_etag(etag).applied(read.applied());
        return Ok(response.counted(in_flight));
    }
    let maker = read.elsewhere(move |reader| {
        let bytes = packed_bytes(reader, &parts)?;
        let in_flight = answer_budget.take(bytes + BESIDE, &whose)?;
        Ok((PieceWriter::new(reader, parts, text)?, in_flight))
    });
    let (maker, in_flight) = maker.await?;
    let (sender, stream) = stream::stream();
    tokio::task::spawn_local(send(maker, sender, in_flight));
    let response = Response::stream(ContentType::Json(format), stream);
    Ok(response.with_etag(etag).applied(read.applied()))
}

/// An answer with all that has to be known of it before it is made.
struct PlannedAnswer {
    plan: Plan,
    etag: ETag,
    /// Gives the whole its form, where what is kept has another.
    variation: Option<Variation>,
}

fn plan(
    read: &ReadRequest<'_>,
    reader: &mut store::Reader,
    of: TagOf,
    record: &RecordRef,
) -> Result<PlannedAnswer, Problem> {
    let page = page(read, of)?;
    let row = match &page {
        Some(page) => read.scope.find_for_page(reader, record, page)?,
        None => read.scope.find(reader, record)?,
    };
    let form = read.form(of)?;
    let to = read.scope.addresses(&read.path);
    let text = form.open(to.metadata, 512);
    let mut plan = Plan { parts: Vec::new(), text, metadata: Arc::clone(&read.scope.metadata) };
    let shown = form.push(&mut plan, &to, &row, page.as_ref())?;
    form.close(&to, &row, page.as_ref(), shown, &mut plan.text);
    let variation = (!form.is_kept(&row)).then(|| form.variation(to.root, &row));
    Ok(PlannedAnswer { plan, etag: form.tag(&row), variation })
}

/// Makes piece after piece, each when the one before it was taken.
async fn send(mut maker: PieceWriter, sender: stream::Sender, in_flight: InFlight) {
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

/// Makes all of it.
fn whole(
    reader: &mut store::Reader,
    (parts, text): (Vec<Part>, Vec<u8>),
    (answer_budget, whose): (AnswerBudget, Reader),
    variation: Option<Variation>,
) -> Result<(Vec<u8>, InFlight), Problem> {
    let mut maker = PieceWriter::new(reader, parts, text)?;
    // Both the text as it is kept and the one that is answered.
    let mut in_flight = answer_budget.take(2 * maker.size(), &whose)?;
    let mut out = Vec::new();
    loop {
        let piece = maker.piece(PIECE)?;
        if piece.is_empty() {
            break;
        }
        out.extend_from_slice(&piece);
    }
    if let Some(variation) = variation {
        out = variation.of(&out)?;
    }
    in_flight.become_size(out.len() as u64);
    Ok((out, in_flight))
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

impl Plan {
    /// Puts a fragment behind the text so far.
    fn fragment(&mut self, kind: FragmentKind, place: (i64, usize), layout: Layout) {
        self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        self.parts.push(Part::Fragment { kind, place, layout });
    }
}

impl Sink for Plan {
    fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    fn record(&mut self, row: &StoredRecord, path: &str) -> Result<(), Problem> {
        let mut organizer = Vec::new();
        let context = [&*self.metadata, path, "/organizer_v2/$entity"];
        push_annotation(&mut organizer, "organizer_v2@odata.context", &context);
        organizer.push(b',');
        self.fragment(FragmentKind::Record, (row.record_key, 0), Layout::Record { organizer });
        Ok(())
    }

    fn items(
        &mut self,
        collection: Collection,
        row: &StoredRecord,
        places: Range<usize>,
        form: &SessionForm,
    ) -> Result<usize, Problem> {
        let kind = match collection {
            Collection::Sessions => FragmentKind::Sessions,
            Collection::Participants => FragmentKind::Participants,
        };
        let (start, room) = (places.start, places.len());
        let windows = windows(start, room, collection.count(row), collection.pack_size());
        Ok(windows.fold(0, |shown, (number, window)| {
            let layout = Layout::Items { window, form: form.clone() };
            self.fragment(kind, (row.record_key, number), layout);
            shown + window.take
        }))
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
