//! Fragments as zstd frames: compressed with the dictionary of their kind, with a checksum, and
//! read back by whatever dictionary they name.

pub(crate) mod dictionaries;
pub(crate) mod dictionary;
mod encoder;
mod packed;

use std::fmt;
use std::sync::Arc;

use model::fragment::{Codec as Fragments, Corrupt, FragmentKind};
use zstd::zstd_safe::{DCtx, compress_bound, get_dict_id_from_frame, get_frame_content_size};

use self::dictionaries::Dictionaries;
use self::dictionary::Dictionary;
use self::encoder::Encoder;
pub use self::packed::{FragmentReader, PackedFragment};
use crate::Error;

/// No fragment is bigger than the biggest record that comes in (128 MiB) with its table of
/// lengths, so a frame that states more is damaged.
const MAX_FRAGMENT_BYTES: u64 = 160 << 20;

/// A fragment larger than this takes longer to read than an event loop can spare, and more memory than
/// should be taken without a limit.
const LARGE: u64 = 1 << 20;

/// What becomes of a large fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Large {
    /// It is read like any other.
    Read,
    /// It is an error.
    Refused,
    /// Nothing is read in its place.
    Skipped,
}

/// Compresses and reads fragments. Has contexts of its own: one for each thread.
pub struct Codec {
    dictionaries: Arc<Dictionaries>,
    encoders: [Option<Encoder>; 3],
    decoder: DCtx<'static>,
    /// Dictionaries used so far, which spares the lock on the shared ones. Each has a context of its own:
    /// in a context that alternates between dictionaries they would be cold in the processor's cache.
    met: Vec<(Arc<Dictionary>, DCtx<'static>)>,
    buffer: Vec<u8>,
    pub(crate) large: Large,
}

impl Codec {
    pub(crate) fn new(dictionaries: Arc<Dictionaries>) -> Self {
        Self {
            dictionaries,
            encoders: [None, None, None],
            decoder: DCtx::create(),
            met: Vec::new(),
            buffer: Vec::new(),
            large: Large::Read,
        }
    }

    /// The fragment, put into `out` in place of what is there, unless it is large.
    pub(crate) fn unpack(
        &mut self,
        kind: FragmentKind,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if self.large != Large::Read
            && let Some(size) = get_frame_content_size(bytes).ok().flatten()
            && size > LARGE
        {
            out.clear();
            return if self.large == Large::Skipped { Ok(()) } else { Err(Error::Large) };
        }
        Ok(self.decompress(kind, bytes, out)?)
    }

    /// A fragment for those who read it piece by piece.
    pub(crate) fn packed(&mut self, bytes: Vec<u8>) -> Result<PackedFragment, Corrupt> {
        let size = get_frame_content_size(&bytes).ok().flatten().ok_or(Corrupt)?;
        let dictionary = match get_dict_id_from_frame(&bytes) {
            None => None,
            Some(key) => {
                let place = self.meet(key.get())?;
                Some(Arc::clone(&self.met[place].0))
            }
        };
        Ok(PackedFragment::new(bytes, dictionary, size))
    }

    /// The place of a dictionary among those met.
    fn meet(&mut self, key: u32) -> Result<usize, Corrupt> {
        if let Some(place) = self.met.iter().position(|(known, _)| known.row.key == key) {
            return Ok(place);
        }
        let found = self.dictionaries.find(key).ok().flatten().ok_or(Corrupt)?;
        self.met.push((found, DCtx::create()));
        Ok(self.met.len() - 1)
    }
}

impl Fragments for Codec {
    fn compress(&mut self, kind: FragmentKind, bytes: &[u8]) -> Vec<u8> {
        let encoder =
            self.encoders[kind as usize].get_or_insert_with(|| self.dictionaries.encoder(kind));
        self.buffer.clear();
        self.buffer.reserve(compress_bound(bytes.len()));
        encoder.context.compress2(&mut self.buffer, bytes).expect("the buffer holds the bound");
        self.buffer.as_slice().to_vec()
    }

    fn decompress(
        &mut self,
        _kind: FragmentKind,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Corrupt> {
        let size = get_frame_content_size(bytes).ok().flatten().ok_or(Corrupt)?;
        if size > MAX_FRAGMENT_BYTES {
            return Err(Corrupt);
        }
        out.clear();
        out.try_reserve(size as usize).map_err(|_| Corrupt)?;
        let read = match get_dict_id_from_frame(bytes) {
            None => self.decoder.decompress(out, bytes),
            Some(key) => {
                let place = self.meet(key.get())?;
                let (dictionary, decoder) = &mut self.met[place];
                decoder.decompress_using_ddict(out, bytes, &dictionary.decoder)
            }
        };
        match read {
            Ok(written) if written as u64 == size => Ok(()),
            _ => Err(Corrupt),
        }
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        for encoder in self.encoders.iter_mut().filter_map(Option::take) {
            self.dictionaries.keep(encoder);
        }
    }
}

/// The number of the dictionary that a compressed fragment needs; 0 if none.
pub(crate) fn dictionary_key(fragment: &[u8]) -> u32 {
    get_dict_id_from_frame(fragment).map_or(0, std::num::NonZero::get)
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Opener;

    fn codec() -> Codec {
        let opener = Opener::Sqlite("nowhere".into());
        Codec::new(Arc::new(Dictionaries::new(opener, Vec::new()).unwrap()))
    }

    #[test]
    fn fragments_come_back_as_they_were() {
        let mut codec = codec();
        let mut out = b"what was there before".to_vec();
        for size in [0, 1, 100, 100_000] {
            let fragment: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let packed = codec.compress(FragmentKind::Sessions, &fragment);
            codec.decompress(FragmentKind::Sessions, &packed, &mut out).unwrap();
            assert_eq!(out, fragment);
        }
    }

    #[test]
    fn large_fragments_are_read_in_pieces_and_as_a_whole_only_by_those_who_want_to() {
        use std::io::Read as _;
        let mut codec = codec();
        let fragment: Vec<u8> = (0..LARGE * 3).map(|n| (n % 251) as u8).collect();
        let bytes = codec.compress(FragmentKind::Sessions, &fragment);
        let mut out = Vec::new();
        codec.unpack(FragmentKind::Sessions, &bytes, &mut out).unwrap();
        assert!(out == fragment);
        codec.large = Large::Skipped;
        codec.unpack(FragmentKind::Sessions, &bytes, &mut out).unwrap();
        assert!(out.is_empty());
        codec.large = Large::Refused;
        let refused = codec.unpack(FragmentKind::Sessions, &bytes, &mut out);
        assert!(matches!(refused, Err(Error::Large)));

        let packed = codec.packed(bytes.clone()).unwrap();
        assert_eq!(packed.size(), LARGE * 3);
        let (mut unpacking, mut piece) = (packed.unpack().unwrap(), vec![0; 70_000]);
        loop {
            let count = unpacking.read(&mut piece).unwrap();
            if count == 0 {
                break;
            }
            out.extend_from_slice(&piece[..count]);
        }
        assert!(out == fragment);
        let cut = codec.packed(bytes[..bytes.len() / 2].to_vec()).unwrap();
        let read = cut.unpack().unwrap().read_to_end(&mut Vec::new());
        assert!(read.is_ok_and(|count| count < fragment.len()));
    }

    #[test]
    fn every_flipped_bit_of_a_fragment_is_noticed() {
        let mut codec = codec();
        let fragment = br#""id":"e523d2ed-2966-4b6b-925b-754a88034cc5","version":1"#;
        let packed = codec.compress(FragmentKind::Record, fragment);
        let mut out = Vec::new();
        for bit in 0..packed.len() * 8 {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let read = codec.decompress(FragmentKind::Record, &damaged, &mut out);
            assert!(read.is_err() || out == fragment, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_that_states_a_huge_size_is_refused_without_taking_the_memory() {
        let mut codec = codec();
        // Magic, a descriptor with an 8-byte content size, a window byte, 2^40 bytes of content.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x58, 0, 0, 0, 0, 0, 1, 0, 0];
        assert!(codec.decompress(FragmentKind::Record, &frame, &mut Vec::new()).is_err());
    }
}
