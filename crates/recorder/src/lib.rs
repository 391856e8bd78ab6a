//! Makes the records of chains of calls when they are due.
//!
//! One transaction writes a record and the note of which events it includes. So a process can end at
//! any moment, and no event is lost or counted twice.

use std::collections::HashMap;
use std::time::Duration;

use calls::{EventError, Leg, events, record};
use model::ShreddedRecord;
use store::{ChainRecord, Codec, DueChain, Error, Reader, Store};
use tokio::sync::watch;

/// How often the recorder looks for chains that are due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Chains that it takes at a time.
const AT_ONCE: usize = 64;
/// Bytes of records that it holds at a time, unless one record has more.
const MOST_BYTES: usize = 16 << 20;

/// Makes records of calls.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// Where the events are, and where records go.
    pub store: Store,
    /// How long to wait for more events after the last one, once all calls of a chain have ended.
    pub grace: Duration,
    /// How long to wait for the end of a call that sends no events any more.
    pub abandoned_after: Duration,
}

/// Why a record can't be made of a chain.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error("an event can't be read: {0}")]
    Event(#[from] EventError),
    #[error("the record is not valid at '{}': {}", .0.pointer(), .0)]
    Record(#[from] model::Error),
}

impl Recorder {
    /// Runs until `stop` says so. For a thread of its own.
    ///
    /// # Errors
    /// When the store can't be read at all.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let mut reader = self.store.reader()?;
        // Chains that no record can be made of, with the last event of each: another one may help.
        let mut failed = HashMap::new();
        while !*stop.borrow() {
            if let Err(error) = self.round(&mut reader, &mut failed).await {
                tracing::warn!(%error, "records of calls wait for the store");
            }
            reader.release();
            tokio::select! {
                () = store::clock::moved() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                changed = stop.changed() => {
                    // The sender is gone.
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn round(
        &self,
        reader: &mut Reader,
        failed: &mut HashMap<i64, i64>,
    ) -> Result<(), Error> {
        let now = store::clock::now();
        let ticks = |time: Duration| odata::primitive::Duration::from(time).0;
        let (ended_before, any_before) =
            (now - ticks(self.grace), now - ticks(self.abandoned_after));
        loop {
            // Chains that no record can be made of stay due, and must not hide the others.
            let limit = AT_ONCE + failed.len();
            let mut due = reader.due_chains(ended_before, any_before, limit)?;
            due.retain(|chain| failed.get(&chain.key) != Some(&chain.last_event));
            if due.is_empty() {
                return Ok(());
            }
            let made = self.make_all(reader, due, now, failed)?;
            // The writer may wait for what a reader holds.
            reader.release();
            // All at once, so that they share a commit.
            let written: Vec<_> =
                made.into_iter().map(|made| self.store.write_chain_record(made)).collect();
            for written in written {
                // A chain that has changed meanwhile is due again.
                written.await?;
            }
        }
    }

    /// Makes records of the first of these chains, up to [`MOST_BYTES`].
    fn make_all(
        &self,
        reader: &mut Reader,
        due: Vec<DueChain>,
        now: i64,
        failed: &mut HashMap<i64, i64>,
    ) -> Result<Vec<ChainRecord>, Error> {
        let mut records = Vec::new();
        let mut bytes = 0;
        let mut codec = self.store.codec();
        for chain in due {
            match make(reader, &chain, now, &mut codec) {
                Ok((record, length)) => {
                    bytes += length;
                    records.push(ChainRecord { chain, record });
                }
                Err(RecordError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, chain = chain.id, "no record of a call");
                    failed.insert(chain.key, chain.last_event);
                }
            }
            if bytes > MOST_BYTES {
                break;
            }
        }
        Ok(records)
    }
}

/// The record of a chain, with the length of its text.
fn make(
    reader: &mut Reader,
    chain: &DueChain,
    now: i64,
    codec: &mut Codec,
) -> Result<(ShreddedRecord, usize), RecordError> {
    let calls = reader.calls_of_chain(chain.key)?;
    let mut bodies = Vec::with_capacity(calls.len());
    for call in &calls {
        bodies.push(reader.call_events(call.key, true)?);
    }
    let events = bodies.iter().map(|bodies| events(bodies)).collect::<Result<Vec<_>, _>>()?;
    let legs: Vec<Leg<'_>> =
        calls.iter().zip(&events).map(|(call, events)| Leg::of(call, events)).collect();
    let text = record(&chain.id, chain.version + 1, now, &legs);
    Ok((model::shred_own(&text, codec)?, text.len()))
}
