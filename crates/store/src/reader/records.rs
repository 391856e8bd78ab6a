//! Reading records: by id, and what is inside them.

use model::fragment::{FragmentKind, Pack};
use model::{TenantId, key};

use super::Reader;
use crate::Error;
use crate::cache::current::CurrentVersion;
use crate::codec::{Codec, Large, PackedFragment};
use crate::engine::{Column, Connection};
use crate::rows::record::StoredRecord;
use crate::tables::fragments::Fragment;
use crate::tables::keys::RecordId;
use crate::tables::records;

impl Reader {
    /// A record by the key of its id ([`model::key()`]): the version named, or the current one.
    pub fn record(
        &mut self,
        tenant: &TenantId,
        id_key: &[u8],
        version: Option<i64>,
    ) -> Result<Option<StoredRecord>, Error> {
        match self.version(tenant, id_key, version) {
            // Where it was led to has just gone; a new snapshot knows better.
            Err(Error::Again) => self.version(tenant, id_key, version),
            read => read,
        }
    }

    /// The current version of a record as [`Self::record`] gives it, for those who read nothing more
    /// of it, or no more than the first pack of its sessions: that one is read with it.
    pub fn current(
        &mut self,
        tenant: &TenantId,
        id_key: &[u8],
        with_sessions: bool,
    ) -> Result<Option<StoredRecord>, Error> {
        self.current_unless(tenant, id_key, with_sessions, |_| false)
    }

    /// The current version of a record as [`Self::current`] gives it, without its fragment if `is_known`
    /// says of the rest that it is not needed.
    pub fn current_unless(
        &mut self,
        tenant: &TenantId,
        id_key: &[u8],
        with_sessions: bool,
        is_known: impl FnOnce(&StoredRecord) -> bool,
    ) -> Result<Option<StoredRecord>, Error> {
        if self.state.opener.file().is_ok() {
            let connection = self.snapshot.fresh()?;
            let Some(tenant_key) = self.tenants.key(connection, tenant)? else {
                return Ok(None);
            };
            return records::highest(connection, RecordId { tenant_key, id_key }, |row| {
                let mut record = records::without_fragment(row)?;
                if !is_known(&record) {
                    records::read_fragment(row, &mut self.codec, &mut record)?;
                }
                Ok(record)
            });
        }
        let connection = self.snapshot.none()?;
        let Some(tenant_key) = self.tenants.key(connection, tenant)? else {
            return Ok(None);
        };
        let mut pack = Vec::new();
        let current = CurrentVersion {
            connection,
            partitions: &self.state.partitions,
            codec: &mut self.codec,
            id: RecordId { tenant_key, id_key },
            pack: with_sessions.then_some(&mut pack),
        };
        let found = current.read_at_once(&self.state.record_keys)?;
        // It is here in any case: the fragment came with the row.
        let is_needed = found.as_ref().is_some_and(|record| !is_known(record));
        if let (Some(record), true) = (&found, is_needed && with_sessions) {
            self.snapshot.keep_ahead(record.record_key, pack);
        }
        Ok(found)
    }

    fn version(
        &mut self,
        tenant: &TenantId,
        id_key: &[u8],
        version: Option<i64>,
    ) -> Result<Option<StoredRecord>, Error> {
        let connection = self.snapshot.fresh()?;
        let Some(tenant_key) = self.tenants.key(connection, tenant)? else {
            return Ok(None);
        };
        let (codec, id) = (&mut self.codec, RecordId { tenant_key, id_key });
        match (version, connection) {
            (Some(number), _) => records::version(connection, codec, id, number),
            (None, Connection::Sqlite(_)) => {
                records::highest(connection, id, |row| records::read(row, codec))
            }
            (None, Connection::Postgres(_)) => {
                let partitions = &self.state.partitions;
                CurrentVersion { connection, partitions, codec, id, pack: None }.read()
            }
        }
    }

    /// All versions of a record, ascending.
    pub fn versions(
        &mut self,
        tenant: &TenantId,
        id_key: &[u8],
    ) -> Result<Vec<StoredRecord>, Error> {
        let connection = self.snapshot.fresh()?;
        let Some(tenant_key) = self.tenants.key(connection, tenant)? else {
            return Ok(Vec::new());
        };
        records::versions(connection, &mut self.codec, RecordId { tenant_key, id_key })
    }

    /// Puts the `number`-th pack of a record's sessions, decompressed, in place of `out`; false if
    /// there is none.
    pub fn session_pack(
        &mut self,
        record_key: i64,
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        if number == 0
            && let Some(pack) = self.snapshot.take_ahead(record_key)
        {
            *out = pack;
            return Ok(!out.is_empty());
        }
        self.fragment(Fragment { kind: FragmentKind::Sessions, record_key, number }, out)
    }

    /// Puts the `number`-th pack of a record's participants, decompressed, in place of `out`; false if
    /// there is none.
    pub fn participant_pack(
        &mut self,
        record_key: i64,
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        self.fragment(Fragment { kind: FragmentKind::Participants, record_key, number }, out)
    }

    fn fragment(&mut self, fragment: Fragment, out: &mut Vec<u8>) -> Result<bool, Error> {
        let (connection, partitions) = (self.snapshot.same()?, &self.state.partitions);
        let table = partitions.table(connection, fragment.table(), fragment.record_key)?;
        let text = format!("SELECT fragment FROM {table} WHERE {} = ?1", fragment.key_column());
        fragment
            .read_by(&text, connection, &mut self.codec, out)
            .inspect_err(|error| partitions.forget_if_gone(error))
    }

    /// Reads with nothing in place of large fragments.
    pub fn without_large<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let usual = std::mem::replace(&mut self.codec.large, Large::Skipped);
        let outcome = read(self);
        self.codec.large = usual;
        outcome
    }

    /// How many bytes a fragment takes in the store; none if it is not there. A record has one of its own,
    /// with the number 0.
    pub fn packed_bytes(
        &mut self,
        kind: FragmentKind,
        (record_key, number): (i64, usize),
    ) -> Result<Option<u64>, Error> {
        let fragment = Fragment { kind, record_key, number };
        let bytes: Option<i64> = self.of_fragment(fragment, "CAST(length(fragment) AS BIGINT)")?;
        Ok(bytes.map(i64::unsigned_abs))
    }

    /// A fragment, for those who read it piece by piece; none if it is not there.
    pub fn packed(
        &mut self,
        kind: FragmentKind,
        (record_key, number): (i64, usize),
    ) -> Result<Option<PackedFragment>, Error> {
        let fragment = Fragment { kind, record_key, number };
        let bytes: Option<Vec<u8>> = self.of_fragment(fragment, "fragment")?;
        Ok(bytes.map(|bytes| self.codec.packed(bytes)).transpose()?)
    }

    fn of_fragment<T: Column>(
        &mut self,
        fragment: Fragment,
        what: &'static str,
    ) -> Result<Option<T>, Error> {
        let Some(key) = fragment.key() else { return Ok(None) };
        let (connection, partitions) = (self.snapshot.same()?, &self.state.partitions);
        let table = partitions.table(connection, fragment.table(), fragment.record_key)?;
        let text = format!("SELECT {what} FROM {table} WHERE {} = ?1", fragment.key_column());
        connection.value(&text, [key]).inspect_err(|error| partitions.forget_if_gone(error))
    }

    /// The position of a session in its record, by the key of its id. Current versions have an
    /// index for it; the packs of others are looked through.
    pub fn session_ordinal(
        &mut self,
        record_key: i64,
        id_key: &[u8],
    ) -> Result<Option<i64>, Error> {
        let connection = self.snapshot.same()?;
        let is_current: Option<bool> = connection
            .value("SELECT is_current FROM call_record WHERE record_key = ?1", [record_key])?;
        match is_current {
            None => Ok(None),
            Some(true) => connection.value(
                "SELECT ordinal FROM session WHERE record_key = ?1 AND id_key = ?2 LIMIT 1",
                (record_key, id_key),
            ),
            Some(false) => search_packs(connection, &mut self.codec, record_key, id_key),
        }
    }
}

fn search_packs(
    connection: &Connection,
    codec: &mut Codec,
    record_key: i64,
    id_key: &[u8],
) -> Result<Option<i64>, Error> {
    let mut pack = Vec::new();
    let (mut fragment, mut ordinal) = (Fragment::first(FragmentKind::Sessions, record_key), 0);
    while fragment.read(connection, codec, &mut pack)? {
        for item in Pack::read(&pack)?.items() {
            if key(item?.id) == id_key {
                return Ok(Some(ordinal));
            }
            ordinal += 1;
        }
        fragment.number += 1;
    }
    Ok(None)
}
