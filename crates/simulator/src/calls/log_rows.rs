//! The logs of a whole run: call by call, and the report that needs all of them at the end.

use std::collections::VecDeque;

use super::{Calls, Options};
use crate::logs::{Entry, Log, LogWriter, Report};
use crate::planted::Cause;

/// Makes the rows of all logs, a line of JSON each: call by call what it leaves behind, among it
/// what no call leaves (text messages, barred users), and last the report on dialling out, by day
/// and user. But for the report, a longer run begins with the shorter one.
#[derive(Debug)]
pub struct LogRows {
    calls: Calls,
    next: u64,
    ready: VecDeque<Entry>,
    /// Taken when all calls are counted.
    report: Option<Report>,
}

impl LogRows {
    /// Prepares the population; no row is made yet.
    pub fn new(options: Options) -> Self {
        Self::with_causes(options, &[])
    }

    /// The same with planted `causes`, of which [`Cause::Sbc`] shows in rows.
    pub fn with_causes(options: Options, causes: &[Cause]) -> Self {
        Self {
            calls: Calls::with_causes(options, causes),
            next: 0,
            ready: VecDeque::new(),
            report: Some(Report::default()),
        }
    }

    /// Makes the next rows; `None` when there are no more.
    fn refill(&mut self) -> Option<()> {
        let Calls { record_writer, call, frame, calls, .. } = &mut self.calls;
        let mut log_writer = LogWriter::of(record_writer);
        if self.next == *calls {
            self.ready.extend(log_writer.report(self.report.take()?));
            return Some(());
        }
        call.plan(frame, self.next);
        self.next += 1;
        self.ready.extend(log_writer.after(call));
        self.ready.extend(log_writer.beside(call, frame.span));
        if let Some(report) = &mut self.report {
            self.ready.iter().for_each(|entry| report.add(entry));
        }
        Some(())
    }
}

impl Iterator for LogRows {
    type Item = (Log, Vec<u8>);

    fn next(&mut self) -> Option<(Log, Vec<u8>)> {
        while self.ready.is_empty() {
            self.refill()?;
        }
        self.ready.pop_front().map(|entry| (entry.log, entry.line))
    }
}
