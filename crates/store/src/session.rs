//! The writer's connection: transactions, and what becomes of a record in one.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::clock;
use crate::dictionary::Dictionaries;
use crate::engine::{Connection, Insertion, Opener};
use crate::record::Change;
use crate::sqlite::log::Log;
use crate::tables::keys::{self, Known, Locked};
use crate::tables::rows;
use crate::tables::search::Waiting;
use crate::tables::stored::{Head, StoredVersion};
use crate::{Cause, Codec, Error, Outcome, Written};
use model::merge::{Merge, merge};
use model::{ShreddedRecord, TenantId};

/// A connection that writes, with what it knows.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    /// For what is stored and for what comes in: merging reads one while it reads the other.
    pub(crate) stored_codec: Codec,
    codec: Codec,
    /// Words that go into the index with the commit.
    pub(crate) waiting: Waiting,
    tenants: TenantKeys,
    /// Ticks; when the transaction began.
    now: i64,
    /// Of a file.
    log: Option<Log>,
    /// Numbers for records to come, of a store of many nodes. A sequence is only as durable as the
    /// commit of a transaction that took from it (PostgreSQL, "Sequence Manipulation Functions"): after
    /// a crash of the database it gives numbers again that were taken by one that did not commit. So
    /// none outlives a roll-back or its connection.
    pub(crate) numbers: Vec<i64>,
    /// Entries that the transaction has added to the change log.
    logged: i64,
    /// How long is waited for the write of another process.
    patience: Duration,
}

impl Session {
    /// When the transaction began, in ticks.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    pub(crate) fn new(
        mut connection: Connection,
        dictionaries: Arc<Dictionaries>,
        patience: Duration,
    ) -> Result<Self, Error> {
        let log = follow(&mut connection, patience)?;
        Ok(Self {
            connection,
            stored_codec: Codec::new(Arc::clone(&dictionaries)),
            codec: Codec::new(dictionaries),
            waiting: Waiting::default(),
            tenants: TenantKeys::new(),
            now: 0,
            log,
            numbers: Vec::new(),
            logged: 0,
            patience,
        })
    }

    /// Replaces the connection by a new one.
    pub(crate) fn reopen(&mut self, opener: &Opener) -> Result<(), Error> {
        let mut connection = opener.writer()?;
        self.log = follow(&mut connection, self.patience)?;
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
        self.waiting.flush(&self.connection)?;
        if self.logged > 0 { self.connection.commit_and_tell() } else { self.connection.commit() }
    }

    pub(crate) fn roll_back(&mut self) {
        if let Err(error) = self.connection.roll_back() {
            tracing::error!(%error, "roll-back failed");
        }
        self.waiting.clear();
        self.tenants.clear();
        self.numbers.clear();
    }

    /// A write that means nothing, to see whether the store can be written.
    pub(crate) fn note_trial(&mut self) -> Result<(), Error> {
        let text = "INSERT INTO setting (name, value) VALUES ('last_trial', ?1) \
                    ON CONFLICT (name) DO UPDATE SET value = ?1";
        self.connection.execute(text, [self.now]).map(drop)
    }

    /// Does what an engine needs done between transactions.
    pub(crate) fn look_after(&mut self) {
        if let (Connection::Sqlite(connection), Some(log)) = (&self.connection, &mut self.log) {
            log.checkpoint_if_due(connection);
        }
    }

    /// Writes records one by one; see [`crate::Store::write`].
    pub(crate) fn write_records(
        &mut self,
        tenant: &TenantId,
        records: &[ShreddedRecord],
    ) -> Result<Vec<Written>, Error> {
        let tenant_key = self.tenant_key(tenant)?;
        let mut locked = keys::lock(&self.connection, &mut self.numbers, tenant_key, records)?;
        let write = |record| self.write_record(tenant_key, &mut locked, record);
        records.iter().map(write).collect()
    }

    fn write_record(
        &mut self,
        tenant_key: i64,
        locked: &mut Locked,
        record: &ShreddedRecord,
    ) -> Result<Written, Error> {
        let current = match locked.remove(&record.id_key) {
            Some(Known::New(key)) => return self.add_first(tenant_key, key, record),
            Some(Known::Current(head)) => Some(head),
            None => Head::current(&self.connection, tenant_key, &record.id_key)?,
        };
        let Some(current) = current else {
            return self.add(tenant_key, record, Change::Created);
        };
        match record.version.cmp(&current.version) {
            Ordering::Greater => {
                let connection = &self.connection;
                let codec = &mut self.stored_codec;
                rows::retire(connection, codec, &mut self.waiting, tenant_key, &current)?;
                self.add(tenant_key, record, Change::Replaced)
            }
            Ordering::Equal => self.write_again(tenant_key, &current, record),
            Ordering::Less => {
                let version = Some(record.version);
                match Head::find(&self.connection, tenant_key, &record.id_key, version)? {
                    None => self.add(tenant_key, record, Change::Archived),
                    Some(stored) => self.write_again(tenant_key, &stored, record),
                }
            }
        }
    }

    /// Adds the first version of a record under the key that is noted for it.
    fn add_first(
        &mut self,
        tenant_key: i64,
        record_key: i64,
        record: &ShreddedRecord,
    ) -> Result<Written, Error> {
        let (connection, waiting) = (&self.connection, &mut self.waiting);
        rows::insert(connection, waiting, tenant_key, Some(record_key), true, record)?;
        self.log_change(tenant_key, record_key, None, record.version, Change::Created)?;
        Ok(written(record, Outcome::Created, record.id.clone(), record.flags))
    }

    fn add(
        &mut self,
        tenant_key: i64,
        record: &ShreddedRecord,
        change: Change,
    ) -> Result<Written, Error> {
        let is_current = change != Change::Archived;
        let key = keys::new(&self.connection, &mut self.numbers, record.start)?;
        let (connection, waiting) = (&self.connection, &mut self.waiting);
        let record_key = rows::insert(connection, waiting, tenant_key, key, is_current, record)?;
        if is_current {
            let id = (tenant_key, record.id_key.as_slice());
            keys::lead(&self.connection, id, record.version, record_key)?;
        }
        self.log_change(tenant_key, record_key, None, record.version, change)?;
        let outcome = match change {
            Change::Replaced => Outcome::Replaced,
            Change::Archived => Outcome::Archived,
            _ => Outcome::Created,
        };
        Ok(written(record, outcome, record.id.clone(), record.flags))
    }

    /// The version is stored already.
    fn write_again(
        &mut self,
        tenant_key: i64,
        stored: &Head,
        record: &ShreddedRecord,
    ) -> Result<Written, Error> {
        let told = |outcome| written(record, outcome, stored.id.clone(), stored.flags);
        if record.content_hash.starts_with(&stored.content_hash) {
            return Ok(told(Outcome::Unchanged));
        }
        let mut version = StoredVersion {
            connection: &self.connection,
            codec: &mut self.stored_codec,
            record_key: stored.record_key,
            flags: stored.flags,
        };
        let merged = match merge(&mut version, record, &mut self.codec)? {
            Merge::Unchanged => return Ok(told(Outcome::Unchanged)),
            Merge::Conflict { pointer } => return Ok(told(Outcome::Conflict { pointer })),
            Merge::Merged(merged) => merged,
        };
        let (connection, waiting) = (&self.connection, &mut self.waiting);
        let (record_key, is_current) = (stored.record_key, stored.is_current);
        rows::delete(connection, &mut self.stored_codec, waiting, tenant_key, stored)?;
        rows::insert(connection, waiting, tenant_key, Some(record_key), is_current, &merged)?;
        self.log_change(tenant_key, record_key, None, stored.version, Change::Merged)?;
        Ok(written(record, Outcome::Merged, merged.id, merged.flags))
    }

    /// Adds an entry to the change log.
    pub(crate) fn log_change(
        &mut self,
        tenant_key: i64,
        record_key: i64,
        id: Option<&str>,
        version: i64,
        change: Change,
    ) -> Result<(), Error> {
        self.log_entry((tenant_key, record_key), (id, version, change), self.now)
    }

    /// The same of what was committed at another time.
    pub(crate) fn log_entry(
        &mut self,
        (tenant_key, record_key): (i64, i64),
        (id, version, change): (Option<&str>, i64, Change),
        committed_at: i64,
    ) -> Result<(), Error> {
        static OF_FILES: LazyLock<Insertion> = LazyLock::new(|| {
            Insertion::of(
                "INSERT INTO change_log (tenant_key, record_key, id, version, change, \
                 committed_at, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
        });
        static OF_NODES: LazyLock<Insertion> = LazyLock::new(|| {
            Insertion::of(
                "INSERT INTO change_log (tenant_key, record_key, id, version, change, \
                 committed_at, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, \
                 pg_current_xact_id()::text::bigint \
                 + (SELECT value FROM setting WHERE name = 'transaction_base') << 20 | ?7)",
            )
        });
        let insertion = match self.connection {
            Connection::Sqlite(_) => &*OF_FILES,
            Connection::Postgres(_) => &*OF_NODES,
        };
        // A file numbers its entries itself.
        let place = matches!(self.connection, Connection::Postgres(_)).then_some(self.logged);
        self.logged += 1;
        let change = change.name();
        let entry = (tenant_key, record_key, id, version, change, committed_at, place);
        self.connection.put(insertion, entry)
    }

    /// Lets no other node change what is counted of a tenant before the transaction's end.
    pub(crate) fn lock_tenant(&self, tenant_key: i64) -> Result<(), Error> {
        // Of a file there is one writer.
        let Connection::Postgres(_) = self.connection else { return Ok(()) };
        let text = "SELECT 1 FROM tenant WHERE tenant_key = ?1 FOR UPDATE";
        self.connection.exists(text, [tenant_key]).map(drop)
    }

    /// The tenant's number, given when the first of its things is kept.
    pub(crate) fn tenant_key(&mut self, tenant: &TenantId) -> Result<i64, Error> {
        if let Some(key) = self.tenants.get(tenant) {
            return Ok(*key);
        }
        let mut found = find_tenant(&self.connection, tenant)?;
        if found.is_none() {
            let text = "INSERT INTO tenant (id) VALUES (?1) ON CONFLICT DO NOTHING";
            self.connection.execute(text, [tenant.as_str()])?;
            found = find_tenant(&self.connection, tenant)?;
        }
        let none = || Error::Internal(Cause::new("a tenant is not there after its insert"));
        let key = found.ok_or_else(none)?;
        self.tenants.insert(tenant.clone(), key);
        Ok(key)
    }
}

/// Numbers of tenants, as far as they were asked for.
pub(crate) type TenantKeys = HashMap<TenantId, i64>;

/// The tenant's number, if it has had a record.
pub(crate) fn find_tenant(
    connection: &Connection,
    tenant: &TenantId,
) -> Result<Option<i64>, Error> {
    connection.value("SELECT tenant_key FROM tenant WHERE id = ?1", [tenant.as_str()])
}

fn written(record: &ShreddedRecord, outcome: Outcome, id: String, flags: u32) -> Written {
    Written { outcome, id, id_key: record.id_key.clone(), version: record.version, flags }
}

fn follow(connection: &mut Connection, patience: Duration) -> Result<Option<Log>, Error> {
    match connection {
        Connection::Sqlite(file) => Ok(Some(Log::follow(file, patience)?)),
        Connection::Postgres(_) => Ok(None),
    }
}
