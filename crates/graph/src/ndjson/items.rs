//! Items of a body that is one JSON object around an array: the body is read whole, and cut on other
//! threads.

use bytes::Bytes;
use ingest::{BYTE_ORDER_MARK, ItemSplitter};
use tokio::sync::mpsc;
use web::Problem;
use web::body::Reservation;

use super::{BATCHES_IN_FLIGHT, Batch, Batches, not_utf8};

/// The items of an array, or of an object with one member, an array; `memory` is given back behind the last of them.
/// The member may also be `value`, with annotations around it, as in answers. `misplaced` says of a context
/// why its items can't be taken.
pub(crate) async fn batches(
    bytes: Bytes,
    member: &'static str,
    misplaced: fn(&str) -> Option<String>,
    memory: Reservation,
) -> Result<Batches, Problem> {
    let read = move || split(bytes, member);
    let mut items = tokio::task::spawn_blocking(read).await.map_err(Problem::internal)??;
    if let Some(message) = items.context().and_then(misplaced) {
        return Err(Problem::bad_request(message).with_target("@odata.context"));
    }
    let (queue, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
    tokio::task::spawn_local(async move {
        let _memory = memory;
        loop {
            let cut = move || {
                let lines = items.next_batch();
                (items, lines)
            };
            let Ok((rest, lines)) = tokio::task::spawn_blocking(cut).await else { return };
            items = rest;
            if lines.is_empty() || queue.send(Ok(Batch::of(lines))).await.is_err() {
                return;
            }
        }
    });
    Ok(batches)
}

/// 400 for a body that is no such object.
fn split(bytes: Bytes, member: &str) -> Result<ItemSplitter, Problem> {
    let bytes =
        bytes.strip_prefix(BYTE_ORDER_MARK).map_or(bytes.clone(), |text| bytes.slice_ref(text));
    let text = String::from_utf8(bytes.into()).map_err(|error| {
        Problem::bad_request(format!("The body {}.", not_utf8(error.as_bytes())))
    })?;
    ItemSplitter::new(text, member).map_err(|error| Problem::bad_request(error.to_string()))
}
