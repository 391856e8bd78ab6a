//! What was acknowledged, what arrived, and whether the one answers to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Versions that the server said it keeps, with when it said so, by record.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    records: BTreeMap<String, BTreeMap<u64, Instant>>,
}

/// A notification that came.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// Its id, which stays the same each time it comes.
    pub(crate) message: String,
    pub(crate) record: String,
    /// It is the first that the subscription was told of the record.
    pub(crate) is_created: bool,
    pub(crate) at: Instant,
}

impl Arrival {
    /// Whether both tell the same, whenever they came.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.record, self.is_created) == (&other.record, other.is_created)
    }
}

/// What a subscription was told, judged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Notifications that never came.
    pub(super) lost: u64,
    /// Records of which a later version was told before the first.
    pub(super) out_of_order: u64,
    /// Notifications of what was never acknowledged nor sent.
    pub(super) unknown: u64,
    /// Notifications beyond those that had to come.
    pub(super) duplicates: u64,
}

impl Ledger {
    /// Notes a version; the first time counts.
    pub(super) fn acknowledged(&mut self, record: &str, version: u64, at: Instant) {
        self.records.entry(record.to_owned()).or_default().entry(version).or_insert(at);
    }

    /// Versions of the records that a subscription asks for.
    pub(super) fn expected(&self, asks_for: impl Fn(&str) -> bool) -> u64 {
        let wanted = self.records.iter().filter(|(record, _)| asks_for(record));
        wanted.map(|(_, versions)| versions.len() as u64).sum()
    }

    /// Judges what came to a subscription that asks for these records. A version can't be told from
    /// another by its notification, so a record's are counted, each once: one `created`, and one
    /// `updated` for each later version.
    pub(super) fn judge(&self, arrivals: &[Arrival], asks_for: impl Fn(&str) -> bool) -> Verdict {
        let mut told: BTreeMap<&str, Vec<&Arrival>> = BTreeMap::new();
        let mut verdict = Verdict::default();
        let mut messages = BTreeSet::new();
        for arrival in arrivals {
            if messages.insert(&arrival.message) {
                told.entry(&arrival.record).or_default().push(arrival);
            } else {
                verdict.duplicates += 1;
            }
        }
        for (record, arrivals) in &told {
            if !asks_for(record) || !self.records.contains_key(*record) {
                verdict.unknown += arrivals.len() as u64;
            }
            if arrivals.first().is_some_and(|first| !first.is_created) {
                verdict.out_of_order += 1;
            }
        }
        for (record, versions) in self.records.iter().filter(|(record, _)| asks_for(record)) {
            let arrivals = told.get(record.as_str()).map_or(&[][..], Vec::as_slice);
            let created = arrivals.iter().filter(|arrival| arrival.is_created).count() as u64;
            let updated = arrivals.len() as u64 - created;
            for (came, due) in [(created, 1), (updated, versions.len() as u64 - 1)] {
                verdict.lost += due.saturating_sub(came);
                verdict.duplicates += came.saturating_sub(due);
            }
        }
        verdict
    }

    /// From the acknowledgement of each record's first version to its first notification.
    pub(super) fn delays(&self, arrivals: &[Arrival]) -> Vec<Duration> {
        let mut first: BTreeMap<&str, Instant> = BTreeMap::new();
        for arrival in arrivals.iter().filter(|arrival| arrival.is_created) {
            let at = first.entry(&arrival.record).or_insert(arrival.at);
            *at = (*at).min(arrival.at);
        }
        let delays = first.into_iter().filter_map(|(record, at)| {
            let acknowledged = self.records.get(record)?.first_key_value()?.1;
            Some(at.saturating_duration_since(*acknowledged))
        });
        delays.collect()
    }
}

/// The delay that so many per cent do not exceed.
pub(crate) fn percentile(mut delays: Vec<Duration>, per_cent: usize) -> Duration {
    delays.sort();
    let place = (delays.len() * per_cent).div_ceil(100).saturating_sub(1);
    delays.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(now: Instant) -> Ledger {
        let mut ledger = Ledger::default();
        for (record, version) in [("a", 1), ("a", 2), ("b", 1)] {
            ledger.acknowledged(record, version, now);
        }
        ledger
    }

    fn arrivals(now: Instant, told: &[(&str, bool)]) -> Vec<Arrival> {
        let arrival = |(number, (record, is_created)): (usize, &(&str, bool))| Arrival {
            message: number.to_string(),
            record: (*record).to_owned(),
            is_created: *is_created,
            at: now + Duration::from_millis(number as u64),
        };
        told.iter().enumerate().map(arrival).collect()
    }

    fn judge(told: &[(&str, bool)]) -> Verdict {
        let now = Instant::now();
        ledger(now).judge(&arrivals(now, told), |_| true)
    }

    #[test]
    fn all_that_had_to_come_is_enough() {
        assert_eq!(judge(&[("a", true), ("b", true), ("a", false)]), Verdict::default());
    }

    #[test]
    fn whatever_is_wrong_is_noticed() {
        let verdict = |change: fn(&mut Verdict)| {
            let mut verdict = Verdict::default();
            change(&mut verdict);
            verdict
        };
        assert_eq!(judge(&[("a", true), ("b", true)]), verdict(|it| it.lost = 1));
        assert_eq!(judge(&[("a", true), ("a", false)]), verdict(|it| it.lost = 1));
        assert_eq!(
            judge(&[("a", false), ("a", true), ("b", true)]),
            verdict(|it| it.out_of_order = 1)
        );
        assert_eq!(
            judge(&[("a", true), ("a", true), ("a", false), ("b", true), ("b", false)]),
            verdict(|it| it.duplicates = 2)
        );
        assert_eq!(
            judge(&[("a", true), ("b", true), ("a", false), ("c", true)]),
            verdict(|it| it.unknown = 1)
        );
        let now = Instant::now();
        let told = arrivals(now, &[("a", true), ("a", false), ("b", true)]);
        assert_eq!(ledger(now).judge(&told, |it| it == "a"), verdict(|it| it.unknown = 1));
        assert_eq!(ledger(now).expected(|it| it == "a"), 2);
    }

    #[test]
    fn a_message_that_comes_again_stands_for_no_other() {
        let now = Instant::now();
        let mut told = arrivals(now, &[("a", true), ("a", false), ("b", true)]);
        told[1] = told[0].clone();
        let verdict = ledger(now).judge(&told, |_| true);
        assert_eq!((verdict.lost, verdict.duplicates), (1, 1));
    }

    #[test]
    fn delays_are_those_of_first_notifications() {
        let now = Instant::now();
        let told = arrivals(now, &[("x", true), ("a", true), ("a", true), ("b", true)]);
        let delays = ledger(now).delays(&told);
        assert_eq!(delays, [Duration::from_millis(1), Duration::from_millis(3)]);
        assert_eq!(percentile(delays.clone(), 99), Duration::from_millis(3));
        assert_eq!(percentile(delays, 50), Duration::from_millis(1));
    }
}
