//! A stored version, read within the writer's transaction.

use model::fragment::{Codec as _, FragmentKind};
use model::merge::Stored;
use rusqlite::{Connection, OptionalExtension, Row};

use super::PACK_BITS;
use crate::{Codec, Error};

/// What the writer must know of a version to decide what becomes of another one.
pub(super) struct Head {
    pub(super) record_key: i64,
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) is_current: bool,
    pub(super) start: i64,
    pub(super) flags: u32,
    pub(super) content_hash: [u8; 16],
}

impl Head {
    /// A version of a record; the highest if none is named.
    pub(super) fn find(
        connection: &Connection,
        tenant_key: i64,
        id_key: &[u8],
        version: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        let found = match version {
            None => connection
                .prepare_cached(
                    "SELECT record_key, id, version, is_current, start_date_time, flags, \
                     content_hash FROM call_record WHERE tenant_key = ?1 AND id_key = ?2 \
                     ORDER BY version DESC LIMIT 1",
                )?
                .query_row((tenant_key, id_key), Self::read),
            Some(version) => connection
                .prepare_cached(
                    "SELECT record_key, id, version, is_current, start_date_time, flags, \
                     content_hash FROM call_record WHERE tenant_key = ?1 AND id_key = ?2 \
                     AND version = ?3",
                )?
                .query_row((tenant_key, id_key, version), Self::read),
        };
        Ok(found.optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
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
pub(super) struct StoredVersion<'s> {
    pub(super) connection: &'s Connection,
    pub(super) codec: &'s mut Codec,
    pub(super) record_key: i64,
    pub(super) flags: u32,
}

impl Stored for StoredVersion<'_> {
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
pub(super) fn session_pack(
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
pub(super) fn participant_pack(
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
pub(super) fn pack_key(record_key: i64, number: usize) -> Option<i64> {
    (number < 1 << PACK_BITS).then_some(record_key << PACK_BITS | number as i64)
}

fn fragment(
    connection: &Connection,
    codec: &mut Codec,
    text: &'static str,
    key: i64,
    kind: FragmentKind,
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    let mut statement = connection.prepare_cached(text)?;
    let mut rows = statement.query([key])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    let packed = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    codec.decompress(kind, packed, out)?;
    Ok(true)
}
