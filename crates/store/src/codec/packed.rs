//! Fragments as the store keeps them, for those who read them piece by piece: what is too large to be
//! held whole.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use zstd::stream::raw::{Decoder, Operation as _};

use super::dictionary::Dictionary;

/// A fragment, compressed.
pub struct PackedFragment {
    bytes: Vec<u8>,
    dictionary: Option<Arc<Dictionary>>,
    size: u64,
}

impl PackedFragment {
    pub(crate) fn new(bytes: Vec<u8>, dictionary: Option<Arc<Dictionary>>, size: u64) -> Self {
        Self { bytes, dictionary, size }
    }

    /// Bytes of the fragment itself.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Begins to read the fragment.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn unpack(self) -> io::Result<FragmentReader> {
        let dictionary = self.dictionary.as_ref().map_or(&[][..], |known| &known.row.body);
        Ok(FragmentReader {
            decoder: Decoder::with_dictionary(dictionary)?,
            bytes: self.bytes,
            at: 0,
        })
    }
}

impl fmt::Debug for PackedFragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackedFragment").field("size", &self.size).finish_non_exhaustive()
    }
}

/// The bytes of a fragment, in their order.
pub struct FragmentReader {
    decoder: Decoder<'static>,
    bytes: Vec<u8>,
    at: usize,
}

impl Read for FragmentReader {
    /// No bytes at the end. One that is cut short ends early; one that is damaged ends with an error.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let status = self.decoder.run_on_buffers(&self.bytes[self.at..], out)?;
            self.at += status.bytes_read;
            let is_over = status.bytes_read == 0 || status.remaining == 0;
            if status.bytes_written > 0 || is_over || out.is_empty() {
                return Ok(status.bytes_written);
            }
        }
    }
}

impl fmt::Debug for FragmentReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FragmentReader").finish_non_exhaustive()
    }
}
