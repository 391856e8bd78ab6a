//! The front door: opens a store, hands out readers and takes writes.

mod administration;
mod background;
mod compaction;
mod mirrors;
mod notifications;
mod pages;
mod place_maps;
mod profiles;

pub use compaction::CompactionReport;

use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

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
use crate::maintenance::{backup, doctor, erasure, migration, plain_words, verdicts};
use crate::options::{Options, Role};
use crate::pending::Pending;
use crate::reader::Reader;
use crate::rows::call::{CallEventOutcome, ChainRecord};
use crate::rows::log::LogRowOutcome;
use crate::rows::record::{Diagnosis, WriteResult};
use crate::state::State;
use crate::tables::partitions::Partitions;
use crate::tables::session::Session;
use crate::tables::{calls, logs, versions};
use crate::writer::{Priority, Weight, Writer, request};

/// An open store. Clones are the same store; with the last one its writer ends, after the writes that it
/// was given.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    state: Arc<State>,
    /// For what somebody waits for.
    writer: Writer,
    /// For background work; started by the first of it.
    background_writer: Mutex<Option<Writer>>,
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
            turn: Mutex::new(()),
            files: options.place.file().map(FileIdentity::of),
        });
        watch(&state)?;
        let session = session(connection, &state)?;
        if options.role == Role::Serve {
            listen(&state)?;
        }
        let writer = Writer::start(session, Arc::clone(&state), Priority::Foreground)?;
        let background_writer = Mutex::new(None);
        let inner = Inner { state, writer, background_writer, is_new, _owner: owner };
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

    /// Whether it is a file, which one process serves at a time.
    pub fn is_file(&self) -> bool {
        self.inner.state.files.is_some()
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
        self.inner.writer.send(work);
        pending
    }
}

/// A session of this process on a connection that writes.
fn session(connection: Connection, state: &State) -> Result<Session, Error> {
    let patience = match state.role {
        Role::Serve => connection::BUSY_TIMEOUT,
        Role::Tool => connection::TOOL_BUSY_TIMEOUT,
    };
    Session::new(connection, Arc::clone(&state.dictionaries), patience)
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
            // Its writers end next, with their connections.
            files.close();
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("opener", &self.inner.state.opener).finish_non_exhaustive()
    }
}
