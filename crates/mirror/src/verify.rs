//! Compares a source with what is stored: its list, and record by record if asked for.

use std::ops::Range;

use store::LedgerDifference;
use tokio::sync::watch;

use crate::worker::{Figures, Goal, MirrorRun, Ran, RunError, run};

/// Differences that are named.
const NAMED: usize = 10_000;

/// What a comparison came to.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// The hours that were compared.
    pub hours: Range<i64>,
    /// What the source listed in them.
    pub listed: u64,
    /// Listed records that the ledger did not have, or not in this version; they are due now.
    pub news: u64,
    /// Records that the ledger calls settled, and that are not stored so; they are due now.
    pub differences: Vec<LedgerDifference>,
    /// Records of the hours that are to be read, the two above among them.
    pub pending: u64,
    /// Records of the hours that are missing for a reason that the ledger has.
    pub holes: u64,
    /// Records of the hours that are here whole.
    pub complete: u64,
    /// Records of the hours that were erased here, and stay so.
    pub erased: u64,
    /// Records that were read once more.
    pub read: u64,
    /// Readings of these that came to nothing.
    pub failed: u64,
    /// Those of them that differ from what was stored, with the place of a value.
    pub differing: Vec<(String, String)>,
}

impl Verification {
    /// Whether both sides are equal.
    pub fn is_equal(&self) -> bool {
        self.pending == 0 && self.holes == 0 && self.differing.is_empty() && self.failed == 0
    }
}

/// Reads the lists of hours once more and compares them with the store; then, if a number is given, so many
/// records leaf by leaf. What differs becomes due.
///
/// # Errors
/// When that can't be done.
pub async fn verify(
    of: &MirrorRun,
    (hours, records): (Range<i64>, Option<usize>),
    stop: watch::Receiver<bool>,
    tell: &mut dyn FnMut(&Figures),
) -> Result<Verification, RunError> {
    let Ran { figures, .. } = run(of, Goal::Lists(hours.clone()), stop.clone(), tell).await?;
    let mut reader = of.store.reader()?;
    let (key, tenant) = (of.mirror.key, &of.mirror.setup.tenant);
    let range = (hours.start, hours.end);
    let differences = reader.mirror_differences(key, tenant, range, NAMED)?;
    let due: Vec<Vec<u8>> = differences.iter().map(|found| found.id_key.clone()).collect();
    of.store.make_mirror_records_due(key, due, 0).await?;
    let mut verification = Verification {
        hours,
        // By the last whole pass over each hour, which may have begun before this run.
        listed: reader.mirror_hours(key, range)?.iter().map(|hour| hour.listed).sum(),
        news: figures.news,
        differences,
        ..Verification::default()
    };
    if let Some(records) = records {
        let Ran { figures, differing } = run(of, Goal::Sample(records), stop, tell).await?;
        verification.read = figures.read;
        verification.failed = figures.failed;
        verification.differing = differing;
    }
    for count in reader.mirror_counts(key, range)? {
        match count.state {
            store::LedgerState::Due => verification.pending += count.count,
            store::LedgerState::Settled => verification.complete += count.count,
            state if state.is_hole() => verification.holes += count.count,
            store::LedgerState::Erased => verification.erased += count.count,
            _ => {}
        }
    }
    Ok(verification)
}
