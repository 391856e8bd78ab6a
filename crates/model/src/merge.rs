//! The same version of a record again: what the two say is put together, unless they disagree.

use crate::Shredded;
use crate::fragment::{Codec, Corrupt};

/// A stored record, read piece by piece.
pub trait Stored {
    /// What reading can end with.
    type Error: From<Corrupt>;
    /// Bits of [`crate::flags`].
    fn flags(&self) -> u32;
    /// Puts the record fragment, decompressed, in place of `out`.
    fn record(&mut self, out: &mut Vec<u8>) -> Result<(), Self::Error>;
    /// Puts the `number`-th pack of sessions, decompressed, in place of `out`; false if there is
    /// none.
    fn session_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Self::Error>;
    /// The same for participants.
    fn participant_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Self::Error>;
}

/// What came of it.
#[derive(Debug)]
pub enum Merge {
    /// The stored record says it all already.
    Unchanged,
    /// Both together.
    Merged(Box<Shredded>),
    /// They differ in the value at this JSON Pointer into the incoming record.
    Conflict {
        /// JSON Pointer (RFC 6901).
        pointer: String,
    },
}
