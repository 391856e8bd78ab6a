//! A stored version, read within the writer's transaction.

use model::fragment::{FragmentKind, Fragments};

use super::keys;
use crate::engine::{Connection, Row};
use crate::{Codec, Error};

/// Packs of a record have keys side by side: its own key and 16 bits for their number.
pub(crate) const PACK_BITS: u32 = 16;

macro_rules! head {
    () => {
        "SELECT record_key, id, version, is_current, start_date_time, flags, content_hash \
         FROM call_record"
    };
}

/// What the writer must know of a version to decide what becomes of another one.
pub(crate) struct Head {
    pub(crate) record_key: i64,
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) is_current: bool,
    pub(crate) start: i64,
    pub(crate) flags: u32,
    pub(crate) content_hash: [u8; 16],
}

impl Head {
    /// A version of a record; the highest if none is named.
    pub(crate) fn find(
        connection: &Connection,
        tenant_key: i64,
        id_key: &[u8],
        version: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        match version {
            None => connection.first(
                concat!(
                    head!(),
                    " WHERE tenant_key = ?1 AND id_key = ?2 ORDER BY version DESC LIMIT 1"
                ),
                (tenant_key, id_key),
                Self::read,
            ),
            Some(version) => connection.first(
                concat!(head!(), " WHERE tenant_key = ?1 AND id_key = ?2 AND version = ?3"),
                (tenant_key, id_key, version),
                Self::read,
            ),
        }
    }

    /// The current version of a record.
    pub(crate) fn current(
        connection: &Connection,
        tenant_key: i64,
        id_key: &[u8],
    ) -> Result<Option<Self>, Error> {
        let Connection::Postgres(_) = connection else {
            return Self::find(connection, tenant_key, id_key, None);
        };
        match keys::find(connection, tenant_key, id_key)? {
            Some(record_key) => Self::by_key(connection, record_key),
            None => Ok(None),
        }
    }

    /// The version of this key.
    pub(crate) fn by_key(connection: &Connection, record_key: i64) -> Result<Option<Self>, Error> {
        connection.first(concat!(head!(), " WHERE record_key = ?1"), [record_key], Self::read)
    }

    fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            record_key: row.get(0)?,
            id: row.get(1)?,
            version: row.get(2)?,
            is_current: row.get(3)?,
            start: row.get(4)?,
            flags: row.get(5)?,
            content_hash: row.get(6)?,
        })
    }
}

/// The fragments of a version, for merging.
pub(crate) struct StoredVersion<'s> {
    pub(crate) connection: &'s Connection,
    pub(crate) codec: &'s mut Codec,
    pub(crate) record_key: i64,
    pub(crate) flags: u32,
}

impl Fragments for StoredVersion<'_> {
    type Error = Error;

    fn flags(&self) -> u32 {
        self.flags
    }

    fn record(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let text = "SELECT fragment FROM call_record WHERE record_key = ?1";
        fragment(self.connection, self.codec, text, self.record_key, FragmentKind::Record, out)?;
        Ok(())
    }

    fn session_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Error> {
        session_pack(self.connection, self.codec, self.record_key, number, out)
    }

    fn participant_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Error> {
        participant_pack(self.connection, self.codec, self.record_key, number, out)
    }
}

/// Puts a pack of sessions, decompressed, in place of `out`; false if there is none.
pub(crate) fn session_pack(
    connection: &Connection,
    codec: &mut Codec,
    record_key: i64,
    number: usize,
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    let text = "SELECT fragment FROM session_pack WHERE pack_key = ?1";
    let Some(key) = pack_key(record_key, number) else { return Ok(false) };
    fragment(connection, codec, text, key, FragmentKind::Sessions, out)
}

/// The same of participants.
pub(crate) fn participant_pack(
    connection: &Connection,
    codec: &mut Codec,
    record_key: i64,
    number: usize,
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    let text = "SELECT fragment FROM participant_pack WHERE pack_key = ?1";
    let Some(key) = pack_key(record_key, number) else { return Ok(false) };
    fragment(connection, codec, text, key, FragmentKind::Participants, out)
}

/// The key of a record's pack; none for a number that no pack can have.
pub(crate) fn pack_key(record_key: i64, number: usize) -> Option<i64> {
    (number < 1 << PACK_BITS).then_some(record_key << PACK_BITS | number as i64)
}

/// Puts the fragment of a key, decompressed, in place of `out`; false if there is none.
pub(crate) fn fragment(
    connection: &Connection,
    codec: &mut Codec,
    text: &str,
    key: i64,
    kind: FragmentKind,
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    let read =
        connection.first(text, [key], |row| codec.unpack(kind, &row.field(0)?.bytes()?, out))?;
    Ok(read.is_some())
}
