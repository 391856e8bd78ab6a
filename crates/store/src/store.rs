//! The front door: opens a store, hands out readers and takes writes.

mod administration;
mod compaction;
mod mirrors;
mod notifications;
mod pages;
mod place_maps;
mod profiles;

pub use compaction::Compacted;

use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use model::call::CallEventRow;
use model::log::LogRow;
use model::{ShreddedRecord, TenantId};
use tokio::sync::Notify;

use crate::Error;
use crate::advisory_locks::AdvisoryLocks;
use crate::cache::columns::ColumnCache;
use crate::cache::maps::MapCache;
use crate::cache::record_keys::RecordKeyCache;
use crate::codec::dictionaries::Dictionaries;
use crate::codec::{Codec, dictionary};
use crate::engine::postgres::listening;
use crate::engine::sqlite::identity::{self, FileIdentity};
use crate::engine::sqlite::{connection, owner};
use crate::engine::{Connection, Opener, Place};
use crate::maintenance::{
    backup, doctor, erasure, migration, plain_words, statistics, verdicts, word_removal,
};
use crate::options::{Options, Role};
use crate::pending::Pending;
use crate::reader::Reader;
use crate::rows::call::{CallEventOutcome, ChainRecord};
use crate::rows::log::LogRowOutcome;
use crate::rows::record::{Diagnosis, WriteResult};
use crate::state::State;
use crate::tables::partitions::Partitions;
use crate::tables::session::Session;
use crate::tables::{calls, log_positions, logs, versions};
use crate::writer::{Weight, Work, Writer, request};

/// An open store. Clones are the same store; with the last one its writer ends, after the writes that it
/// was given.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    state: Arc<State>,
    works: Option<Sender<Box<dyn Work>>>,
    writer: Option<JoinHandle<()>>,
    /// Whether there was no store before.
    is_new: bool,
    /// Held for the lock on it.
    _owner: Option<File>,
}

impl Store {
    /// Opens or makes a store and brings it to the schema of this version. Blocks.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let opener = Opener::new(&options.place)?;
        let (connection, owner, is_new) = match &options.place {
            Place::File(path) => open_file(path, options)?,
            Place::Postgres(_) => {
                let connection = opener.writer()?;
                let is_new = migration::postgres::is_empty(&connection)?;
                if is_new && !options.create {
                    return Err(Error::Missing(options.place.to_string()));
                }
                migration::postgres::migrate(&connection)?;
                (connection, None, is_new)
            }
        };
        let rows = dictionary::rows(&connection)?;
        let state = Arc::new(State {
            place: options.place.clone(),
            opener: opener.clone(),
            partitions: Partitions::default(),
            record_keys: RecordKeyCache::default(),
            maps: MapCache::default(),
            columns: ColumnCache::new(options.columns),
            role: options.role,
            statement_limit: options.statement_limit,
            dictionaries: Arc::new(Dictionaries::new(opener, rows)?),
            are_words_there: AtomicBool::new(plain_words::are_there(&connection)?),
            are_columns_there: AtomicBool::new(
                options.place.file().is_some() && verdicts::are_there(&connection)?,
            ),
            lacking_columns: AtomicU64::new(verdicts::left(&connection)?),
            holder: holder(),
            log_cut: AtomicI64::new(0),
            commits: AtomicU64::new(0),
            committed: Notify::new(),
            is_available: AtomicBool::new(true),
            files: options.place.file().map(FileIdentity::of),
        });
        watch(&state)?;
        let patience = match options.role {
            Role::Serve => connection::BUSY_TIMEOUT,
            Role::Tool => connection::TOOL_BUSY_TIMEOUT,
        };
        let session = Session::new(connection, Arc::clone(&state.dictionaries), patience)?;
        if options.role == Role::Serve {
            listen(&state)?;
        }
        let (works, queue) = mpsc::channel();
        let writer = Writer::new(session, Arc::clone(&state), queue);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())?;
        let inner =
            Inner { state, works: Some(works), writer: Some(writer), is_new, _owner: owner };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether opening it has made it.
    pub fn is_new(&self) -> bool {
        self.inner.is_new
    }

    /// What compresses and reads the fragments of this store. One for each thread.
    pub fn codec(&self) -> Codec {
        Codec::new(Arc::clone(&self.inner.state.dictionaries))
    }

    /// A connection that reads. One for each thread.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(Arc::clone(&self.inner.state))
    }

    /// A connection that reads, for a thread that goes through much and comes back to little: it keeps
    /// less in memory.
    pub fn scanning_reader(&self) -> Result<Reader, Error> {
        let mut reader = self.reader()?;
        reader.keep_fewer_pages()?;
        Ok(reader)
    }

    /// The locks by which several nodes agree which of them serves an address.
    pub fn advisory_locks(&self) -> Result<AdvisoryLocks, Error> {
        AdvisoryLocks::new(self.inner.state.opener.clone())
    }

    /// Writes records whose fragments were compressed by a [`Codec`] of this store. Answers in
    /// their order, when all that was done is durable; an error means that none of them was
    /// written.
    ///
    /// What waits is written in one transaction with the writes of others, so small batches cost
    /// little where there are many.
    pub fn write(
        &self,
        tenant: &TenantId,
        records: Vec<ShreddedRecord>,
    ) -> Pending<Vec<WriteResult>> {
        let weight = Weight { records: records.len(), bytes: records.iter().map(bytes_of).sum() };
        let tenant = tenant.clone();
        let starts = records.iter().map(|record| record.start).collect();
        let work = move |session: &mut Session| versions::write(session, &tenant, &records);
        self.submit_dated(weight, starts, work)
    }

    /// Whether writes can be expected to succeed: the last one did, or a trial since.
    pub fn is_available(&self) -> bool {
        self.inner.state.is_available.load(Ordering::Acquire)
    }

    /// What is wrong with the store's file, if it was found to be another than the one that is open, or
    /// gone: then nothing is read or written any more.
    pub fn wrong_file(&self) -> Option<String> {
        self.inner.state.files.as_ref()?.wrong().map(str::to_owned)
    }

    /// Number of transactions that this process has committed to the store.
    pub fn commits(&self) -> u64 {
        self.inner.state.commits.load(Ordering::Acquire)
    }

    /// Resolves at the next commit of this process, at once if there was one since the last call.
    /// For one task only.
    pub async fn committed(&self) {
        self.inner.state.committed.notified().await;
    }

    /// Keeps events of calls in one transaction, and says of each what became of it.
    pub fn keep_call_events(
        &self,
        tenant: &TenantId,
        events: Vec<CallEventRow>,
    ) -> Pending<Vec<CallEventOutcome>> {
        let bytes = events.iter().map(|event| event.body.len()).sum();
        let weight = Weight { records: events.len(), bytes };
        let tenant = tenant.clone();
        self.submit(weight, move |session| calls::keep(session, &tenant, &events))
    }

    /// Keeps rows of the telephone logs in one transaction, and says of each what became of it.
    pub fn keep_log_rows(
        &self,
        tenant: &TenantId,
        rows: Vec<LogRow>,
    ) -> Pending<Vec<LogRowOutcome>> {
        let bytes = rows.iter().map(|row| row.body.len()).sum();
        let weight = Weight { records: rows.len(), bytes };
        let tenant = tenant.clone();
        self.submit(weight, move |session| logs::keep(session, &tenant, &rows))
    }

    /// Writes the record of a chain of calls as its next version, and notes up to which event it
    /// tells, in one transaction; false, and nothing is written, if the chain or the record has
    /// changed since the chain was read. From then on the chain counts none of its calls as open.
    pub fn write_chain_record(&self, made: ChainRecord) -> Pending<bool> {
        let weight = Weight { records: 1, bytes: bytes_of(&made.record) };
        let starts = vec![made.record.start];
        self.submit_dated(weight, starts, move |session| calls::record(session, &made))
    }

    /// Copies the store, as it is at one moment, to a new file, while others read and write.
    /// The copy is checked and durable. Blocks.
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        backup::backup(self.inner.state.opener.file()?, to)
    }

    /// Erases records of a tenant, with all their versions and the messages that wait about them, by
    /// the keys of their ids ([`model::key()`]); says of each, in their order, whether it was there.
    pub fn erase(&self, tenant: &TenantId, id_keys: Vec<Vec<u8>>) -> Pending<Vec<bool>> {
        let weight = Weight { records: id_keys.len(), bytes: 0 };
        let tenant = tenant.clone();
        self.submit(weight, move |session| erasure::erase(session, &tenant, &id_keys))
    }

    /// Erases records, with all their versions, whose current version ended before `ticks`. Takes
    /// at most `limit` of them, to stay short, and answers how many; call again until 0.
    pub fn erase_ended_before(&self, ticks: i64, limit: usize) -> Pending<usize> {
        let weight = Weight { records: limit, bytes: 0 };
        self.submit(weight, move |session| erasure::erase_ended_before(session, ticks, limit))
    }

    /// Erases rows of the telephone logs that tell of what happened before `ticks`, those that were
    /// replaced too. Takes at most `limit` of them, to stay short, and answers how many.
    pub fn erase_log_rows_before(&self, ticks: i64, limit: usize) -> Pending<usize> {
        let weight = Weight { records: limit, bytes: 0 };
        self.submit(weight, move |session| logs::erase_before(session, ticks, limit))
    }

    /// Goes on with what a step of the schema has left to be filled in while the store is used, for at most
    /// `limit` records; whether there is more.
    pub fn fill(&self, limit: usize) -> Pending<bool> {
        let state = Arc::clone(&self.inner.state);
        self.submit(Weight { records: limit, bytes: 0 }, move |session| {
            if plain_words::are_there(&session.connection)? {
                // Also if another node has done it.
                state.are_words_there.store(true, Ordering::Release);
                return Ok(false);
            }
            plain_words::fill(session, limit).map(|_| true)
        })
    }

    /// Goes on with filling in the columns, verdicts among them, that records of earlier versions lack. Takes
    /// `limit` records at once, for as long as no other process does it and `goes_on` says so; whether all
    /// have theirs. To be called again until they have, and now and then where many nodes write.
    ///
    /// # Errors
    /// When records can't be read or written; what was done stays done.
    pub fn judge(&self, limit: usize, goes_on: &dyn Fn() -> bool) -> Result<bool, Error> {
        let state = &self.inner.state;
        if state.are_columns_there.load(Ordering::Acquire) {
            return Ok(true);
        }
        let mut reader = self.scanning_reader()?;
        let left = reader.lacking_columns()?;
        state.lacking_columns.store(left, Ordering::Relaxed);
        let holder = state.holder.clone();
        let hold = move |session: &mut Session| verdicts::hold(session, &holder);
        if left > 0 && !self.submit(Weight { records: 1, bytes: 0 }, hold).wait()? {
            return Ok(false);
        }
        let (mut next, mut under_way) = (0, None::<Pending<bool>>);
        while goes_on() {
            let batch = reader.judged((next, limit))?;
            // The batch before was written while this one was read.
            if let Some(written) = under_way.take()
                && !written.wait()?
            {
                return Ok(false);
            }
            let Some(batch) = batch else {
                // Of a file, which nobody writes who gives no verdicts.
                let is_done = self.is_file() && reader.lacking_columns()? == 0;
                state.are_columns_there.store(is_done, Ordering::Release);
                state.lacking_columns.store(reader.lacking_columns()?, Ordering::Relaxed);
                return Ok(true);
            };
            next = batch.next();
            let left = state.lacking_columns.load(Ordering::Relaxed).saturating_sub(batch.len());
            state.lacking_columns.store(left, Ordering::Relaxed);
            let (holder, weight) = (state.holder.clone(), Weight { records: limit, bytes: 0 });
            under_way = Some(self.submit(weight, move |session| batch.apply(session, &holder)));
        }
        Ok(false)
    }

    /// Whether it is a file, which one process serves at a time.
    pub fn is_file(&self) -> bool {
        self.inner.state.files.is_some()
    }

    /// Records of earlier versions that lack columns of this one, as far as this process knows.
    pub fn lacking_columns(&self) -> u64 {
        self.inner.state.lacking_columns.load(Ordering::Relaxed)
    }

    /// Takes entries of what is gone, and of merges, out of the change log, if they were committed before an
    /// instant (ticks). Looks at no more than `limit` entries, to stay short; says whether there is more.
    pub fn cut_log(&self, before: i64, limit: usize) -> Pending<bool> {
        let state = Arc::clone(&self.inner.state);
        self.submit(Weight { records: limit, bytes: 0 }, move |session| {
            let (to, has_more) = log_positions::cut(&session.connection, before, limit)?;
            state.log_cut.fetch_max(to, Ordering::AcqRel);
            Ok(has_more)
        })
    }

    /// Takes the words of erased records out of the full-text index, if the first of them was
    /// erased before an instant (ticks): until then they are found no more, but stand in the file.
    /// Blocks, while others write between its short transactions.
    pub fn forget_words(&self, erased_before: i64) -> Result<(), Error> {
        if self.inner.state.opener.file().is_err() {
            // What is deleted there goes by the engine's own clean-up.
            return Ok(());
        }
        let begin = move |session: &mut Session| word_removal::begin(session, erased_before);
        let mut has_more = self.submit(Weight::SMALL, begin).wait()?;
        while has_more {
            has_more = self.submit(Weight::SMALL, word_removal::go_on).wait()?;
        }
        Ok(())
    }

    /// Makes room ahead for calls that start from an instant (ticks) to another, where that has to be
    /// made. Blocks.
    pub fn prepare(&self, from: i64, to: i64) {
        let state = &self.inner.state;
        state.partitions.make(&state.opener, [from, to].into_iter());
    }

    /// Lets the planner of PostgreSQL know how large the tables of records have become, if they have grown;
    /// answers how many it had to look at. Cheap where they have not. Blocks.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub fn refresh_statistics(&self) -> Result<usize, Error> {
        statistics::refresh(&self.inner.state.opener)
    }

    /// Gives back the room of months before that of an instant (ticks) in which nothing is left, where
    /// months have room of their own; answers how many. Blocks.
    pub fn give_back_months(&self, before: i64) -> Result<usize, Error> {
        let state = &self.inner.state;
        state.partitions.drop_empty(&state.opener, before)
    }

    /// Looks at every page and fragment. Blocks, for as long as that takes.
    pub fn doctor(&self) -> Result<Diagnosis, Error> {
        doctor::diagnose(&self.inner.state.opener, self.codec())
    }

    /// What its writer and its readers have in common.
    pub(crate) fn state(&self) -> &State {
        &self.inner.state
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
            // Fails when the writer has ended; dropping the work then resolves the pending with an error.
            let _ = works.send(work);
        }
        pending
    }
}

/// A name that no other process has.
fn holder() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{}-{random:016x}", std::process::id())
}

/// Passes on the notifications of other nodes' commits, as long as the store is open.
fn listen(state: &Arc<State>) -> Result<(), Error> {
    let Opener::Postgres(database) = &state.opener else { return Ok(()) };
    let (database, state) = (database.clone(), Arc::downgrade(state));
    let listener = move |is_commit: bool| {
        state.upgrade().is_some_and(|state| {
            if is_commit {
                state.committed.notify_one();
            }
            true
        })
    };
    std::thread::Builder::new()
        .name("store-listening".to_owned())
        .spawn(move || listening::listen(&database, listener))?;
    Ok(())
}

/// Checks now and then that the names of a file still lead to it, as long as the store is open.
fn watch(state: &Arc<State>) -> Result<(), Error> {
    if state.files.is_none() {
        return Ok(());
    }
    let state = Arc::downgrade(state);
    let is_well = move || state.upgrade().is_some_and(|state| state.look_at_file().is_ok());
    std::thread::Builder::new().name("store-names".to_owned()).spawn(move || {
        while is_well() {
            std::thread::sleep(identity::LOOK_EVERY);
        }
    })?;
    Ok(())
}

/// Opens or makes a file, with the lock on it that a `serve` holds; whether it was made.
fn open_file(path: &Path, options: &Options) -> Result<(Connection, Option<File>, bool), Error> {
    let is_new = !path.exists();
    if is_new {
        if !options.create {
            return Err(Error::Missing(options.place.to_string()));
        }
        connection::create_file(path)?;
    }
    let owner = match options.role {
        Role::Serve => Some(owner::lock(path)?),
        Role::Tool => None,
    };
    let mut connection = Connection::Sqlite(connection::writer(path)?);
    migration::sqlite::migrate(&mut connection, path)?;
    Ok((connection, owner, is_new))
}

fn bytes_of(record: &ShreddedRecord) -> usize {
    let packs = record.session_packs.iter().chain(&record.participant_packs);
    record.record.len() + packs.map(Vec::len).sum::<usize>()
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(files) = &self.state.files {
            files.close();
        }
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
        f.debug_struct("Store").field("opener", &self.inner.state.opener).finish_non_exhaustive()
    }
}
