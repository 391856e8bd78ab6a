//! Writes of mirrors and of their ledger.

use model::TenantId;

use super::{Store, bytes_of};
use crate::Error;
use crate::pending::Pending;
use crate::rows::mirror::{
    Evidence, FencedResult, LedgerChange, MirrorLease, MirrorRecord, MirrorResults, MirrorSetup,
    ReadSlice,
};
use crate::rows::mirror_reception::{MirrorGap, MirrorSubscription, SubscriptionEvent};
use crate::tables::{mirror_ledger, mirror_reception, mirrors};
use crate::writer::Weight;

impl Store {
    /// Adds a mirror, or changes the settings of the one of that name; false if there is one of another
    /// tenant.
    pub fn put_mirror(&self, setup: MirrorSetup) -> Pending<bool> {
        self.submit(Weight::SMALL, move |session| mirrors::put(session, &setup))
    }

    /// Deletes a mirror with its ledger and its secrets (`mirror/NAME/…`), and keeps its records; whether
    /// there was one.
    pub fn delete_mirror(&self, name: &str) -> Pending<bool> {
        let name = name.to_owned();
        self.submit(Weight::SMALL, move |session| mirrors::delete(session, &name))
    }

    /// Takes or renews the lease of a mirror for this process; none while another process has it.
    pub fn hold_mirror(&self, mirror_key: i64) -> Pending<Option<MirrorLease>> {
        let holder = self.inner.state.holder.clone();
        self.submit(Weight::SMALL, move |session| mirrors::hold(session, mirror_key, &holder))
    }

    /// Gives the lease of a mirror back before it runs out.
    pub fn release_mirror(&self, lease: MirrorLease) -> Pending<()> {
        let holder = self.inner.state.holder.clone();
        self.submit(Weight::SMALL, move |session| mirrors::release(session, lease, &holder))
    }

    /// Notes by how much the source's clock is ahead of ours (ticks), if it answered, and what stands in
    /// the way of reading it; whether the lease still holds.
    pub fn note_mirror_contact(
        &self,
        lease: MirrorLease,
        skew: Option<i64>,
        problem: Option<String>,
    ) -> Pending<bool> {
        let holder = self.inner.state.holder.clone();
        self.submit(Weight::SMALL, move |session| {
            if !mirrors::still_holds(session, lease, &holder)? {
                return Ok(false);
            }
            mirrors::note_contact(session, lease.mirror_key, skew, problem.as_deref())?;
            Ok(true)
        })
    }

    /// Notes a slice of a list that was read whole, with all its rows, in one transaction; how many of them
    /// are new, or new versions.
    pub fn note_mirror_slice(
        &self,
        lease: MirrorLease,
        slice: ReadSlice,
    ) -> Pending<FencedResult<u64>> {
        let holder = self.inner.state.holder.clone();
        let weight = Weight { records: slice.rows.len(), bytes: 0 };
        self.submit(weight, move |session| {
            mirror_ledger::note_slice(session, (lease, &holder), &slice)
        })
    }

    /// Writes records of a mirror and what the ledger says of each, in one transaction.
    pub fn write_mirrored(
        &self,
        lease: MirrorLease,
        tenant: &TenantId,
        records: Vec<MirrorRecord>,
    ) -> Pending<MirrorResults> {
        let holder = self.inner.state.holder.clone();
        let bytes = records.iter().map(|mirrored| bytes_of(&mirrored.record)).sum();
        let weight = Weight { records: records.len(), bytes };
        let starts = records.iter().map(|mirrored| mirrored.record.start).collect();
        let tenant = tenant.clone();
        self.submit_dated(weight, starts, move |session| {
            mirror_ledger::write(session, (lease, &holder), &tenant, &records)
        })
    }

    /// Notes what has become of records, with evidence, in one transaction.
    pub fn note_mirror_changes(
        &self,
        lease: MirrorLease,
        changes: Vec<LedgerChange>,
        evidence: Vec<Evidence>,
    ) -> Pending<FencedResult<()>> {
        let holder = self.inner.state.holder.clone();
        let bytes = evidence.iter().map(|evidence| evidence.sealed.len()).sum();
        self.submit(Weight { records: changes.len(), bytes }, move |session| {
            mirror_ledger::note_changes(session, (lease, &holder), &changes, &evidence)
        })
    }

    /// Has records of a mirror be read again at an instant (ticks), by the keys of their ids; how many.
    pub fn make_mirror_records_due(
        &self,
        mirror_key: i64,
        id_keys: Vec<Vec<u8>>,
        due_at: i64,
    ) -> Pending<u64> {
        let weight = Weight { records: id_keys.len(), bytes: 0 };
        self.submit(weight, move |session| -> Result<u64, Error> {
            mirror_ledger::make_due(session, mirror_key, &id_keys, due_at)
        })
    }

    /// Has records of a mirror be read that notifications named (ids) at an instant (ticks).
    pub fn note_mirror_notified(&self, mirror_key: i64, ids: Vec<String>, now: i64) -> Pending<()> {
        let weight = Weight { records: ids.len(), bytes: 0 };
        self.submit(weight, move |session| {
            mirror_reception::note_notified(session, mirror_key, &ids, now)
        })
    }

    /// Notes when the source has checked the address of a mirror, if it did, and how many messages were
    /// forged.
    pub fn note_mirror_reception(
        &self,
        mirror_key: i64,
        validated: Option<i64>,
        forged: u64,
    ) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| {
            mirror_reception::note_reception(session, mirror_key, validated, forged)
        })
    }

    /// Notes what a message of the source says of a subscription at an instant (ticks); whether there is such
    /// a one that has not ended.
    pub fn note_subscription_event(
        &self,
        mirror_key: i64,
        id: &str,
        event: SubscriptionEvent,
        now: i64,
    ) -> Pending<bool> {
        let id = id.to_owned();
        self.submit(Weight::SMALL, move |session| {
            mirror_reception::note_event(session, (mirror_key, &id), event, now)
        })
    }

    /// Notes a stretch of time in which notifications of a mirror may have been lost; one that began at the
    /// same time for the same reason grows.
    pub fn note_mirror_gap(&self, mirror_key: i64, gap: MirrorGap) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| {
            mirror_reception::note_gap(session, mirror_key, &gap)
        })
    }

    /// Notes a subscription of a mirror as it is now.
    pub fn put_mirror_subscription(
        &self,
        lease: MirrorLease,
        subscription: MirrorSubscription,
    ) -> Pending<FencedResult<()>> {
        let holder = self.inner.state.holder.clone();
        self.submit(Weight::SMALL, move |session| {
            mirror_reception::put_subscription(session, (lease, &holder), &subscription)
        })
    }
}
