//! Makes the records of chains of calls when they are due.
//!
//! A record is written in one transaction with the note of which events it knows, so a process can
//! end at any moment and none is lost or told twice.

use std::collections::HashMap;
use std::time::Duration;

use calls::{EventError, Leg, events, record};
use model::Shredded;
use store::{ChainRecord, Codec, DueChain, Error, Reader, Store};
use tokio::sync::watch;

/// How often is looked for chains that are due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Chains that are taken at a time.
const AT_ONCE: usize = 64;
/// Bytes of the records that are held together, unless one has more.
const MOST_BYTES: usize = 16 << 20;

/// Makes records of calls.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// Where the events are, and where records go.
    pub store: Store,
    /// How long is waited for more events after the last one, when all calls of a chain have ended.
    pub grace: Duration,
    /// How long is waited for the end of a call of which nothing is heard.
    pub abandoned_after: Duration,
}

/// Why a record can't be made of a chain.
#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error(transparent)]
    Store(#[from] Error),
    #[error("an event can't be read: {0}")]
    Event(#[from] EventError),
    #[error("the record is not valid at '{}': {}", .0.pointer(), .0)]
    Record(#[from] model::Error),
}

impl Recorder {
    /// Works until it is told to stop. For a thread of its own.
    ///
    /// # Errors
    /// When the store can't be read at all.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let mut reader = self.store.reader()?;
        // Chains that no record can be made of, until another event comes.
        let mut unmade = HashMap::new();
        while !*stop.borrow() {
            if let Err(error) = self.round(&mut reader, &mut unmade).await {
                tracing::warn!(%error, "records of calls wait for the store");
            }
            reader.release();
            tokio::select! {
                () = store::clock::moved() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                changed = stop.changed() => {
                    // Whoever could tell it to stop is gone.
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
        unmade: &mut HashMap<i64, i64>,
    ) -> Result<(), Error> {
        let now = store::clock::now();
        let ticks = |time: Duration| odata::primitive::Duration::from(time).0;
        let (ended_before, any_before) =
            (now - ticks(self.grace), now - ticks(self.abandoned_after));
        loop {
            // Those of which no record can be made stay due, and must not hide the others.
            let limit = AT_ONCE + unmade.len();
            let mut due = reader.due_chains(ended_before, any_before, limit)?;
            due.retain(|chain| unmade.get(&chain.key) != Some(&chain.last_event));
            if due.is_empty() {
                return Ok(());
            }
            let made = self.make_all(reader, due, now, unmade)?;
            // Whoever waits for a write holds nothing that the writer may wait for.
            reader.release();
            // Together, so that they share a commit.
            let written: Vec<_> =
                made.into_iter().map(|made| self.store.write_chain_record(made)).collect();
            for written in written {
                // One that has changed meanwhile is due again.
                written.await?;
            }
        }
    }

    /// Makes records of the first of these chains, as many as are held together.
    fn make_all(
        &self,
        reader: &mut Reader,
        due: Vec<DueChain>,
        now: i64,
        unmade: &mut HashMap<i64, i64>,
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
                Err(Unmade::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, chain = chain.id, "no record of a call");
                    unmade.insert(chain.key, chain.last_event);
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
) -> Result<(Shredded, usize), Unmade> {
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
