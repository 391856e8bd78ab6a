//! Puts the rows of a telephone log into the store, batch by batch.
//!
//! Rows are small and few beside records, so one thread reads and checks while the batch before is
//! written.

use std::sync::Arc;

use model::TenantId;
use model::log::{Log, LogRow, read};
use odata::primitive::DateTimeOffset;
use store::{LogRowOutcome, Pending, Store};

use crate::files::FilePiece;
use crate::import::{Counts, Event, Origin, Remark, refused, reject};

/// Rows that are written together.
const TOGETHER: usize = 1_000;

/// Imports all `pieces` as rows of a log. `counted_from` is when the calls of rows of the dial-out
/// report happened that don't say so. A refused row is told and passed over; a store that fails ends
/// the import.
pub fn import_log(
    store: &Store,
    tenant: &TenantId,
    log: Log,
    counted_from: Option<DateTimeOffset>,
    pieces: impl Iterator<Item = FilePiece>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Counts, store::Error> {
    let mut writing =
        RowWriter { store, tenant, counts: Counts::default(), under_way: None, on_event };
    let mut rows = Vec::with_capacity(TOGETHER);
    for FilePiece { file, piece } in pieces {
        match checked(file, piece, log, counted_from) {
            Ok((row, remarks)) => {
                writing.counts.warnings += remarks.len() as u64;
                for remark in &remarks {
                    (writing.on_event)(Event::Undeclared(remark));
                }
                rows.push(row);
            }
            Err(reject) => writing.reject(&reject),
        }
        if rows.len() == TOGETHER {
            writing.write(std::mem::take(&mut rows))?;
        }
    }
    writing.write(rows)?;
    writing.settle()?;
    Ok(writing.counts)
}

fn checked(
    file: Arc<str>,
    piece: Result<crate::split::Record, crate::split::Refusal>,
    log: Log,
    counted_from: Option<DateTimeOffset>,
) -> Result<(LogRow, Vec<Remark>), Remark> {
    match piece {
        Err(refusal) => Err(refused(file, refusal)),
        Ok(record) => {
            let origin = Origin { file, line: record.line, pointer: record.pointer };
            let row = read(log, &record.text, counted_from)
                .map_err(|error| reject(&origin, &record.text, error))?;
            let remarks = origin.undeclared(&record.text, &row.undeclared);
            Ok((row, remarks))
        }
    }
}

struct RowWriter<'a> {
    store: &'a Store,
    tenant: &'a TenantId,
    counts: Counts,
    under_way: Option<Pending<Vec<LogRowOutcome>>>,
    on_event: &'a mut dyn FnMut(Event<'_>),
}

impl RowWriter<'_> {
    fn write(&mut self, rows: Vec<LogRow>) -> Result<(), store::Error> {
        self.settle()?;
        self.under_way = Some(self.store.keep_log_rows(self.tenant, rows));
        Ok(())
    }

    /// Waits for the batch that is being written.
    fn settle(&mut self) -> Result<(), store::Error> {
        let Some(pending) = self.under_way.take() else { return Ok(()) };
        for kept in pending.wait()? {
            self.counts.read += 1;
            *match kept {
                LogRowOutcome::Created => &mut self.counts.created,
                LogRowOutcome::Replaced => &mut self.counts.replaced,
                LogRowOutcome::Merged => &mut self.counts.merged,
                LogRowOutcome::Unchanged => &mut self.counts.unchanged,
            } += 1;
        }
        (self.on_event)(Event::Progress(&self.counts));
        Ok(())
    }

    fn reject(&mut self, reject: &Remark) {
        self.counts.read += 1;
        self.counts.rejected += 1;
        (self.on_event)(Event::Rejected(reject));
    }
}
