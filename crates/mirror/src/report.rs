//! How it stands with a mirror, by what its ledger says.

use std::collections::BTreeMap;

use store::{HourRow, LedgerRecord, LedgerState, MirrorRow, Reader};

use crate::hours;
use crate::schedule::{self, HourFacts, HourState};

/// How it stands with an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourReport {
    /// The hour.
    pub hour: i64,
    /// Its state.
    pub state: HourState,
    /// Records that were ever listed for it.
    pub listed: u64,
    /// Those that are here whole.
    pub complete: u64,
    /// Those that are to be read.
    pub pending: u64,
    /// Those that are missing for a reason that the ledger has.
    pub holes: u64,
    /// Those that were erased here.
    pub erased: u64,
    /// Rows that were listed for it though they start elsewhere.
    pub outside: u64,
    /// Whether its first, closing or sealing pass is late.
    pub is_late: bool,
}

/// How it stands with a mirror.
#[derive(Debug, Clone)]
pub struct Report {
    /// The mirror.
    pub mirror: MirrorRow,
    /// The time at the source (ticks), by what was last heard of it.
    pub now: i64,
    /// All its hours from the first on.
    pub hours: Vec<HourReport>,
    /// Records that are missing, at most as many as were asked for.
    pub holes: Vec<LedgerRecord>,
    /// When the record that is due the longest was to be read.
    pub oldest_due: Option<i64>,
}

impl Report {
    /// The sum of a figure over all hours.
    pub fn sum(&self, figure: impl Fn(&HourReport) -> u64) -> u64 {
        self.hours.iter().map(figure).sum()
    }

    /// The first hour that is not as `is_so` says, or the one behind the last.
    pub fn up_to(&self, is_so: impl Fn(&HourReport) -> bool) -> i64 {
        let first = self.hours.iter().find(|hour| !is_so(hour)).map(|hour| hour.hour);
        first.unwrap_or_else(|| hours::of(self.now) + 1)
    }

    /// Whether something is missing that should be here, or was not looked at in time.
    pub fn needs_attention(&self) -> bool {
        self.mirror.problem.is_some()
            || self
                .hours
                .iter()
                .any(|hour| hour.holes > 0 || hour.is_late || hour.state == HourState::Unknowable)
    }
}

/// Reads how it stands with a mirror; names at most `holes` records that are missing.
///
/// # Errors
/// When the store can't be read.
pub fn report(
    reader: &mut Reader,
    mirror: &MirrorRow,
    holes: usize,
) -> Result<Report, store::Error> {
    let now = store::clock::system() + mirror.skew.unwrap_or(0);
    let all = (i64::MIN, i64::MAX);
    let rows = reader.mirror_hours(mirror.key, all)?;
    let rows: BTreeMap<i64, HourRow> = rows.into_iter().map(|row| (row.hour, row)).collect();
    let mut counts: BTreeMap<i64, Counts> = BTreeMap::new();
    for count in reader.mirror_counts(mirror.key, all)? {
        counts.entry(count.hour).or_default().add(count.state, count.count);
    }
    let known = rows.keys().chain(counts.keys()).copied();
    let covered = mirror.setup.begins..hours::of(now) + 1;
    let mut all_hours: Vec<i64> = known.chain(covered).collect();
    all_hours.sort_unstable();
    all_hours.dedup();
    let created = mirror.created + mirror.skew.unwrap_or(0);
    let of = |hour| {
        let row = rows.get(&hour).copied().unwrap_or_default();
        let counts = counts.get(&hour).copied().unwrap_or_default();
        hour_report(hour, row, counts, (now, created))
    };
    Ok(Report {
        hours: all_hours.into_iter().map(of).collect(),
        holes: reader.mirror_holes(mirror.key, holes)?,
        oldest_due: reader.next_due_mirror_record(mirror.key)?,
        mirror: mirror.clone(),
        now,
    })
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    settled: u64,
    due: u64,
    holes: u64,
    erased: u64,
}

impl Counts {
    fn add(&mut self, state: LedgerState, count: u64) {
        match state {
            LedgerState::Settled => self.settled += count,
            LedgerState::Due => self.due += count,
            LedgerState::Erased => self.erased += count,
            LedgerState::Gone | LedgerState::Refused | LedgerState::Unreadable => {
                self.holes += count;
            }
        }
    }
}

fn hour_report(hour: i64, row: HourRow, counts: Counts, times: (i64, i64)) -> HourReport {
    let facts =
        HourFacts { passed: row.passed, is_begun: row.unfinished.is_some(), pending: counts.due };
    HourReport {
        hour,
        state: schedule::state(hour, facts, times.0),
        listed: counts.settled + counts.due + counts.holes + counts.erased,
        complete: counts.settled,
        pending: counts.due,
        holes: counts.holes,
        erased: counts.erased,
        outside: row.outside,
        is_late: schedule::is_late(hour, row.passed, times),
    }
}
