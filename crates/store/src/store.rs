//! The front door: opens a store, hands out readers and takes writes.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use model::log::LogRow;
use model::{ShreddedRecord, TenantId};
use tokio::sync::Notify;

use crate::dictionary::{self, Dictionaries};
use crate::doctor;
use crate::engine::{Connection, Opener, Place};
use crate::postgres::leads::Leads;
use crate::postgres::listening;
use crate::postgres::months::Months;
use crate::session::Session;
use crate::sqlite::names::{self, Names};
use crate::sqlite::{backup, connection, forgetting, migrate, owner};
use crate::tables::{administration, calls, deliveries, logs, retention, subscriptions};
use crate::writer::{Weight, Work, Writer, request};
use crate::{
    Added, AppRow, CallEventRow, ChainRecord, Claims, Codec, Decision, Diagnosis, Error, Event,
    KeptEvent, KeptRow, Match, Options, Pending, Reader, Role, Sent, Settled, SigningKeyRow,
    SubscriptionRow, Written,
};

/// A store, open. Clones are the same store; with the last one the writer ends, after what it was
/// given.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    works: Option<Sender<Box<dyn Work>>>,
    writer: Option<JoinHandle<()>>,
    /// Held for the lock on it.
    _owner: Option<File>,
}

/// What the writer and the readers have in common.
pub(crate) struct Shared {
    pub(crate) opener: Opener,
    pub(crate) months: Months,
    pub(crate) leads: Leads,
    pub(crate) role: Role,
    pub(crate) statement_limit: Duration,
    pub(crate) dictionaries: Arc<Dictionaries>,
    /// Counted up before a commit is acknowledged.
    pub(crate) commits: AtomicU64,
    /// Told of each commit.
    pub(crate) committed: Notify,
    pub(crate) is_available: AtomicBool,
    /// Of a file.
    pub(crate) names: Option<Names>,
}

impl Shared {
    /// Fails when the store's file was found to be another one, or gone.
    pub(crate) fn check_file(&self) -> Result<(), Error> {
        self.names.as_ref().map_or(Ok(()), Names::check)
    }

    /// The same after a look.
    pub(crate) fn look_at_file(&self) -> Result<(), Error> {
        self.names.as_ref().map_or(Ok(()), Names::look).inspect_err(|_| {
            self.is_available.store(false, Ordering::Release);
        })
    }

    /// To be called before a connection is closed: the last one puts its log into its file and deletes
    /// it, by the name that may be another's by now.
    pub(crate) fn leave(&self, connection: &Connection) {
        if let (Some(names), Connection::Sqlite(file)) = (&self.names, connection)
            && names.look().is_err()
            && names.is_log_foreign()
            && let Err(error) = connection::keep_log(file)
        {
            tracing::error!(%error, "the log of the store may be deleted");
        }
    }
}

impl Store {
    /// Opens or makes a store and brings it to the schema of this version. Blocks.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let opener = Opener::new(&options.place)?;
        let (connection, owner) = match &options.place {
            Place::File(path) => open_file(path, options)?,
            Place::Postgres(_) => {
                let connection = opener.writer()?;
                crate::postgres::migrate::migrate(&connection)?;
                (connection, None)
            }
        };
        let rows = dictionary::rows(&connection)?;
        let shared = Arc::new(Shared {
            opener: opener.clone(),
            months: Months::default(),
            leads: Leads::default(),
            role: options.role,
            statement_limit: options.statement_limit,
            dictionaries: Arc::new(Dictionaries::new(opener, rows)?),
            commits: AtomicU64::new(0),
            committed: Notify::new(),
            is_available: AtomicBool::new(true),
            names: options.place.file().map(Names::of),
        });
        watch(&shared)?;
        let patience = match options.role {
            Role::Serve => connection::BUSY_TIMEOUT,
            Role::Tool => connection::TOOL_BUSY_TIMEOUT,
        };
        let session = Session::new(connection, Arc::clone(&shared.dictionaries), patience)?;
        if options.role == Role::Serve {
            listen(&shared)?;
        }
        let (works, queue) = mpsc::channel();
        let writer = Writer::new(session, Arc::clone(&shared), queue);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())?;
        let inner = Inner { shared, works: Some(works), writer: Some(writer), _owner: owner };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What compresses and reads the fragments of this store; one for each thread.
    pub fn codec(&self) -> Codec {
        Codec::new(Arc::clone(&self.inner.shared.dictionaries))
    }

    /// A connection that reads; one for each thread.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(Arc::clone(&self.inner.shared))
    }

    /// The same for a thread that goes through much and comes back to little: it keeps less in memory.
    pub fn scanning_reader(&self) -> Result<Reader, Error> {
        let mut reader = self.reader()?;
        reader.snapshot.keep_fewer_pages()?;
        Ok(reader)
    }

    /// What tells which of several nodes tells an address.
    pub fn claims(&self) -> Result<Claims, Error> {
        Claims::new(self.inner.shared.opener.clone())
    }

    /// Writes records whose fragments were compressed by a [`Codec`] of this store. Answers in
    /// their order, when all that was done is durable; an error means that none of them was
    /// written.
    ///
    /// What waits is written in one transaction with the writes of others, so small batches cost
    /// little where there are many.
    pub fn write(&self, tenant: &TenantId, records: Vec<ShreddedRecord>) -> Pending<Vec<Written>> {
        let weight = Weight { records: records.len(), bytes: records.iter().map(bytes_of).sum() };
        let tenant = tenant.clone();
        let starts = records.iter().map(|record| record.start).collect();
        let work = move |session: &mut Session| session.write_records(&tenant, &records);
        self.submit_dated(weight, starts, work)
    }

    /// Whether writes can be expected to succeed: the last one did, or a trial since.
    pub fn is_available(&self) -> bool {
        self.inner.shared.is_available.load(Ordering::Acquire)
    }

    /// What is wrong with the store's file, if it was found to be another than the one that is open, or
    /// gone: then nothing is read or written any more.
    pub fn wrong_file(&self) -> Option<String> {
        self.inner.shared.names.as_ref()?.wrong().map(str::to_owned)
    }

    /// Number of transactions that this process has committed to the store.
    pub fn commits(&self) -> u64 {
        self.inner.shared.commits.load(Ordering::Acquire)
    }

    /// Resolves at the next commit of this process, at once if there was one since the last call.
    /// For one task only.
    pub async fn committed(&self) {
        self.inner.shared.committed.notified().await;
    }

    /// Keeps a new subscription, unless its application has one for the same or the tenant has
    /// `quota` live ones.
    ///
    /// On PostgreSQL this blocks the thread that calls it, before there is anything to wait for: it
    /// opens a connection, and then waits until what others had under way is done, at most as long as
    /// a statement may take. On SQLite it doesn't block.
    pub fn add_subscription(&self, subscription: SubscriptionRow, quota: u64) -> Pending<Added> {
        let behind =
            subscriptions::decided(&self.inner.shared.opener, self.inner.shared.statement_limit);
        self.submit(Weight::SMALL, move |session| {
            subscriptions::add(session, &subscription, behind, quota)
        })
    }

    /// Gives the subscription of that id another end, address and secrets; whether there is one.
    pub fn update_subscription(&self, subscription: SubscriptionRow) -> Pending<bool> {
        self.submit(Weight::SMALL, move |session| subscriptions::update(session, &subscription))
    }

    /// Deletes a subscription, and all that it was to be told; whether there was one.
    pub fn delete_subscription(&self, id: &str) -> Pending<bool> {
        let id = id.to_owned();
        self.submit(Weight::SMALL, move |session| subscriptions::delete(session, &id))
    }

    /// Takes a subscription away from its application, which is told of that and of nothing else.
    pub fn remove_subscription(&self, subscription_key: i64) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| subscriptions::remove(session, subscription_key))
    }

    /// Tells a subscription that it ends soon, once for each end; whether it was told now.
    pub fn warn_subscription(&self, subscription_key: i64) -> Pending<bool> {
        self.submit(Weight::SMALL, move |session| subscriptions::warn(session, subscription_key))
    }

    /// Tells a subscription that its application may read no more; whether it was told now.
    pub fn require_reauthorization(&self, subscription_key: i64) -> Pending<bool> {
        self.submit(Weight::SMALL, move |session| {
            subscriptions::tell(session, subscription_key, Event::ReauthorizationRequired)
        })
    }

    /// Puts messages into the queues for versions from one entry of the change log to another, in
    /// one transaction with the cursor: none is put twice or left out. Answers how many.
    pub fn enqueue(&self, range: (i64, i64), matches: Vec<Match>) -> Pending<usize> {
        let weight = Weight { records: matches.len().max(1), bytes: 0 };
        self.submit(weight, move |session| deliveries::enqueue(session, range, &matches))
    }

    /// Takes undecided messages out of the queue, or lets them go out.
    pub fn decide(&self, decisions: Vec<Decision>) -> Pending<()> {
        let weight = Weight { records: decisions.len().max(1), bytes: 0 };
        self.submit(weight, move |session| deliveries::decide(session, &decisions))
    }

    /// Notes what became of messages that were sent; answers how many were given up.
    pub fn settle(&self, sent: Sent, settled: Settled) -> Pending<usize> {
        self.submit(Weight::SMALL, move |session| deliveries::settle(session, sent, &settled))
    }

    /// Puts messages of a subscription that were given up back into its queue: all, or one.
    /// Answers how many.
    pub fn replay(&self, subscription_key: i64, delivery_key: Option<i64>) -> Pending<usize> {
        self.submit(Weight::SMALL, move |session| {
            deliveries::replay(session, subscription_key, delivery_key)
        })
    }

    /// Keeps events of calls in one transaction, and says of each what became of it.
    pub fn keep_call_events(
        &self,
        tenant: &TenantId,
        events: Vec<CallEventRow>,
    ) -> Pending<Vec<KeptEvent>> {
        let bytes = events.iter().map(|event| event.body.len()).sum();
        let weight = Weight { records: events.len(), bytes };
        let tenant = tenant.clone();
        self.submit(weight, move |session| calls::keep(session, &tenant, &events))
    }

    /// Keeps rows of the telephone logs in one transaction, and says of each what became of it.
    pub fn keep_log_rows(&self, tenant: &TenantId, rows: Vec<LogRow>) -> Pending<Vec<KeptRow>> {
        let bytes = rows.iter().map(|row| row.body.len()).sum();
        let weight = Weight { records: rows.len(), bytes };
        let tenant = tenant.clone();
        self.submit(weight, move |session| logs::keep(session, &tenant, &rows))
    }

    /// Writes the record of a chain of calls as its next version, and notes up to which event it
    /// tells, in one transaction; false, and nothing is written, if the chain or the record has
    /// changed since the chain was read. No end of its calls is waited for after that.
    pub fn write_chain_record(&self, made: ChainRecord) -> Pending<bool> {
        let weight = Weight { records: 1, bytes: bytes_of(&made.record) };
        let starts = vec![made.record.start];
        self.submit_dated(weight, starts, move |session| calls::record(session, &made))
    }

    /// Copies the store, as it is at one moment, to a new file, while others read and write.
    /// The copy is checked and durable. Blocks.
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        backup::backup(self.inner.shared.opener.file()?, to)
    }

    /// Erases records, with all their versions, whose current version ended before `ticks`. Takes
    /// at most `limit` of them, to stay short, and answers how many; call again until 0.
    pub fn erase_ended_before(&self, ticks: i64, limit: usize) -> Pending<usize> {
        let weight = Weight { records: limit, bytes: 0 };
        self.submit(weight, move |session| retention::erase_ended_before(session, ticks, limit))
    }

    /// Erases rows of the telephone logs that tell of what happened before `ticks`, those that were
    /// replaced too. Takes at most `limit` of them, to stay short, and answers how many.
    pub fn erase_log_rows_before(&self, ticks: i64, limit: usize) -> Pending<usize> {
        let weight = Weight { records: limit, bytes: 0 };
        self.submit(weight, move |session| logs::erase_before(session, ticks, limit))
    }

    /// Takes the words of erased records out of the full-text index, if the first of them was
    /// erased before an instant (ticks): until then they are found no more, but stand in the file.
    /// Blocks, while others write between its short transactions.
    pub fn forget_words(&self, erased_before: i64) -> Result<(), Error> {
        if self.inner.shared.opener.file().is_err() {
            // What is deleted there goes by the engine's own clean-up.
            return Ok(());
        }
        let begin = move |session: &mut Session| forgetting::begin(session, erased_before);
        let mut has_more = self.submit(Weight::SMALL, begin).wait()?;
        while has_more {
            has_more = self.submit(Weight::SMALL, forgetting::go_on).wait()?;
        }
        Ok(())
    }

    /// Makes room ahead for calls that start from an instant (ticks) to another, where that has to be
    /// made. Blocks.
    pub fn prepare(&self, from: i64, to: i64) {
        let shared = &self.inner.shared;
        shared.months.make(&shared.opener, [from, to].into_iter());
    }

    /// Gives back the room of months before that of an instant (ticks) in which nothing is left, where
    /// months have room of their own; answers how many. Blocks.
    pub fn give_back_months(&self, before: i64) -> Result<usize, Error> {
        let shared = &self.inner.shared;
        shared.months.drop_empty(&shared.opener, before)
    }

    /// Looks at every page and fragment. Blocks, for as long as that takes.
    pub fn doctor(&self) -> Result<Diagnosis, Error> {
        doctor::diagnose(&self.inner.shared.opener, self.codec())
    }

    /// Inserts or replaces an application by its client id.
    pub fn put_app(&self, app: AppRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| administration::put_app(session, &app))
    }

    /// Deletes an application; whether there was one.
    pub fn delete_app(&self, client_id: &str) -> Pending<bool> {
        let client_id = client_id.to_owned();
        self.submit(Weight::SMALL, move |session| administration::delete_app(session, &client_id))
    }

    /// Inserts or replaces a signing key by its kid.
    pub fn put_signing_key(&self, key: SigningKeyRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| administration::put_signing_key(session, &key))
    }

    /// Deletes a signing key; whether there was one.
    pub fn delete_signing_key(&self, kid: &str) -> Pending<bool> {
        let kid = kid.to_owned();
        self.submit(Weight::SMALL, move |session| administration::delete_signing_key(session, &kid))
    }

    /// Inserts or replaces a secret, sealed under the master key.
    pub fn put_secret(&self, name: &str, sealed: Vec<u8>) -> Pending<()> {
        let name = name.to_owned();
        self.submit(Weight::SMALL, move |session| {
            administration::put_secret(session, &name, &sealed)
        })
    }

    /// Inserts a secret unless there is one of that name; answers what is stored now. So several
    /// processes that each make one end up with the same.
    pub fn put_secret_if_absent(&self, name: &str, sealed: Vec<u8>) -> Pending<Vec<u8>> {
        let name = name.to_owned();
        self.submit(Weight::SMALL, move |session| {
            administration::put_secret_if_absent(session, &name, &sealed)
        })
    }

    /// What its writer and its readers have in common.
    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    pub(crate) fn submit<T, F>(&self, weight: Weight, work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        self.submit_dated(weight, Vec::new(), work)
    }

    /// A write of records that start then.
    pub(crate) fn submit_dated<T, F>(&self, weight: Weight, starts: Vec<i64>, work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        let (work, pending) = request(weight, starts, work);
        if let Some(works) = &self.inner.works {
            // Fails when the writer has ended; the work, dropped then, tells it to the pending.
            let _ = works.send(work);
        }
        pending
    }
}

/// Lets whoever waits for commits know of those of other nodes, as long as the store is open.
fn listen(shared: &Arc<Shared>) -> Result<(), Error> {
    let Opener::Postgres(database) = &shared.opener else { return Ok(()) };
    let (database, shared) = (database.clone(), Arc::downgrade(shared));
    let told = move |is_told: bool| {
        shared.upgrade().is_some_and(|shared| {
            if is_told {
                shared.committed.notify_one();
            }
            true
        })
    };
    std::thread::Builder::new()
        .name("store-listening".to_owned())
        .spawn(move || listening::listen(&database, told))?;
    Ok(())
}

/// Looks at the names of a file's store now and then, as long as it is open.
fn watch(shared: &Arc<Shared>) -> Result<(), Error> {
    if shared.names.is_none() {
        return Ok(());
    }
    let shared = Arc::downgrade(shared);
    let is_well = move || shared.upgrade().is_some_and(|shared| shared.look_at_file().is_ok());
    std::thread::Builder::new().name("store-names".to_owned()).spawn(move || {
        while is_well() {
            std::thread::sleep(names::LOOK_EVERY);
        }
    })?;
    Ok(())
}

/// Opens or makes a file, with the lock on it that a `serve` holds.
fn open_file(path: &Path, options: &Options) -> Result<(Connection, Option<File>), Error> {
    if !path.exists() {
        if !options.create {
            return Err(Error::Missing(path.to_owned()));
        }
        connection::create_file(path)?;
    }
    let owner = match options.role {
        Role::Serve => Some(owner::lock(path)?),
        Role::Tool => None,
    };
    let mut connection = Connection::Sqlite(connection::writer(path)?);
    migrate::migrate(&mut connection, path)?;
    Ok((connection, owner))
}

fn bytes_of(record: &ShreddedRecord) -> usize {
    let packs = record.session_packs.iter().chain(&record.participant_packs);
    record.record.len() + packs.map(Vec::len).sum::<usize>()
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.works = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer of the store has panicked");
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("opener", &self.inner.shared.opener).finish_non_exhaustive()
    }
}
