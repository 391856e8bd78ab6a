//! Progress of long commands: a bar on a terminal, otherwise a line every few seconds.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use ingest::Counts;

/// Time between two lines.
const INTERVAL: Duration = Duration::from_secs(5);

/// An import's progress on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Size of the files in bytes; unknown for standard input.
    total: Option<u64>,
    bytes_read: Arc<AtomicU64>,
    started: Instant,
    last_line: Instant,
    /// Present on a terminal.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts measuring. `bytes_read` counts up to `total`.
    pub(crate) fn start(total: Option<u64>, bytes_read: Arc<AtomicU64>) -> Self {
        let now = Instant::now();
        let bar = io::stderr().is_terminal().then(|| bar(total));
        Self { total, bytes_read, started: now, last_line: now, bar }
    }

    /// Shows the counts.
    pub(crate) fn show(&mut self, counts: &Counts) {
        let bytes = self.bytes_read.load(Ordering::Relaxed);
        let rate = counts.read as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let mut text = format!("{} records, {rate:.0}/s", counts.read);
        if counts.rejected > 0 {
            text = format!("{text}, {} rejected", counts.rejected);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
            bar.set_message(text);
        } else if self.last_line.elapsed() >= INTERVAL {
            self.last_line = Instant::now();
            // A closed standard error does not end the import.
            let _ = writeln!(io::stderr(), "{text}{}", self.left(bytes));
        }
    }

    /// Prints a line, above the bar if there is one.
    pub(crate) fn print(&self, line: &str) -> io::Result<()> {
        match &self.bar {
            Some(bar) => bar.suspend(|| writeln!(io::stderr(), "{line}")),
            None => writeln!(io::stderr(), "{line}"),
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    /// The share that is done and the estimated time left, as text.
    fn left(&self, bytes: u64) -> String {
        match self.total {
            Some(total) if bytes > 0 && total > 0 => {
                let share = (bytes as f64 / total as f64).min(1.0);
                let left = self.started.elapsed().mul_f64((1.0 - share) / share);
                format!(", {:.0} %, {} left", share * 100.0, HumanDuration(left))
            }
            _ => String::new(),
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3} %  {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}  {msg}"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the templates are sound"))
}

/// Progress in a known number of steps, on standard error.
#[derive(Debug)]
pub(crate) struct Steps {
    /// Name of the steps.
    what: &'static str,
    started: Instant,
    last_line: Instant,
    /// Present on a terminal.
    bar: Option<ProgressBar>,
}

impl Steps {
    /// Starts measuring.
    pub(crate) fn start(what: &'static str) -> Self {
        let now = Instant::now();
        let bar = io::stderr().is_terminal().then(|| bar(Some(0)));
        Self { what, started: now, last_line: now, bar }
    }

    /// Shows the number of finished steps, and the total.
    pub(crate) fn show(&mut self, done: u64, total: u64) {
        let rate = done as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let text = format!("{done} of {total} {}, {rate:.0}/s", self.what);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        }
        if self.bar.is_some() || self.last_line.elapsed() >= INTERVAL {
            self.say(&text);
        }
    }

    /// Shows the current activity.
    pub(crate) fn say(&mut self, text: &str) {
        self.last_line = Instant::now();
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            // A closed standard error does not end the command.
            None => drop(writeln!(io::stderr(), "{text}")),
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
