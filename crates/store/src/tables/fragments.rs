//! The fragments of a stored version: where they lie, and how they are read.

use model::fragment::{FragmentKind, Fragments};

use super::keys::pack_key;
use crate::Error;
use crate::codec::Codec;
use crate::engine::Connection;

/// A fragment of a version: the record's own, which has the number 0, or one of its packs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fragment {
    pub(crate) kind: FragmentKind,
    pub(crate) record_key: i64,
    pub(crate) number: usize,
}

impl Fragment {
    /// The record's own fragment, or its first pack.
    pub(crate) fn first(kind: FragmentKind, record_key: i64) -> Self {
        Self { kind, record_key, number: 0 }
    }

    /// The table that it lies in.
    pub(crate) fn table(self) -> &'static str {
        match self.kind {
            FragmentKind::Record => "call_record",
            FragmentKind::Sessions => "session_pack",
            FragmentKind::Participants => "participant_pack",
        }
    }

    /// The column of the table's key.
    pub(crate) fn key_column(self) -> &'static str {
        match self.kind {
            FragmentKind::Record => "record_key",
            FragmentKind::Sessions | FragmentKind::Participants => "pack_key",
        }
    }

    /// Its key in the table; none for a number that no pack can have.
    pub(crate) fn key(self) -> Option<i64> {
        match self.kind {
            FragmentKind::Record => Some(self.record_key),
            FragmentKind::Sessions | FragmentKind::Participants => {
                pack_key(self.record_key, self.number)
            }
        }
    }

    /// Puts the fragment, decompressed, in place of `out`; false if there is none.
    pub(crate) fn read(
        self,
        connection: &Connection,
        codec: &mut Codec,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let text = match self.kind {
            FragmentKind::Record => "SELECT fragment FROM call_record WHERE record_key = ?1",
            FragmentKind::Sessions => "SELECT fragment FROM session_pack WHERE pack_key = ?1",
            FragmentKind::Participants => {
                "SELECT fragment FROM participant_pack WHERE pack_key = ?1"
            }
        };
        self.read_by(text, connection, codec, out)
    }

    /// As [`Self::read`], by a query of the fragment that has the key `?1`.
    pub(crate) fn read_by(
        self,
        text: &str,
        connection: &Connection,
        codec: &mut Codec,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let Some(key) = self.key() else { return Ok(false) };
        let read = connection
            .first(text, [key], |row| codec.unpack(self.kind, &row.field(0)?.bytes()?, out))?;
        Ok(read.is_some())
    }
}

/// A stored version, for merging.
pub(crate) struct StoredVersion<'s> {
    pub(crate) connection: &'s Connection,
    pub(crate) codec: &'s mut Codec,
    pub(crate) record_key: i64,
    pub(crate) flags: u32,
}

impl StoredVersion<'_> {
    fn read(
        &mut self,
        kind: FragmentKind,
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let fragment = Fragment { kind, record_key: self.record_key, number };
        fragment.read(self.connection, self.codec, out)
    }
}

impl Fragments for StoredVersion<'_> {
    type Error = Error;

    fn flags(&self) -> u32 {
        self.flags
    }

    fn record(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.read(FragmentKind::Record, 0, out).map(drop)
    }

    fn session_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Error> {
        self.read(FragmentKind::Sessions, number, out)
    }

    fn participant_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Error> {
        self.read(FragmentKind::Participants, number, out)
    }
}
