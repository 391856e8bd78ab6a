//! What an import tells of single records while it runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ingest::{Counts, Event, Remark};
use serde_json::{Value, json};

use crate::progress::Progress;

/// Places that are named of one undeclared name, and names that are told apart. Graph adds members to its
/// enumerations, and then each record may have one.
const PLACES: u64 = 10;
const NAMES: usize = 1_000;

/// Tells on standard error, and in the file of `--rejects`, what becomes of records.
pub(super) struct ImportReport {
    progress: Progress,
    rejects: Option<BufWriter<File>>,
    committed: Arc<Mutex<Counts>>,
    /// How many records had each undeclared name.
    undeclared: BTreeMap<String, u64>,
    /// The first failure. It does not stop the import, but fails the command at the end.
    written: io::Result<()>,
}

impl ImportReport {
    /// Tells of rejected records in the file, if there is one. `committed` gets the counts.
    pub(super) fn new(
        progress: Progress,
        rejects: Option<BufWriter<File>>,
        committed: Arc<Mutex<Counts>>,
    ) -> Self {
        Self { progress, rejects, committed, undeclared: BTreeMap::new(), written: Ok(()) }
    }

    /// Tells of an event.
    pub(super) fn tell(&mut self, event: &Event<'_>) {
        let written = match event {
            Event::Progress(counts) => {
                *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = **counts;
                self.progress.show(counts);
                return;
            }
            Event::Rejected(remark) => match &mut self.rejects {
                Some(file) => writeln!(file, "{}", object(remark)),
                None => self.progress.print(&line(remark, "")),
            },
            Event::Incomplete(remark) => self.progress.print(&line(remark, "incomplete: ")),
            Event::Undeclared(remark) => self.warn(remark),
        };
        if self.written.is_ok() {
            self.written = written;
        }
    }

    fn warn(&mut self, remark: &Remark) -> io::Result<()> {
        let is_known = self.undeclared.contains_key(&remark.message);
        if !is_known && self.undeclared.len() == NAMES {
            return Ok(());
        }
        let count = self.undeclared.entry(remark.message.clone()).or_default();
        *count += 1;
        if *count > PLACES {
            return Ok(());
        }
        self.progress.print(&line(remark, "warning: "))
    }

    /// Removes the progress, and gives the sentences that are left to be told, and the first failure to tell
    /// something.
    pub(super) fn finish(self) -> (Vec<String>, io::Result<()>) {
        self.progress.finish();
        let flushed = self.rejects.map_or(Ok(()), |mut file| file.flush());
        let more = self.undeclared.iter().filter(|(_, count)| **count > PLACES);
        let sentence =
            |(what, count): (&String, &u64)| format!("{} more records: {what}", count - PLACES);
        (more.map(sentence).collect(), self.written.and(flushed))
    }
}

/// A remark as a line for reading.
fn line(remark: &Remark, kind: &str) -> String {
    let Remark { file, fault_line, pointer, message, .. } = remark;
    let place = if *fault_line == 0 { file.to_string() } else { format!("{file}:{fault_line}") };
    if pointer.is_empty() {
        format!("{place}: {kind}{message}")
    } else {
        format!("{place}: {kind}{pointer}: {message}")
    }
}

/// A rejection as a JSON object.
fn object(remark: &Remark) -> Value {
    let Remark { file, line, fault_line, pointer, message } = remark;
    json!({ "file": &**file, "line": line, "faultLine": fault_line, "pointer": pointer, "message": message })
}
