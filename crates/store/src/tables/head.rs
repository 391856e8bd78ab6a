//! The head of a stored version: what decides what becomes of another version that comes in.

use super::keys::RecordId;
use super::record_keys;
use crate::Error;
use crate::engine::{Connection, Row};

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
        id: RecordId<'_>,
        version: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        match version {
            None => connection.first(
                concat!(
                    head!(),
                    " WHERE tenant_key = ?1 AND id_key = ?2 ORDER BY version DESC LIMIT 1"
                ),
                (id.tenant_key, id.id_key),
                Self::read,
            ),
            Some(version) => connection.first(
                concat!(head!(), " WHERE tenant_key = ?1 AND id_key = ?2 AND version = ?3"),
                (id.tenant_key, id.id_key, version),
                Self::read,
            ),
        }
    }

    /// The current version of a record.
    pub(crate) fn current(
        connection: &Connection,
        id: RecordId<'_>,
    ) -> Result<Option<Self>, Error> {
        let Connection::Postgres(_) = connection else {
            return Self::find(connection, id, None);
        };
        match record_keys::find(connection, id)? {
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
