//! Reading: records, lists of rows, the change log, and the rows of everything else.

mod mirrors;
mod pages;
mod places;
mod profiles;
mod queries;
mod records;
mod snapshot;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use model::TenantId;
use model::call::CallRow;
use odata::json::Node;

use self::snapshot::Snapshot;
use crate::Error;
use crate::answer;
use crate::cache::change_feed::{ChangeFeed, FeedChanges};
use crate::cache::records::RecordCache;
use crate::codec::{Codec, Large};
use crate::engine::Place;
use crate::maintenance::{compaction, verdicts};
use crate::options::Role;
use crate::rows::call::{CallScope, DueChain};
use crate::rows::change::{ChangeRange, ChangedRecords, LogPosition};
use crate::rows::log::{LogRange, StoredLogRow};
use crate::rows::record::{AppCredential, AppRow, ChangeRow, SigningKeyRow, StoredRecord};
use crate::rows::subscription::{
    Channel, CommittedVersions, DeliveryRow, DueEndpoint, FailingEndpoint, QueueSize,
    SubscriptionRow,
};
use crate::state::State;
use crate::tables::tenants::TenantCache;
use crate::tables::{
    administration, app_credentials, blocks, calls, change_log, changed_records, deliveries,
    log_positions, logs, subscriptions, tenants,
};

/// How long a pass of compaction may read.
const LONGEST_PASS: Duration = Duration::from_mins(10);

/// Reads a store, on a connection of its own; one for each thread.
///
/// Every call sees all writes acknowledged before it. The packs and the sessions of a record are
/// read as they were when the record itself was read last, unless [`Reader::release`] was called.
pub struct Reader {
    state: Arc<State>,
    snapshot: Snapshot,
    codec: Codec,
    tenants: TenantCache,
    /// Records of lists; for readers that stay, of a store that one process writes.
    cache: Option<RecordCache>,
}

impl Reader {
    /// Where the store is; its text has no password.
    pub fn place(&self) -> &Place {
        &self.state.place
    }

    /// Opens a connection.
    pub(crate) fn open(state: Arc<State>) -> Result<Self, Error> {
        let codec = Codec::new(Arc::clone(&state.dictionaries));
        let snapshot = Snapshot::open(Arc::clone(&state))?;
        let stays = state.role == Role::Serve && state.opener.file().is_ok();
        let cache = stays.then(RecordCache::new);
        Ok(Self { state, snapshot, codec, tenants: TenantCache::default(), cache })
    }

    /// Keeps less in memory: for a reader that goes through much and comes back to little.
    pub(crate) fn keep_fewer_pages(&mut self) -> Result<(), Error> {
        self.snapshot.keep_fewer_pages()
    }

    /// Some of the records that lack columns, from a record key on, judged.
    pub(crate) fn judged(&mut self, from: (i64, usize)) -> Result<Option<verdicts::Batch>, Error> {
        verdicts::read(self.snapshot.fresh()?, &mut self.codec, from)
    }

    /// The next pass of compaction over the blocks of a tenant, by its number ([`compaction::read`]).
    pub(crate) fn compaction(
        &mut self,
        tenant_key: i64,
        is_thorough: bool,
        may_work: &mut dyn FnMut() -> Result<bool, Error>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Option<compaction::Pass>, Error> {
        let connection = self.snapshot.fresh_until(Instant::now() + LONGEST_PASS)?;
        let tenant = (tenant_key, is_thorough);
        compaction::read((connection, &self.state.columns), tenant, may_work, goes_on)
    }

    /// Whether there are blocks of columns, or were when the change log was read last for them.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn has_blocks(&mut self) -> Result<bool, Error> {
        blocks::are_there(self.snapshot.fresh()?)
    }

    /// The numbers of all tenants.
    pub(crate) fn tenant_keys(&mut self) -> Result<Vec<i64>, Error> {
        tenants::keys(self.snapshot.fresh()?)
    }

    /// The verdict on a record that was read last: the schema's `callQuality`.
    ///
    /// # Errors
    /// When the record can't be read.
    pub fn verdict(&mut self, record: &StoredRecord) -> Result<Node<'static>, Error> {
        answer::verdicts::of_record(self.snapshot.same()?, &mut self.codec, record)
    }

    /// Records that lack columns.
    pub(crate) fn lacking_columns(&mut self) -> Result<u64, Error> {
        verdicts::left(self.snapshot.fresh()?)
    }

    /// Makes large fragments (more than 1 MiB) errors for this reader, so that it never takes long over
    /// one.
    pub fn refuse_large(&mut self) {
        self.codec.large = Large::Refused;
    }

    /// What has changed since the feed was read last, up to the state that the next calls see, or a later
    /// one. None where many nodes write: nothing can be kept in memory there.
    pub fn news(&mut self, following: &mut ChangeFeed) -> Result<Option<FeedChanges>, Error> {
        match self.snapshot.number()? {
            Some(number) => {
                let cut = self.state.log_cut.load(Ordering::Acquire);
                following.news(self.snapshot.same()?, number, cut).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Entries of the change log behind `after`, ascending.
    pub fn changes(&mut self, after: i64, limit: usize) -> Result<Vec<ChangeRow>, Error> {
        change_log::after(self.snapshot.fresh()?, after, limit)
    }

    /// Versions that were committed behind an entry of the change log, out of so many entries.
    pub fn committed_versions(
        &mut self,
        after: i64,
        limit: usize,
    ) -> Result<CommittedVersions, Error> {
        change_log::committed_versions(self.snapshot.fresh()?, after, limit)
    }

    /// The number of the last entry of the change log; 0 if there is none.
    pub fn last_change(&mut self) -> Result<i64, Error> {
        change_log::last(self.snapshot.fresh()?)
    }

    /// The last position of the change log behind which no entry is still to come.
    pub fn log_position(&mut self) -> Result<LogPosition, Error> {
        log_positions::last(self.snapshot.fresh()?)
    }

    /// Whether the change log still tells all that came behind a position.
    ///
    /// # Errors
    /// [`Error::LogCut`] if it does not.
    pub fn check_position(&mut self, position: &LogPosition) -> Result<(), Error> {
        log_positions::check(self.snapshot.fresh()?, position)
    }

    /// At most `room` records of a tenant that have changed within a part of the change log.
    pub fn changed_records(
        &mut self,
        tenant: &TenantId,
        range: ChangeRange,
        room: usize,
    ) -> Result<ChangedRecords, Error> {
        let connection = self.snapshot.fresh()?;
        match self.tenants.key(connection, tenant)? {
            Some(tenant_key) => changed_records::read(connection, tenant_key, range, room),
            None => Ok(ChangedRecords { records: Vec::new(), up_to: range.until, is_end: true }),
        }
    }

    /// Up to which entry of the change log messages are in the queues.
    pub fn notification_cursor(&mut self) -> Result<i64, Error> {
        deliveries::cursor(self.snapshot.fresh()?)
    }

    /// All subscriptions that live at an instant (ticks), of a tenant or of all.
    pub fn subscriptions(
        &mut self,
        tenant: Option<&TenantId>,
        now: i64,
    ) -> Result<Vec<SubscriptionRow>, Error> {
        subscriptions::live(self.snapshot.fresh()?, tenant, now)
    }

    /// A subscription by its number, also one that has ended.
    pub fn subscription(&mut self, key: i64) -> Result<Option<SubscriptionRow>, Error> {
        subscriptions::by_key(self.snapshot.fresh()?, key)
    }

    /// Ids of the subscriptions that ended before an instant (ticks).
    pub fn ended_subscriptions(&mut self, before: i64) -> Result<Vec<String>, Error> {
        subscriptions::ended(self.snapshot.fresh()?, before)
    }

    /// Addresses that have messages to be sent at an instant (ticks); notifications only for
    /// applications that have a role, as far as they are known here.
    pub fn due_endpoints(&mut self, now: i64, role: &str) -> Result<Vec<DueEndpoint>, Error> {
        deliveries::due(self.snapshot.fresh()?, now, role)
    }

    /// Whether the application of a subscription has a role, as far as it is known here.
    pub fn may_be_told(&mut self, subscription_key: i64, role: &str) -> Result<bool, Error> {
        deliveries::has_role(self.snapshot.fresh()?, subscription_key, role)
    }

    /// Addresses whose last request failed.
    pub fn failing_endpoints(&mut self) -> Result<Vec<FailingEndpoint>, Error> {
        deliveries::failing(self.snapshot.fresh()?)
    }

    /// The messages behind a number that go to an address of a subscription next, together: those
    /// that were sent together before, else at most `limit` that were not sent yet.
    pub fn next_deliveries(
        &mut self,
        address: (i64, Channel),
        behind: i64,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, Error> {
        deliveries::next(self.snapshot.fresh()?, address, behind, limit)
    }

    /// Messages of a tenant, or of all, behind a number: those to be sent, or those given up.
    pub fn deliveries(
        &mut self,
        tenant: Option<&TenantId>,
        is_dead: bool,
        after: i64,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, Error> {
        deliveries::list(self.snapshot.fresh()?, tenant, is_dead, (after, limit))
    }

    /// Messages of a subscription behind a number: those to be sent, those given up, or both.
    pub fn deliveries_of(
        &mut self,
        subscription_key: i64,
        is_dead: Option<bool>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let connection = self.snapshot.fresh()?;
        deliveries::of_subscription(connection, subscription_key, is_dead, (after, limit))
    }

    /// How much is in the queues of all tenants.
    pub fn queue_size(&mut self) -> Result<QueueSize, Error> {
        deliveries::size(self.snapshot.fresh()?)
    }

    /// A call by the key of its id ([`model::key()`]).
    pub fn call(&mut self, tenant: &TenantId, id_key: &[u8]) -> Result<Option<CallRow>, Error> {
        let connection = self.snapshot.fresh()?;
        match self.tenants.key(connection, tenant)? {
            Some(tenant_key) => calls::by_id(connection, tenant_key, id_key),
            None => Ok(None),
        }
    }

    /// Calls, the latest start first, behind the start and the number of the last one read.
    pub fn calls(
        &mut self,
        tenant: &TenantId,
        scope: &CallScope,
        after: Option<(i64, i64)>,
        limit: usize,
    ) -> Result<Vec<CallRow>, Error> {
        let connection = self.snapshot.fresh()?;
        match self.tenants.key(connection, tenant)? {
            Some(tenant_key) => calls::list(connection, tenant_key, scope, after, limit),
            None => Ok(Vec::new()),
        }
    }

    /// The events of a call as JSON, with those of media or without, as they came in.
    pub fn call_events(&mut self, call_key: i64, with_media: bool) -> Result<Vec<String>, Error> {
        calls::events(self.snapshot.fresh()?, call_key, with_media)
    }

    /// Rows of a telephone log, the earliest first, behind the time and the number of the last one
    /// read, without the first `skip` of these.
    pub fn log_rows(
        &mut self,
        tenant: &TenantId,
        range: &LogRange,
        after: Option<(i64, i64)>,
        (skip, limit): (u64, usize),
    ) -> Result<Vec<StoredLogRow>, Error> {
        let connection = self.snapshot.fresh()?;
        match self.tenants.key(connection, tenant)? {
            Some(tenant_key) => logs::list(connection, tenant_key, range, after, (skip, limit)),
            None => Ok(Vec::new()),
        }
    }

    /// Chains of calls that know more than their record: those whose calls have all ended and
    /// which heard nothing since `ended_before` (ticks), and all that heard nothing since
    /// `any_before`.
    pub fn due_chains(
        &mut self,
        ended_before: i64,
        any_before: i64,
        limit: usize,
    ) -> Result<Vec<DueChain>, Error> {
        calls::due(self.snapshot.fresh()?, (ended_before, any_before), limit)
    }

    /// The calls of a chain, by their starts.
    pub fn calls_of_chain(&mut self, chain_key: i64) -> Result<Vec<CallRow>, Error> {
        calls::of_chain(self.snapshot.fresh()?, chain_key)
    }

    /// All tenants that ever had a record.
    pub fn tenants(&mut self) -> Result<Vec<TenantId>, Error> {
        tenants::all(self.snapshot.fresh()?)
    }

    /// All applications, by tenant and name.
    pub fn apps(&mut self) -> Result<Vec<AppRow>, Error> {
        administration::apps(self.snapshot.fresh()?)
    }

    /// An application.
    pub fn app(&mut self, client_id: &str) -> Result<Option<AppRow>, Error> {
        administration::app(self.snapshot.fresh()?, client_id)
    }

    /// What an application may show in place of its secret, by the names.
    pub fn app_credentials(&mut self, client_id: &str) -> Result<Vec<AppCredential>, Error> {
        app_credentials::of_app(self.snapshot.fresh()?, client_id)
    }

    /// All signing keys, the oldest first.
    pub fn signing_keys(&mut self) -> Result<Vec<SigningKeyRow>, Error> {
        administration::signing_keys(self.snapshot.fresh()?)
    }

    /// A secret, sealed.
    pub fn secret(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        administration::secret(self.snapshot.fresh()?, name)
    }

    /// Names and sealed bytes of the secrets whose names begin so, by name.
    pub fn secrets(&mut self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        administration::secrets(self.snapshot.fresh()?, prefix)
    }

    /// Lets go of the snapshot held for the next call. To be called from time to time
    /// (some 50 ms) while a reader is idle, or the log of the store grows without end.
    pub fn release(&mut self) {
        if let Err(error) = self.snapshot.release() {
            tracing::warn!(%error, "a read transaction did not end well");
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
