//! How it stands with a mirror, by what its ledger says.

use std::collections::BTreeMap;

use odata::primitive::DateTimeOffset;
use store::{
    DelayCount, HourRow, LedgerRecord, LedgerState, MirrorReception, MirrorRow, MirrorSubscription,
    Reader,
};

use crate::schedule::{self, Freshness, HourFacts, HourState, LISTED_FOR, Pass};
use crate::settings::{CredentialKind, MirrorSettings};
use crate::{delay, hours};

/// The age at which a record that is due is soon forgotten by the source: two days before its deadline.
const EXPIRING: i64 = LISTED_FOR - 6 * hours::HOUR - 2 * hours::DAY;

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
    /// Its first, closing or sealing pass if that is due, and for how long (ticks).
    pub late: Option<(Pass, i64)>,
}

impl HourReport {
    /// Whether a pass over it is so late that somebody should know.
    pub fn is_late(&self) -> bool {
        self.late.is_some_and(|(_, late)| late > schedule::LATE)
    }
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
    /// Records to be read that the source forgets within two days.
    pub expiring: u64,
    /// All records of the ledger by their states.
    pub states: BTreeMap<LedgerState, u64>,
    /// When the last finished pass over a list began.
    pub last_pass: Option<i64>,
    /// How late calls were heard of in the last days.
    pub delays: Vec<DelayCount>,
    /// Its subscriptions, the newest first.
    pub subscriptions: Vec<MirrorSubscription>,
    /// What came to its address.
    pub reception: MirrorReception,
    /// Time until its credential ends (ticks), if that is known.
    pub credential_left: Option<i64>,
    /// Whether a process runs it at present.
    pub is_held: bool,
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

    /// The first hour of which something is missing, or which is not closed.
    pub fn closed_to(&self) -> i64 {
        self.up_to(|hour| hour.state.is_closed() && hour.holes == 0)
    }

    /// The first hour of which something is missing, or which is not sealed.
    pub fn sealed_to(&self) -> i64 {
        self.up_to(|hour| hour.state == HourState::Sealed && hour.holes == 0)
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
    let mut states: BTreeMap<LedgerState, u64> = BTreeMap::new();
    for count in reader.mirror_counts(mirror.key, all)? {
        *states.entry(count.state).or_default() += count.count;
        counts.entry(count.hour).or_default().add(count.state, count.count);
    }
    let known = rows.keys().chain(counts.keys()).copied();
    let covered = mirror.setup.begins..hours::of(now) + 1;
    let mut all_hours: Vec<i64> = known.chain(covered).collect();
    all_hours.sort_unstable();
    all_hours.dedup();
    let created = mirror.created + mirror.skew.unwrap_or(0);
    let subscriptions = reader.mirror_subscriptions(mirror.key)?;
    let freshness = freshness(&subscriptions, now);
    let credential = MirrorSettings::from_json(&mirror.setup.settings).ok();
    let credential_left = credential.and_then(|settings| match settings.credential {
        CredentialKind::Certificate { ends, .. } => {
            Some(DateTimeOffset::from_unix_seconds(ends).0 - store::clock::system())
        }
        _ => None,
    });
    let of = |hour| {
        let row = rows.get(&hour).copied().unwrap_or_default();
        let counts = counts.get(&hour).copied().unwrap_or_default();
        hour_report(hour, row, counts, ((now, created), freshness))
    };
    Ok(Report {
        hours: all_hours.into_iter().map(of).collect(),
        holes: reader.mirror_holes(mirror.key, holes)?,
        oldest_due: reader.next_due_mirror_record(mirror.key)?,
        expiring: reader.due_mirror_records_before(mirror.key, now - EXPIRING)?,
        states,
        last_pass: rows.values().filter_map(|row| row.passed).max(),
        delays: reader.mirror_delays(mirror.key, now / hours::DAY - delay::DAYS)?,
        reception: reader.mirror_reception(mirror.key)?,
        is_held: reader.is_mirror_held(mirror.key)?,
        subscriptions,
        credential_left,
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

/// Whether notifications make new calls appear early.
pub(crate) fn freshness(subscriptions: &[MirrorSubscription], now: i64) -> Freshness {
    let lives = subscriptions.iter().any(|known| known.is_alive(now));
    if lives { Freshness::Notifications } else { Freshness::List }
}

fn hour_report(
    hour: i64,
    row: HourRow,
    counts: Counts,
    (times, freshness): ((i64, i64), Freshness),
) -> HourReport {
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
        late: schedule::lateness(hour, row.passed, times, freshness),
    }
}
