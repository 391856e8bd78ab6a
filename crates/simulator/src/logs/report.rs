//! What dialling out of meetings cost: sums of the rows of such calls, day by day.

use std::collections::BTreeMap;

use odata::primitive::TICKS_PER_DAY;

use super::line::Line;
use super::{CURRENCY, Country, Entry, Log, LogWriter, context, seconds};
use crate::plan::Leg;
use crate::population::Party;

/// What is summed up separately. There is one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Midnight (UTC).
    day: i64,
    organizer: Party,
    /// Where the organizer is.
    location: &'static str,
    /// What the call counts as.
    context: &'static str,
}

/// A call out of a meeting, as far as the report knows it.
#[derive(Debug)]
pub(crate) struct Dialout {
    key: Key,
    cents: u64,
    seconds: u64,
}

impl Dialout {
    /// During `leg`, on account of `organizer`, who is in `country`.
    pub(super) fn of(organizer: Party, country: &'static Country, leg: &Leg, cents: u64) -> Self {
        let midnight = leg.start - leg.start.rem_euclid(TICKS_PER_DAY);
        let key =
            Key { day: midnight, organizer, location: country.code, context: context(country) };
        Self { key, cents, seconds: seconds(leg) }
    }
}

#[derive(Debug, Default)]
struct Totals {
    calls: u64,
    cents: u64,
    seconds: u64,
}

/// The report while it is summed up.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<Key, Totals>);

impl Report {
    /// Counts `entry` if it is a call out of a meeting.
    pub(crate) fn add(&mut self, entry: &Entry) {
        if let Some(dialout) = &entry.dialout {
            let totals = self.0.entry(dialout.key).or_default();
            totals.calls += 1;
            totals.cents += dialout.cents;
            totals.seconds += dialout.seconds;
        }
    }
}

impl LogWriter<'_> {
    /// The rows of `report`, by day and then by the users' ids.
    pub(crate) fn report(&mut self, report: Report) -> Vec<Entry> {
        let mut rows: Vec<_> = report.0.into_iter().collect();
        rows.sort_by_key(|(key, _)| (key.day, &self.population.get(key.organizer).id));
        rows.into_iter().map(|(key, totals)| self.report_row(key, &totals)).collect()
    }

    fn report_row(&mut self, key: Key, totals: &Totals) -> Entry {
        let line = Line::new()
            .instant("@callvault.startDateTime", self.instants, key.day)
            .members(&self.population.get(key.organizer).log_user)
            .text("usageLocation", key.location)
            .text("destinationContext", key.context)
            .text("currency", CURRENCY)
            .number("totalCalls", totals.calls)
            .cents("totalCallCharge", totals.cents)
            .number("totalCallSeconds", totals.seconds);
        Entry::new(Log::DialoutReport, line.end())
    }
}
