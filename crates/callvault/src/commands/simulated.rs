//! Imports simulated calls and rows of telephone logs into a store.

use std::sync::Arc;

use anyhow::{Result, ensure};
use ingest::{Event, FilePiece, Record};
use model::TenantId;
use model::log::Log;
use store::Store;

use super::simulate::model_log;

/// The store and the tenant that simulated data goes to.
pub(super) struct Target<'a> {
    pub(super) store: &'a Store,
    pub(super) tenant: &'a TenantId,
}

impl Target<'_> {
    /// Imports records on that many threads.
    ///
    /// # Errors
    /// When the store fails or rejects a record.
    pub(super) fn import_records(
        &self,
        records: impl Iterator<Item = Vec<u8>> + Send,
        threads: usize,
    ) -> Result<()> {
        let mut rejected = None;
        let mut note = |event: Event<'_>| note_rejection(&event, &mut rejected);
        ingest::import(self.store, self.tenant, pieces(records), threads, &mut note)?;
        ensure!(rejected.is_none(), "a record was rejected: {}", rejected.unwrap_or_default());
        Ok(())
    }

    /// Imports rows, one log after the other.
    ///
    /// # Errors
    /// When the store fails or rejects a row.
    pub(super) fn import_rows(
        &self,
        rows: impl Iterator<Item = (simulator::Log, Vec<u8>)>,
    ) -> Result<()> {
        let mut rows: Vec<_> = rows.map(|(log, row)| (model_log(log), row)).collect();
        for log in Log::ALL {
            let of_log = rows.extract_if(.., |(of, _)| *of == log).map(|(_, row)| row);
            let mut rejected = None;
            let mut note = |event: Event<'_>| note_rejection(&event, &mut rejected);
            ingest::import_log(self.store, self.tenant, log, None, pieces(of_log), &mut note)?;
            ensure!(rejected.is_none(), "a row was rejected: {}", rejected.unwrap_or_default());
        }
        Ok(())
    }
}

/// Keeps the first rejection.
fn note_rejection(event: &Event<'_>, rejected: &mut Option<String>) {
    if let Event::Rejected(reject) = event {
        rejected.get_or_insert_with(|| format!("{} {}", reject.pointer, reject.message));
    }
}

/// Simulated lines as pieces of a file.
fn pieces(lines: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = FilePiece> {
    let file: Arc<str> = "simulated".into();
    lines.zip(1..).map(move |(line, number)| FilePiece {
        file: Arc::clone(&file),
        piece: Ok(Record {
            text: String::from_utf8(line).expect("the simulator writes UTF-8"),
            line: number,
            pointer: String::new(),
            context: None,
        }),
    })
}
