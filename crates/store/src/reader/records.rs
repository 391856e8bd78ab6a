//! Reading records: by id, and what is inside them.

use model::fragment::{FragmentKind, Pack};
use model::{TenantId, key};

use super::{Reader, tenant_key};
use crate::codec::Large;
use crate::engine::{Column, Connection, Row};
use crate::postgres::current;
use crate::sql::record_columns;
use crate::tables::stored;
use crate::{Codec, Error, Packed, StoredRecord};

const CURRENT: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM call_record r WHERE r.tenant_key = ?1 AND r.id_key = ?2 ORDER BY r.version DESC LIMIT 1"
);
const VERSION: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM call_record r WHERE r.tenant_key = ?1 AND r.id_key = ?2 AND r.version = ?3"
);
const VERSIONS: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM call_record r WHERE r.tenant_key = ?1 AND r.id_key = ?2 ORDER BY r.version"
);

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

    /// The same, without its fragment if the rest of it says that this is not needed.
    pub fn current_unless(
        &mut self,
        tenant: &TenantId,
        id_key: &[u8],
        with_sessions: bool,
        is_known: impl FnOnce(&StoredRecord) -> bool,
    ) -> Result<Option<StoredRecord>, Error> {
        if self.shared.opener.file().is_ok() {
            let connection = self.snapshot.fresh()?;
            let Some(tenant_key) = tenant_key(connection, &mut self.tenants, tenant)? else {
                return Ok(None);
            };
            return connection.first(CURRENT, (tenant_key, id_key), |row| {
                let mut record = without_fragment(row)?;
                if !is_known(&record) {
                    read_fragment(row, &mut self.codec, &mut record)?;
                }
                Ok(record)
            });
        }
        let connection = self.snapshot.none()?;
        let Some(tenant_key) = tenant_key(connection, &mut self.tenants, tenant)? else {
            return Ok(None);
        };
        let (known, codec) = ((&self.shared.months, &self.shared.leads), &mut self.codec);
        let mut pack = Vec::new();
        let wanted = with_sessions.then_some(&mut pack);
        let found = current::at_once(connection, known, codec, (tenant_key, id_key), wanted)?;
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
        let Some(tenant_key) = tenant_key(connection, &mut self.tenants, tenant)? else {
            return Ok(None);
        };
        let (codec, key) = (&mut self.codec, (tenant_key, id_key));
        match (version, connection) {
            (Some(number), _) => self::version(connection, codec, key, number),
            (None, Connection::Sqlite(_)) => {
                connection.first(CURRENT, key, |row| record(row, codec))
            }
            (None, Connection::Postgres(_)) => {
                current::record(connection, &self.shared.months, codec, key)
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
        let Some(tenant_key) = tenant_key(connection, &mut self.tenants, tenant)? else {
            return Ok(Vec::new());
        };
        connection.all(VERSIONS, (tenant_key, id_key), |row| record(row, &mut self.codec))
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
        self.pack(FragmentKind::Sessions, (record_key, number), out)
    }

    /// The same of participants.
    pub fn participant_pack(
        &mut self,
        record_key: i64,
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        self.pack(FragmentKind::Participants, (record_key, number), out)
    }

    fn pack(
        &mut self,
        kind: FragmentKind,
        (record_key, number): (i64, usize),
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let whole = match kind {
            FragmentKind::Participants => "participant_pack",
            FragmentKind::Sessions | FragmentKind::Record => "session_pack",
        };
        let Some(key) = stored::pack_key(record_key, number) else { return Ok(false) };
        let (connection, months) = (self.snapshot.same()?, &self.shared.months);
        let table = months.table(connection, whole, record_key)?;
        let text = format!("SELECT fragment FROM {table} WHERE pack_key = ?1");
        stored::fragment(connection, &mut self.codec, &text, key, kind, out)
            .inspect_err(|error| months.forget_if_gone(error))
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
        place: (i64, usize),
    ) -> Result<Option<u64>, Error> {
        let bytes: Option<i64> =
            self.of_fragment("CAST(length(fragment) AS BIGINT)", kind, place)?;
        Ok(bytes.map(i64::unsigned_abs))
    }

    /// A fragment, for those who read it piece by piece; none if it is not there.
    pub fn packed(
        &mut self,
        kind: FragmentKind,
        place: (i64, usize),
    ) -> Result<Option<Packed>, Error> {
        let bytes: Option<Vec<u8>> = self.of_fragment("fragment", kind, place)?;
        Ok(bytes.map(|bytes| self.codec.packed(bytes)).transpose()?)
    }

    fn of_fragment<T: Column>(
        &mut self,
        what: &'static str,
        kind: FragmentKind,
        (record_key, number): (i64, usize),
    ) -> Result<Option<T>, Error> {
        let (whole, column) = match kind {
            FragmentKind::Record => ("call_record", "record_key"),
            FragmentKind::Sessions => ("session_pack", "pack_key"),
            FragmentKind::Participants => ("participant_pack", "pack_key"),
        };
        let key = match kind {
            FragmentKind::Record => Some(record_key),
            _ => stored::pack_key(record_key, number),
        };
        let Some(key) = key else { return Ok(None) };
        let (connection, months) = (self.snapshot.same()?, &self.shared.months);
        let table = months.table(connection, whole, record_key)?;
        let text = format!("SELECT {what} FROM {table} WHERE {column} = ?1");
        connection.value(&text, [key]).inspect_err(|error| months.forget_if_gone(error))
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

/// A version of a record.
pub(crate) fn version(
    connection: &Connection,
    codec: &mut Codec,
    (tenant_key, id_key): (i64, &[u8]),
    version: i64,
) -> Result<Option<StoredRecord>, Error> {
    connection.first(VERSION, (tenant_key, id_key, version), |row| record(row, codec))
}

/// A row of `record_columns!`. A record that can't be unpacked has an empty fragment, so that it is found
/// to be damaged by whoever shows it, and those beside it are not.
pub(crate) fn record(row: &Row<'_>, codec: &mut Codec) -> Result<StoredRecord, Error> {
    let mut record = without_fragment(row)?;
    read_fragment(row, codec, &mut record)?;
    Ok(record)
}

fn read_fragment(row: &Row<'_>, codec: &mut Codec, record: &mut StoredRecord) -> Result<(), Error> {
    let bytes = row.field(10)?.bytes();
    let unpacked =
        bytes.and_then(|bytes| codec.unpack(FragmentKind::Record, &bytes, &mut record.fragment));
    match unpacked {
        // Who may not read large ones has another way.
        Err(Error::Large) => return Err(Error::Large),
        Err(cause) => {
            tracing::error!(%cause, record_key = record.record_key, "a record can't be unpacked");
            record.fragment.clear();
        }
        Ok(()) => {}
    }
    Ok(())
}

fn without_fragment(row: &Row<'_>) -> Result<StoredRecord, Error> {
    Ok(StoredRecord {
        record_key: row.get(0)?,
        id: row.get(1)?,
        version: row.get(2)?,
        is_current: row.get(3)?,
        start: row.get(4)?,
        end: row.get(5)?,
        flags: row.get(6)?,
        content_hash: row.get(7)?,
        participant_count: row.get(8)?,
        session_count: row.get(9)?,
        fragment: Vec::new(),
    })
}

fn search_packs(
    connection: &Connection,
    codec: &mut Codec,
    record_key: i64,
    id_key: &[u8],
) -> Result<Option<i64>, Error> {
    let mut pack = Vec::new();
    let (mut number, mut ordinal) = (0, 0);
    while stored::session_pack(connection, codec, record_key, number, &mut pack)? {
        for item in Pack::read(&pack)?.items() {
            if key(item?.id) == id_key {
                return Ok(Some(ordinal));
            }
            ordinal += 1;
        }
        number += 1;
    }
    Ok(None)
}
