//! Reading mirrors and their ledger.

use model::TenantId;

use super::Reader;
use crate::Error;
use crate::rows::mirror::{
    EvidenceRow, HourCount, HourRow, LedgerDifference, LedgerRecord, MirrorRow,
};
use crate::rows::mirror_reception::{DelayCount, MirrorGap, MirrorReception, MirrorSubscription};
use crate::tables::{mirror_ledger, mirror_reception, mirrors, tenants};

impl Reader {
    /// All mirrors, by name.
    pub fn mirrors(&mut self) -> Result<Vec<MirrorRow>, Error> {
        mirrors::all(self.snapshot.fresh()?)
    }

    /// At most `limit` records of a mirror that are due by an instant (ticks), by their starts: the oldest
    /// first, or the newest.
    pub fn due_mirror_records(
        &mut self,
        mirror_key: i64,
        due_by: (i64, usize),
        is_newest_first: bool,
    ) -> Result<Vec<LedgerRecord>, Error> {
        mirror_ledger::due(self.snapshot.fresh()?, mirror_key, due_by, is_newest_first)
    }

    /// When the next record of a mirror is due (ticks).
    pub fn next_due_mirror_record(&mut self, mirror_key: i64) -> Result<Option<i64>, Error> {
        mirror_ledger::next_due(self.snapshot.fresh()?, mirror_key)
    }

    /// At most `limit` records of a mirror that are missing here, by their starts.
    pub fn mirror_holes(
        &mut self,
        mirror_key: i64,
        limit: usize,
    ) -> Result<Vec<LedgerRecord>, Error> {
        mirror_ledger::holes(self.snapshot.fresh()?, mirror_key, limit)
    }

    /// At most `limit` settled records of a mirror, spread evenly over all.
    pub fn mirror_sample(
        &mut self,
        mirror_key: i64,
        limit: usize,
    ) -> Result<Vec<LedgerRecord>, Error> {
        mirror_ledger::sample(self.snapshot.fresh()?, mirror_key, limit)
    }

    /// What is known of the list of hours, from one to before another; hours of which nothing was read
    /// are left out.
    pub fn mirror_hours(
        &mut self,
        mirror_key: i64,
        range: (i64, i64),
    ) -> Result<Vec<HourRow>, Error> {
        mirror_ledger::hours(self.snapshot.fresh()?, mirror_key, range)
    }

    /// How many records of each hour are where.
    pub fn mirror_counts(
        &mut self,
        mirror_key: i64,
        range: (i64, i64),
    ) -> Result<Vec<HourCount>, Error> {
        mirror_ledger::counts(self.snapshot.fresh()?, mirror_key, range)
    }

    /// At most `limit` records of some hours that the ledger of a mirror calls settled, though they are not
    /// stored as it says.
    pub fn mirror_differences(
        &mut self,
        mirror_key: i64,
        tenant: &TenantId,
        range: (i64, i64),
        limit: usize,
    ) -> Result<Vec<LedgerDifference>, Error> {
        let connection = self.snapshot.fresh()?;
        // A tenant that never had a record has no number, and none has this one.
        let tenant_key = tenants::find(connection, tenant)?.unwrap_or(-1);
        mirror_ledger::differences(connection, (mirror_key, tenant_key), range, limit)
    }

    /// At most `limit` bodies that a mirror could not keep as records, without the bodies, the newest first.
    pub fn mirror_evidence(
        &mut self,
        mirror_key: i64,
        limit: usize,
    ) -> Result<Vec<EvidenceRow>, Error> {
        mirror_ledger::evidence(self.snapshot.fresh()?, mirror_key, limit)
    }

    /// How many records of a mirror that are due started before an instant (ticks).
    pub fn due_mirror_records_before(&mut self, mirror_key: i64, start: i64) -> Result<u64, Error> {
        mirror_ledger::due_before(self.snapshot.fresh()?, mirror_key, start)
    }

    /// The subscriptions of a mirror, also those that ended, the newest first.
    pub fn mirror_subscriptions(
        &mut self,
        mirror_key: i64,
    ) -> Result<Vec<MirrorSubscription>, Error> {
        mirror_reception::subscriptions(self.snapshot.fresh()?, mirror_key)
    }

    /// What came to the address of a mirror.
    pub fn mirror_reception(&mut self, mirror_key: i64) -> Result<MirrorReception, Error> {
        mirror_reception::reception(self.snapshot.fresh()?, mirror_key)
    }

    /// The stretches in which notifications of a mirror may have been lost.
    pub fn mirror_gaps(&mut self, mirror_key: i64) -> Result<Vec<MirrorGap>, Error> {
        mirror_reception::gaps(self.snapshot.fresh()?, mirror_key)
    }

    /// How late calls were heard of from a day (days from 1970) on, in classes that rise.
    pub fn mirror_delays(
        &mut self,
        mirror_key: i64,
        from_day: i64,
    ) -> Result<Vec<DelayCount>, Error> {
        mirror_reception::delays(self.snapshot.fresh()?, mirror_key, from_day)
    }

    /// What holds the lease of a mirror at present, if any process does.
    pub fn is_mirror_held(&mut self, mirror_key: i64) -> Result<bool, Error> {
        mirrors::is_held(self.snapshot.fresh()?, mirror_key)
    }
}
