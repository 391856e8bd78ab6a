//! A record that comes in: check, canonical form, and shredding into fragments and typed columns.
//!
//! The text is walked once. Sessions are taken one by one, so that a meeting of thousands of them
//! needs the memory of one at a time beside what is kept of them.

mod identities;
mod members;
mod plain;
mod reader;
mod rows;
mod stored;
mod typed;

use odata::canonical::{Mismatch, UndeclaredName};
use odata::json::Scanner;

use crate::fragment::Codec;
use crate::misplaced::Misplaced;

pub use rows::{MediaRow, SegmentRow, SessionRow, StreamRow, TypedRows};
pub use stored::stored_rows;

/// A checked record, ready for the store. Fragments are compressed by the codec that was given.
#[derive(Debug, Clone)]
pub struct ShreddedRecord {
    /// The id as it came.
    pub id: String,
    /// The id as it is compared.
    pub id_key: Vec<u8>,
    /// The record's version; 1 where the record says none.
    pub version: i64,
    /// `startDateTime` in ticks of 100 ns since 1970.
    pub start: i64,
    /// `endDateTime` in ticks of 100 ns since 1970.
    pub end: i64,
    /// See [`crate::flags`].
    pub flags: u32,
    /// BLAKE3 of everything that is kept of the record's content.
    pub content_hash: [u8; 32],
    /// The record fragment.
    pub record: Vec<u8>,
    /// Packs of [`crate::fragment::PARTICIPANTS_PER_PACK`].
    pub participant_packs: Vec<Vec<u8>>,
    /// Packs of [`crate::fragment::SESSIONS_PER_PACK`].
    pub session_packs: Vec<Vec<u8>>,
    /// Distinct keys of the ids of `participants_v2`.
    pub participant_keys: Vec<Vec<u8>>,
    /// Typed columns of all levels.
    pub rows: TypedRows,
    /// Members of enumerations that are kept though nothing declares them.
    pub undeclared: Vec<UndeclaredName>,
}

/// Why a record cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not JSON.
    #[error("{0}")]
    Json(#[from] odata::json::Error),
    /// The value at the pointer is not what its type allows.
    #[error("{message}")]
    Invalid {
        /// JSON Pointer (RFC 6901) to the value.
        pointer: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Error {
    /// JSON Pointer to the value that is wrong; empty for text that is not JSON.
    pub fn pointer(&self) -> &str {
        match self {
            Self::Json(_) => "",
            Self::Invalid { pointer, .. } => pointer,
        }
    }

    /// The same for a record that begins on this line of a larger text.
    #[must_use]
    pub fn from_line(self, line: u64) -> Self {
        match self {
            Self::Json(error) => Self::Json(error.from_line(line)),
            invalid @ Self::Invalid { .. } => invalid,
        }
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        Self::Invalid { pointer: mismatch.pointer, message: mismatch.message }
    }
}

/// Checks the JSON text of a callRecord and shreds it.
pub fn shred(text: &str, codec: &mut dyn Codec) -> Result<ShreddedRecord, Error> {
    if text.trim_ascii_start().starts_with('[') {
        let (pointer, message) = (String::new(), Misplaced::List.to_string());
        return Err(Error::Invalid { pointer, message });
    }
    reader::read(Scanner::foreign(text), codec)
}

/// Checks and shreds a text that was made of what is kept, which may be nested deeper than one that
/// comes in.
pub fn shred_own(text: &str, codec: &mut dyn Codec) -> Result<ShreddedRecord, Error> {
    reader::read(Scanner::new(text), codec)
}
