//! The writer's connection and its transaction.

use std::sync::Arc;
use std::time::Duration;

use model::{ShreddedRecord, TenantId};

use super::change_log::{self, Entry};
use super::fragments::StoredVersion;
use super::record_keys::RecordNumbers;
use super::record_locks::{self, RecordLocks};
use super::search::{Place, WordBuffer};
use super::tenants::{self, TenantKeys};
use super::version_rows::VersionRows;
use crate::codec::Codec;
use crate::codec::dictionaries::Dictionaries;
use crate::engine::sqlite::wal::WriteAheadLog;
use crate::engine::{Connection, Opener};
use crate::{Error, clock};

/// A connection that writes, with what it knows.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    /// For what is stored and for what comes in: merging reads one while it reads the other.
    pub(super) stored_codec: Codec,
    pub(super) codec: Codec,
    /// Words that go into the index with the commit.
    words: WordBuffer,
    tenants: TenantKeys,
    /// Ticks; when the transaction began.
    now: i64,
    /// Of a file.
    wal: Option<WriteAheadLog>,
    numbers: RecordNumbers,
    /// Entries that the transaction has added to the change log.
    logged: i64,
    /// How long to wait for the write of another process.
    patience: Duration,
}

impl Session {
    pub(crate) fn new(
        mut connection: Connection,
        dictionaries: Arc<Dictionaries>,
        patience: Duration,
    ) -> Result<Self, Error> {
        let wal = follow(&mut connection, patience)?;
        Ok(Self {
            connection,
            stored_codec: Codec::new(Arc::clone(&dictionaries)),
            codec: Codec::new(dictionaries),
            words: WordBuffer::default(),
            tenants: TenantKeys::new(),
            now: 0,
            wal,
            numbers: RecordNumbers::default(),
            logged: 0,
            patience,
        })
    }

    /// When the transaction began, in ticks.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// Replaces the connection by a new one.
    pub(crate) fn reopen(&mut self, opener: &Opener) -> Result<(), Error> {
        let mut connection = opener.writer()?;
        self.wal = follow(&mut connection, self.patience)?;
        self.connection = connection;
        self.tenants.clear();
        self.numbers.clear();
        Ok(())
    }

    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        self.connection.begin_write()?;
        self.now = clock::now();
        self.logged = 0;
        Ok(())
    }

    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        self.words.flush(&self.connection)?;
        if self.logged > 0 { self.connection.commit_and_notify() } else { self.connection.commit() }
    }

    pub(crate) fn roll_back(&mut self) {
        if let Err(error) = self.connection.roll_back() {
            tracing::error!(%error, "roll-back failed");
        }
        self.words.clear();
        self.tenants.clear();
        self.numbers.clear();
    }

    /// A write that means nothing, to see whether the store can be written.
    pub(crate) fn try_write(&mut self) -> Result<(), Error> {
        let text = "INSERT INTO setting (name, value) VALUES ('last_trial', ?1) \
                    ON CONFLICT (name) DO UPDATE SET value = ?1";
        self.connection.execute(text, [self.now]).map(drop)
    }

    /// Does what an engine needs done between transactions.
    pub(crate) fn maintain(&mut self) {
        if let (Connection::Sqlite(connection), Some(wal)) = (&self.connection, &mut self.wal) {
            wal.checkpoint_if_due(connection);
        }
    }

    /// Does that in small steps, for a writer that nobody waits for.
    pub(crate) fn maintain_in_small_steps(&mut self) {
        if let Some(wal) = &mut self.wal {
            wal.checkpoint_in_small_steps();
        }
    }

    /// The tenant's number, given when the first of its things is stored.
    pub(crate) fn tenant_key(&mut self, tenant: &TenantId) -> Result<i64, Error> {
        if let Some(key) = self.tenants.get(tenant) {
            return Ok(*key);
        }
        let key = tenants::find_or_add(&self.connection, tenant)?;
        self.tenants.insert(tenant.clone(), key);
        Ok(key)
    }

    /// What writes the rows of a tenant's versions.
    pub(crate) fn rows(&mut self, tenant_key: i64) -> VersionRows<'_> {
        VersionRows {
            connection: &self.connection,
            codec: &mut self.stored_codec,
            words: &mut self.words,
            tenant_key,
        }
    }

    /// A stored version, to be read within the transaction.
    pub(crate) fn stored(&mut self, record_key: i64, flags: u32) -> StoredVersion<'_> {
        let Self { connection, stored_codec: codec, .. } = self;
        StoredVersion { connection, codec, record_key, flags }
    }

    /// Replaces the words of a record in the full-text index.
    pub(crate) fn replace_words(
        &mut self,
        tenant_key: i64,
        place: Place,
        words: &str,
    ) -> Result<(), Error> {
        self.words.delete(&self.connection, place.start, place.record_key)?;
        self.words.add(tenant_key, place, words)
    }

    /// Lets no other node write these records of a tenant before the transaction's end.
    pub(crate) fn lock_records<'r>(
        &mut self,
        tenant_key: i64,
        records: impl IntoIterator<Item = &'r ShreddedRecord>,
    ) -> Result<RecordLocks, Error> {
        record_locks::lock(&self.connection, &mut self.numbers, tenant_key, records)
    }

    /// The key of a version to come that starts then (ticks); none for a file, which numbers its rows
    /// itself.
    pub(crate) fn next_key(&mut self, start: i64) -> Result<Option<i64>, Error> {
        self.numbers.next_key(&self.connection, start)
    }

    /// Adds an entry to the change log.
    pub(crate) fn log(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        change_log::add(&self.connection, entry, self.logged)?;
        self.logged += 1;
        Ok(())
    }
}

fn follow(connection: &mut Connection, patience: Duration) -> Result<Option<WriteAheadLog>, Error> {
    match connection {
        Connection::Sqlite(file) => Ok(Some(WriteAheadLog::follow(file, patience)?)),
        Connection::Postgres(_) => Ok(None),
    }
}
