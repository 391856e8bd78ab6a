//! Which hour's list is read next.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use odata::primitive::TICKS_PER_SECOND;
use store::{HourRow, MirrorGap};

use crate::hours::{self, HOUR};
use crate::schedule::{self, Freshness};

/// The wait after a pass that broke off, doubled with each one in a row up to the longest.
const FIRST_WAIT: i64 = 2 * TICKS_PER_SECOND;
const LONGEST_WAIT: i64 = 600 * TICKS_PER_SECOND;

/// The longest call: what was notified in a gap may have started so long before.
const LONGEST_CALL: i64 = 30 * HOUR;

/// All hours of a mirror, and which of them failed.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    hours: BTreeMap<i64, HourRow>,
    failures: HashMap<i64, (u32, i64)>,
    /// Hours that are read whether they are due or not, if no pass over them began since then.
    forced: Option<(Range<i64>, i64)>,
    /// Hours that are read once more if no pass over them began since then: notifications may be missing.
    gaps: Vec<(Range<i64>, i64)>,
    freshness: Option<Freshness>,
    /// Turns that young hours had, and others.
    turns: (u64, u64),
}

impl Plan {
    pub(crate) fn new(hours: Vec<HourRow>) -> Self {
        let hours = hours.into_iter().map(|row| (row.hour, row)).collect();
        Self { hours, ..Self::default() }
    }

    /// Has these hours be read once more after an instant (ticks).
    pub(crate) fn force(&mut self, hours: Range<i64>, since: i64) {
        self.forced = Some((hours, since));
    }

    /// Notifications tell of new calls, or not, but for these stretches of time (ticks).
    pub(crate) fn notified(&mut self, freshness: Freshness, gaps: &[MirrorGap]) {
        self.freshness = Some(freshness);
        let hours = |gap: &MirrorGap| {
            (hours::of(gap.began - LONGEST_CALL)..hours::of(gap.ended) + 1, gap.ended)
        };
        self.gaps = gaps.iter().map(hours).collect();
    }

    /// What is known of an hour.
    pub(crate) fn known(&self, hour: i64) -> HourRow {
        self.hours.get(&hour).copied().unwrap_or(HourRow { hour, ..HourRow::default() })
    }

    /// An hour was read, or a part of it.
    pub(crate) fn note(&mut self, row: HourRow) {
        self.hours.insert(row.hour, row);
    }

    /// A pass over an hour broke off, or not.
    pub(crate) fn note_outcome(&mut self, hour: i64, is_whole: bool, now: i64) {
        if is_whole {
            self.failures.remove(&hour);
            return;
        }
        let failures = self.failures.entry(hour).or_insert((0, 0));
        failures.0 += 1;
        failures.1 = now + (FIRST_WAIT << failures.0.min(16)).min(LONGEST_WAIT);
    }

    /// The hour of a range to be read now. Of the young ones that which is due the longest, of others the
    /// oldest, which the source forgets first; the young ones get two of five turns at least.
    pub(crate) fn next(&mut self, range: Range<i64>, now: i64) -> Option<i64> {
        let (mut young, mut old) = (None::<(i64, i64)>, None);
        for hour in range {
            let Some(due) = self.due(hour).filter(|due| *due <= now) else { continue };
            if !schedule::is_young(hour, now) {
                old = old.or(Some(hour));
            } else if young.is_none_or(|(first, _)| due < first) {
                young = Some((due, hour));
            }
        }
        let young = young.map(|(_, hour)| hour);
        let is_their_turn = self.turns.0 * 3 <= self.turns.1 * 2;
        let next = if is_their_turn { young.or(old) } else { old.or(young) };
        match next {
            Some(hour) if young == Some(hour) => self.turns.0 += 1,
            Some(_) => self.turns.1 += 1,
            None => {}
        }
        next
    }

    /// Whether all hours of a range were read since they were forced.
    pub(crate) fn are_forced_read(&self, mut range: Range<i64>) -> bool {
        range.all(|hour| !self.is_forced(hour))
    }

    /// Whether no pass over the hours of a range is due, also none that failed.
    pub(crate) fn are_all_read(&self, mut range: Range<i64>, now: i64) -> bool {
        let due = |hour| self.scheduled(hour);
        range.all(|hour| due(hour).is_none_or(|due| due > now))
    }

    fn scheduled(&self, hour: i64) -> Option<i64> {
        let passed = self.known(hour).passed;
        let freshness = self.freshness.unwrap_or(Freshness::List);
        let usual = schedule::next_pass(hour, passed, freshness);
        let of_gaps = self.gaps.iter().filter(|(hours, until)| {
            hours.contains(&hour) && passed.is_none_or(|passed| passed < *until)
        });
        of_gaps.map(|(_, until)| *until).chain(usual).min()
    }

    fn is_forced(&self, hour: i64) -> bool {
        let passed = self.known(hour).passed;
        self.forced.as_ref().is_some_and(|(hours, since)| {
            hours.contains(&hour) && passed.is_none_or(|passed| passed < *since)
        })
    }

    fn due(&self, hour: i64) -> Option<i64> {
        let due = match &self.forced {
            Some((_, since)) => self.is_forced(hour).then_some(*since),
            None => self.scheduled(hour),
        };
        let failed = self.failures.get(&hour).map(|(_, again)| *again);
        due.map(|due| due.max(failed.unwrap_or(i64::MIN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours::DAY;

    const NOW: i64 = 20_000 * HOUR;
    const RANGE: Range<i64> = 19_280..20_001;

    fn read(plan: &mut Plan, hour: i64) {
        plan.note(HourRow { hour, passed: Some(NOW), passes: 1, ..HourRow::default() });
    }

    #[test]
    fn the_past_is_read_from_its_beginning_while_young_hours_keep_their_turns() {
        let mut plan = Plan::default();
        let (mut young, mut old) = (0, Vec::new());
        for _ in 0..50 {
            let hour = plan.next(RANGE, NOW).unwrap();
            read(&mut plan, hour);
            if schedule::is_young(hour, NOW) { young += 1 } else { old.push(hour) }
        }
        assert_eq!(young, 20);
        assert_eq!(old, (19_280..19_310).collect::<Vec<_>>());
        for _ in 0..RANGE.count() - 50 {
            let hour = plan.next(RANGE, NOW).unwrap();
            read(&mut plan, hour);
        }
        assert_eq!(plan.next(RANGE, NOW), None);
    }

    #[test]
    fn an_hour_that_failed_waits_longer_each_time_and_others_go_on() {
        let mut plan = Plan::default();
        let first = plan.next(RANGE, NOW).unwrap();
        plan.note_outcome(first, false, NOW);
        assert_ne!(plan.next(RANGE, NOW), Some(first));
        let mut alone = Plan::default();
        for _ in 0..20 {
            alone.note_outcome(19_300, false, NOW);
        }
        assert_eq!(alone.next(19_300..19_301, NOW + LONGEST_WAIT - 1), None);
        assert_eq!(alone.next(19_300..19_301, NOW + LONGEST_WAIT), Some(19_300));
        alone.note_outcome(19_300, true, NOW);
        assert_eq!(alone.next(19_300..19_301, NOW), Some(19_300));
    }

    #[test]
    fn hours_that_are_asked_for_are_read_once_whether_they_are_due_or_not() {
        let mut plan = Plan::default();
        let sealed = hours::end(19_290) + 29 * DAY;
        plan.note(HourRow { hour: 19_290, passed: Some(sealed), ..HourRow::default() });
        assert_eq!(plan.next(19_290..19_291, NOW), None);
        plan.force(19_290..19_292, NOW);
        let (one, two) = (19_290, 19_291);
        for hour in [one, two] {
            let next = plan.next(RANGE, NOW);
            assert_eq!(next, Some(hour));
            read(&mut plan, hour);
        }
        assert_eq!(plan.next(RANGE, NOW), None);
    }

    #[test]
    fn a_gap_has_the_hours_of_all_calls_read_that_it_may_hide() {
        let mut plan = Plan::default();
        for hour in RANGE {
            read(&mut plan, hour);
        }
        let began = NOW + HOUR;
        let gap = MirrorGap { began, ended: began + 1, why: "missed".to_owned() };
        plan.notified(Freshness::Notifications, &[gap]);
        let mut next = Vec::new();
        while let Some(hour) = plan.next(19_900..20_002, began + 1) {
            next.push(hour);
            plan.note(HourRow { hour, passed: Some(began + 1), passes: 1, ..HourRow::default() });
        }
        next.sort_unstable();
        // The first one's closing pass has become due meanwhile.
        let expected: Vec<i64> = [19_966].into_iter().chain(19_971..20_002).collect();
        assert_eq!(next, expected);
    }
}
