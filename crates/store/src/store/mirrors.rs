//! Writes of mirrors and of their ledger.

use model::TenantId;

use super::{Store, bytes_of};
use crate::Error;
use crate::pending::Pending;
use crate::rows::mirror::{
    Evidence, Fenced, LedgerChange, MirrorLease, MirrorSetup, MirroredRecord, MirroredResults,
    ReadSlice,
};
use crate::tables::{mirror_ledger, mirrors};
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
    pub fn note_mirror_slice(&self, lease: MirrorLease, slice: ReadSlice) -> Pending<Fenced<u64>> {
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
        records: Vec<MirroredRecord>,
    ) -> Pending<MirroredResults> {
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
    ) -> Pending<Fenced<()>> {
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
}
