//! What is counted of records and notifications, behind the metrics of the server.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use web::write_family;

/// What became of records that came in, or were to go, by HTTP.
const OUTCOMES: [&str; 8] =
    ["created", "replaced", "merged", "unchanged", "archived", "conflict", "rejected", "erased"];

/// Counts records that come in or go, over all threads.
#[derive(Debug, Default)]
pub(crate) struct RecordCounters([AtomicU64; OUTCOMES.len()]);

impl RecordCounters {
    /// A record had this outcome.
    pub(crate) fn count(&self, outcome: &str) {
        if let Some(number) = OUTCOMES.iter().position(|name| *name == outcome) {
            self.0[number].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes what is counted, as Prometheus reads it.
pub(crate) fn write(
    out: &mut String,
    records: &RecordCounters,
    deliveries: &notify::Counters,
    lacking_columns: u64,
    answers_from_blocks: u64,
) -> fmt::Result {
    let name = "callvault_records_total";
    let counts = OUTCOMES.iter().zip(&records.0);
    let counts =
        counts.map(|(outcome, count)| (Some(("outcome", *outcome)), count.load(Ordering::Relaxed)));
    write_family(
        out,
        (name, "counter", "Records received or erased over HTTP, by outcome."),
        counts,
    )?;
    let name = "callvault_records_lacking_columns";
    let help = "Records of earlier versions that lack columns of this one, verdicts among them.";
    write_family(out, (name, "gauge", help), [(None, lacking_columns)])?;
    let name = "callvault_answers_from_blocks_total";
    let help = "Questions that were answered from blocks of columns.";
    write_family(out, (name, "counter", help), [(None, answers_from_blocks)])?;
    let of = deliveries;
    for (name, kind, help, value) in [
        ("queued", "gauge", "Notifications that wait.", &of.queued),
        ("oldest_seconds", "gauge", "Age of the oldest that waits.", &of.oldest_seconds),
        ("in_flight", "gauge", "Requests to receivers under way.", &of.in_flight),
        ("delivered_total", "counter", "Notifications that arrived.", &of.delivered),
        ("failed_total", "counter", "Requests to receivers that failed.", &of.failed),
        ("dead_total", "counter", "Notifications that were given up.", &of.dead),
        (
            "undecided_total",
            "counter",
            "Conditions that took too long, and counted as met.",
            &of.undecided,
        ),
    ] {
        let name = format!("callvault_deliveries_{name}");
        write_family(out, (&name, kind, help), [(None, value.load(Ordering::Relaxed))])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_deliveries_are_shown() {
        let (records, deliveries) = (RecordCounters::default(), notify::Counters::default());
        records.count("created");
        deliveries.queued.store(3, Ordering::Relaxed);
        let mut text = String::new();
        write(&mut text, &records, &deliveries, 7, 5).unwrap();
        for line in [
            "callvault_records_total{outcome=\"created\"} 1",
            "callvault_deliveries_queued 3",
            "callvault_records_lacking_columns 7",
            "callvault_answers_from_blocks_total 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
