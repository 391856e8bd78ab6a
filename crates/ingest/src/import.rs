//! Puts a stream of records into the store: shredded on several threads, written in order.
//!
//! Order matters where one id comes twice, so batches are numbered when they are read and written
//! by number. Memory is bounded by the bytes of text that are read and not yet committed, and
//! what is counted is committed: an import that was broken off is simply run again.

mod budget;

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use model::{Misplaced, ShreddedRecord, TenantId, UndeclaredName};
use store::{Outcome, Pending, Store, WriteResult};

use crate::fault_line::line_ends_before;
use crate::files::FilePiece;
use crate::split::Refusal;
use budget::Budget;

/// Bytes of text that may be under way, beside one record of any size.
const BYTES_UNDER_WAY: usize = 48 << 20;
/// Bytes of text, and pieces, after which a batch goes to the next thread.
const BATCH_BYTES: usize = 256 << 10;
const BATCH_PIECES: usize = 256;

/// Bytes that a piece takes beside its text, with the message if it is refused.
const PIECE_BYTES: usize = 512;

/// How many records came to which end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records found, those that were refused included.
    pub read: u64,
    /// Records that were not there.
    pub created: u64,
    /// Records that replaced a lower version.
    pub replaced: u64,
    /// Records that completed a stored one of the same version.
    pub merged: u64,
    /// Records that were there already.
    pub unchanged: u64,
    /// Records lower than the stored version, kept beside it.
    pub archived: u64,
    /// Records that are not in the store.
    pub rejected: u64,
    /// Records in the store that say that they have more sessions or participants than came.
    pub incomplete: u64,
    /// Names in records and rows that nothing declares, and that are kept as they are.
    pub warnings: u64,
}

/// What is to be said of a record, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where the record was read from.
    pub file: Arc<str>,
    /// Line on which it begins, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// Line of what is meant, where the record has several; otherwise the same.
    pub fault_line: u64,
    /// JSON Pointer to the value that is meant in the value that begins on that line.
    pub pointer: String,
    /// What is said.
    pub message: String,
}

/// What an import tells while it runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A batch was committed; these are the counts so far.
    Progress(&'a Counts),
    /// A record was refused, and is not in the store.
    Rejected(&'a Remark),
    /// A record has a name that nothing declares, and that may be misspelt; it is kept as it is.
    Undeclared(&'a Remark),
    /// A record in the store says that it has more sessions or participants than came.
    Incomplete(&'a Remark),
}

/// Imports all `pieces` with `threads` threads for shredding. A refused record is told and passed
/// over; a store that fails ends the import.
pub fn import<I>(
    store: &Store,
    tenant: &TenantId,
    pieces: I,
    threads: usize,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Counts, store::Error>
where
    I: Iterator<Item = FilePiece> + Send,
{
    let budget = Budget::new(BYTES_UNDER_WAY);
    let (batch_tx, batch_rx) = mpsc::channel();
    let (shredded_tx, shredded_rx) = mpsc::channel();
    let batch_rx = Mutex::new(batch_rx);
    thread::scope(|scope| {
        scope.spawn(|| read(pieces, batch_tx, &budget));
        for _ in 0..threads.max(1) {
            let (shredded_tx, batch_rx) = (shredded_tx.clone(), &batch_rx);
            scope.spawn(move || shred(store, batch_rx, &shredded_tx));
        }
        drop(shredded_tx);
        let writing = BatchWriter {
            store,
            tenant,
            budget: &budget,
            counts: Counts::default(),
            early: BTreeMap::new(),
            next: 0,
            under_way: VecDeque::new(),
            on_event,
        };
        let result = writing.run(shredded_rx);
        budget.close();
        result
    })
}

/// Pieces in the order in which they were read.
struct Batch {
    number: u64,
    bytes: usize,
    pieces: Vec<FilePiece>,
}

/// Where a record was read.
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    pub(crate) line: u64,
    pub(crate) pointer: String,
}

impl Origin {
    fn remark(&self, pointer: &str, message: String) -> Remark {
        let (file, line) = (Arc::clone(&self.file), self.line);
        let pointer = format!("{}{pointer}", self.pointer);
        Remark { file, line, fault_line: line, pointer, message }
    }

    /// The same of a value within the record, which has this text.
    fn remark_within(&self, text: &str, pointer: &str, message: String) -> Remark {
        let fault_line = self.line + line_ends_before(text, pointer);
        Remark { fault_line, ..self.remark(pointer, message) }
    }

    /// What is said of names in a text that are kept though nothing declares them.
    pub(crate) fn undeclared(&self, text: &str, names: &[UndeclaredName]) -> Vec<Remark> {
        let remark =
            |name: &UndeclaredName| self.remark_within(text, &name.pointer, name.to_string());
        names.iter().map(remark).collect()
    }
}

#[derive(Default)]
struct ShreddedBatch {
    number: u64,
    bytes: usize,
    origins: Vec<Origin>,
    records: Vec<ShreddedRecord>,
    rejects: Vec<Remark>,
    undeclared: Vec<Remark>,
}

fn read(pieces: impl Iterator<Item = FilePiece>, batches: Sender<Batch>, budget: &Budget) {
    let mut batch = Batch { number: 0, bytes: 0, pieces: Vec::new() };
    // A receiver that is gone means that the import has failed: nothing is left to be done here.
    let send = |batch: &mut Batch| {
        let next = Batch { number: batch.number + 1, bytes: 0, pieces: Vec::new() };
        batches.send(std::mem::replace(batch, next)).is_ok()
    };
    for piece in pieces {
        let bytes = PIECE_BYTES + piece.piece.as_ref().map_or(0, |record| record.text.len());
        let is_full = batch.pieces.len() >= BATCH_PIECES || batch.bytes + bytes > BATCH_BYTES;
        if is_full && !batch.pieces.is_empty() && !send(&mut batch) {
            return;
        }
        if !budget.take(bytes) {
            return;
        }
        batch.bytes += bytes;
        batch.pieces.push(piece);
    }
    if !batch.pieces.is_empty() {
        send(&mut batch);
    }
}

fn shred(store: &Store, batches: &Mutex<Receiver<Batch>>, shredded: &Sender<ShreddedBatch>) {
    let mut codec = store.codec();
    loop {
        let next = batches.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(batch) = next else { return };
        let mut out =
            ShreddedBatch { number: batch.number, bytes: batch.bytes, ..ShreddedBatch::default() };
        for FilePiece { file, piece } in batch.pieces {
            match piece {
                Err(refusal) => out.rejects.push(refused(file, refusal)),
                Ok(record) => {
                    let origin = Origin { file, line: record.line, pointer: record.pointer };
                    let context = record.context.as_deref();
                    if let Some(found) = context.and_then(Misplaced::of_context) {
                        out.rejects.push(origin.remark("", found.to_string()));
                        continue;
                    }
                    match model::shred(&record.text, &mut codec) {
                        Ok(shredded) => {
                            out.undeclared
                                .extend(origin.undeclared(&record.text, &shredded.undeclared));
                            out.origins.push(origin);
                            out.records.push(shredded);
                        }
                        Err(error) => out.rejects.push(reject(&origin, &record.text, error)),
                    }
                }
            }
        }
        if shredded.send(out).is_err() {
            return;
        }
    }
}

/// What could not even be cut out of the file.
pub(crate) fn refused(file: Arc<str>, refusal: Refusal) -> Remark {
    let Refusal { line, pointer, message } = refusal;
    Remark { file, line, fault_line: line, pointer, message }
}

/// Lines of the record, which has this text, become lines of the file.
pub(crate) fn reject(origin: &Origin, text: &str, error: model::Error) -> Remark {
    let error = error.from_line(origin.line);
    let remark = origin.remark_within(text, error.pointer(), error.to_string());
    match error {
        model::Error::Json(error) => Remark { fault_line: error.line as u64, ..remark },
        model::Error::Invalid { .. } => remark,
    }
}

/// A batch that is being committed.
struct PendingBatch {
    pending: Pending<Vec<WriteResult>>,
    origins: Vec<Origin>,
    bytes: usize,
}

struct BatchWriter<'a> {
    store: &'a Store,
    tenant: &'a TenantId,
    budget: &'a Budget,
    counts: Counts,
    /// Batches that wait for one that was read before them.
    early: BTreeMap<u64, ShreddedBatch>,
    next: u64,
    under_way: VecDeque<PendingBatch>,
    on_event: &'a mut dyn FnMut(Event<'_>),
}

impl BatchWriter<'_> {
    /// Hands batches to the store as they come and settles commits when none is waiting, so that
    /// shredding and committing overlap.
    fn run(mut self, shredded: Receiver<ShreddedBatch>) -> Result<Counts, store::Error> {
        loop {
            match shredded.try_recv() {
                Ok(batch) => self.accept(batch),
                Err(TryRecvError::Empty | TryRecvError::Disconnected)
                    if !self.under_way.is_empty() =>
                {
                    self.settle()?;
                }
                Err(TryRecvError::Empty) => match shredded.recv() {
                    Ok(batch) => self.accept(batch),
                    Err(_) => return Ok(self.counts),
                },
                Err(TryRecvError::Disconnected) => return Ok(self.counts),
            }
        }
    }

    fn accept(&mut self, batch: ShreddedBatch) {
        self.early.insert(batch.number, batch);
        while let Some(batch) = self.early.remove(&self.next) {
            self.next += 1;
            for reject in &batch.rejects {
                self.reject(reject);
            }
            self.counts.warnings += batch.undeclared.len() as u64;
            for remark in &batch.undeclared {
                (self.on_event)(Event::Undeclared(remark));
            }
            let ShreddedBatch { bytes, origins, records, .. } = batch;
            let pending = self.store.write(self.tenant, records);
            self.under_way.push_back(PendingBatch { pending, origins, bytes });
        }
    }

    /// Waits for the oldest commit.
    fn settle(&mut self) -> Result<(), store::Error> {
        let Some(PendingBatch { pending, origins, bytes }) = self.under_way.pop_front() else {
            return Ok(());
        };
        let written = pending.wait()?;
        self.budget.give_back(bytes);
        for (written, origin) in written.iter().zip(&origins) {
            self.count(written, origin);
        }
        (self.on_event)(Event::Progress(&self.counts));
        Ok(())
    }

    fn count(&mut self, written: &WriteResult, origin: &Origin) {
        let count = match &written.outcome {
            Outcome::Created => &mut self.counts.created,
            Outcome::Replaced => &mut self.counts.replaced,
            Outcome::Merged => &mut self.counts.merged,
            Outcome::Unchanged => &mut self.counts.unchanged,
            Outcome::Archived => &mut self.counts.archived,
            Outcome::Conflict { pointer } => {
                let version = written.version;
                let (tenant, id) = (self.tenant, &written.id);
                let message = format!(
                    "differs from the stored record of version {version}: raise the version, or erase what is \
                     stored with `callvault erase --tenant {tenant} {id}`"
                );
                return self.reject(&origin.remark(pointer, message));
            }
        };
        *count += 1;
        self.counts.read += 1;
        let parts = model::flags::incomplete(written.flags);
        if let [part, ..] = parts.as_slice() {
            self.counts.incomplete += 1;
            let (id, all) = (&written.id, parts.join(" and "));
            let message = format!(
                "{id} has more {all} than came: follow its {part}@odata.nextLink, and import it again with all \
                 of them"
            );
            (self.on_event)(Event::Incomplete(&origin.remark("", message)));
        }
    }

    fn reject(&mut self, reject: &Remark) {
        self.counts.read += 1;
        self.counts.rejected += 1;
        (self.on_event)(Event::Rejected(reject));
    }
}

#[cfg(test)]
mod tests;
