//! The sequence of records: each call in turn, and second versions among them.

mod log_rows;

use std::collections::VecDeque;

use odata::primitive::DateTimeOffset;

use crate::calendar::Span;
use crate::json::Instants;
use crate::logs::{Log, LogWriter};
use crate::mix::Mix;
use crate::plan::{Call, Frame};
use crate::planted::{Cause, Targets, Truth};
use crate::population::Population;
use crate::record::RecordWriter;

pub use log_rows::LogRows;

/// Which calls to make.
#[derive(Debug, Clone)]
pub struct Options {
    /// The same seed, mix, span and tenant give the same bytes.
    pub seed: u64,
    /// How many calls. [`Mix::Realistic`] gives more lines, since some calls have two versions.
    pub calls: u64,
    /// Which kinds of calls.
    pub mix: Mix,
    /// No call starts before.
    pub from: DateTimeOffset,
    /// All calls are over and published before, as far as the span is long enough for that.
    pub to: DateTimeOffset,
    /// Tenant id of the users; ids of people and records don't depend on it.
    pub tenant: String,
}

/// Makes records, one line of JSON each.
#[derive(Debug)]
pub struct Calls {
    frame: Frame,
    calls: u64,
    next: u64,
    /// Second versions to come: before which call, and of which.
    updates: VecDeque<(u64, u64)>,
    record_writer: RecordWriter,
    call: Call,
}

impl Calls {
    /// Prepares the population; no call is made yet.
    pub fn new(options: Options) -> Self {
        Self::with_causes(options, &[])
    }

    /// The same with planted `causes` of poor quality.
    pub fn with_causes(options: Options, causes: &[Cause]) -> Self {
        let Options { seed, calls, mix, from, to, tenant } = options;
        let span = Span { from: from.0, to: to.0 };
        let targets = Targets::new(seed, span, causes);
        let in_url = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        Self {
            frame: Frame { seed, mix, span, targets },
            calls,
            next: 0,
            updates: VecDeque::new(),
            record_writer: RecordWriter {
                population: Population::new(seed, &tenant),
                instants: Instants::new(),
                tenant_in_url: tenant.chars().filter(in_url).collect::<String>().into_bytes(),
                legacy: mix.has_legacy_identities(),
                targets,
                truth: Truth::default(),
            },
            call: Call::default(),
        }
    }

    /// Appends the next record to `out`: expanded with sessions, segments and participants, without
    /// contexts and links, and a newline. False when there is none left.
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if let Some(index) = self.due_update() {
            self.call.plan(&self.frame, index);
            self.record_writer.write(out, &self.call, 2);
            return true;
        }
        if self.next == self.calls {
            return false;
        }
        let index = self.next;
        self.next += 1;
        self.call.plan(&self.frame, index);
        if let Some(lag) = self.call.update_lag {
            let due = self.next + lag;
            let place = self.updates.partition_point(|(other, _)| *other <= due);
            self.updates.insert(place, (due, index));
        }
        self.record_writer.write(out, &self.call, 1);
        true
    }

    /// Appends `version` (1 or 2) of call `index`, the same line that a run of so many calls has;
    /// false if it has no such version. How many calls the options ask for doesn't matter.
    pub fn write_record(&mut self, out: &mut Vec<u8>, index: u64, version: u64) -> bool {
        self.call.plan(&self.frame, index);
        let exists = version == 1 || version == 2 && self.call.update_lag.is_some();
        if exists {
            self.record_writer.write(out, &self.call, version);
        }
        exists
    }

    /// The rows that call `index` leaves behind in the logs, a line of JSON each. How many calls
    /// the options ask for doesn't matter.
    pub fn rows(&mut self, index: u64) -> Vec<(Log, Vec<u8>)> {
        self.call.plan(&self.frame, index);
        let entries = LogWriter::of(&mut self.record_writer).after(&self.call);
        entries.into_iter().map(|entry| (entry.log, entry.line)).collect()
    }

    /// Takes what is known, since it was last taken, of the planted causes in the records written:
    /// a line of JSON for each stream that a cause made poor, and for each session that failed in
    /// the outage. Of a record with two versions it is known with the second.
    pub fn take_truth(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.record_writer.truth.lines)
    }

    fn due_update(&mut self) -> Option<u64> {
        let (due, index) = *self.updates.front()?;
        if due > self.next && self.next < self.calls {
            return None;
        }
        self.updates.pop_front();
        Some(index)
    }
}

impl Iterator for Calls {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.write_next(&mut out).then_some(out)
    }
}
