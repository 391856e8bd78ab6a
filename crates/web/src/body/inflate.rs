//! Undoing the encoding of a request's body, in steps that are short whatever the body holds.
//!
//! A few bytes can stand for many: 26 of Brotli for 16 MiB. So what is decoded is asked for piece by
//! piece, each with the room that is left for it, and a decoder stops when it has used that up.

use std::fmt;
use std::io::{self, Write};

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use bytes::{Buf as _, Bytes};
use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

use crate::problem::Problem;

/// Bytes of a piece, give or take what a decoder makes at once.
const PIECE: usize = 64 << 10;

/// Bytes of a piece that is decoded on a thread where nobody else waits ([`Inflate::is_slow`]): to go
/// there and back has a price of its own.
const LARGE_PIECE: usize = 1 << 20;

/// Calls of a decoder in a step: of members and frames that hold nothing there can be many in few bytes.
const CALLS: usize = 32;

/// The largest block of Brotli (RFC 7932 section 9.2), which its decoder makes as a whole.
const LARGEST_BLOCK: usize = 16 << 20;

/// Bytes that Brotli's decoder is given at once where a block is not to be made before its length was
/// seen: between a block's length and its first command stand more.
const SIP: usize = 4;

/// A decoder that is fed with what arrives.
pub(super) struct Inflate {
    decoder: Decoder,
    /// Encoded bytes that wait.
    waiting: Bytes,
    /// There may be decoded bytes that had no room in the last piece.
    is_full: bool,
}

enum Decoder {
    // The decoders' tables are large and rarely wanted.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Brotli(Box<Brotli>),
    Zstd(Frames),
}

/// Why there is no piece.
#[derive(Debug)]
pub(super) enum Fault {
    /// It would be larger than the room for it.
    TooLarge,
    /// The bytes are not what they are said to be.
    Damaged(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Damaged(error)
    }
}

impl Fault {
    /// As the client is told; `limit` in bytes.
    pub(super) fn problem(self, limit: usize) -> Problem {
        match self {
            Self::TooLarge => Problem::too_large(limit as u64),
            Self::Damaged(error) => {
                Problem::bad_request("The body is not what its Content-Encoding says.")
                    .with_target("Content-Encoding")
                    .with_cause(error)
            }
        }
    }
}

impl Inflate {
    /// RFC 1952, also several members one after the other.
    pub(super) fn gzip() -> Self {
        Self::new(Decoder::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))))
    }

    /// RFC 7932, without the larger windows that some know beside it.
    pub(super) fn brotli() -> Self {
        Self::new(Decoder::Brotli(Box::new(Brotli::new())))
    }

    /// RFC 8878, with windows of at most 8 MiB as RFC 9659 asks of clients.
    pub(super) fn zstd() -> io::Result<Self> {
        let mut decoder = ZstdDecoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(23))?;
        Ok(Self::new(Decoder::Zstd(Frames { decoder, is_open: false })))
    }

    fn new(decoder: Decoder) -> Self {
        Self { decoder, waiting: Bytes::new(), is_full: false }
    }

    /// Takes what arrived.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        debug_assert!(self.is_done(), "what was fed before is decoded first");
        self.waiting = bytes;
    }

    /// Whether all that was fed is decoded.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && !self.is_full
    }

    /// Whether a step can take longer than an event loop can spare.
    pub(super) fn is_slow(&self, room: usize) -> bool {
        matches!(self.decoder, Decoder::Brotli(_)) && room > PIECE
    }

    /// Decodes on: one piece, perhaps an empty one, of what may have `room` bytes in all.
    pub(super) fn step(&mut self, room: usize) -> Result<Bytes, Fault> {
        let size = if self.is_slow(room) { LARGE_PIECE } else { PIECE };
        let waiting = &mut self.waiting;
        let mut piece = Piece { waiting, out: Vec::new(), is_full: false, room, size };
        match &mut self.decoder {
            Decoder::Gzip(decoder) => piece.gunzip(decoder)?,
            Decoder::Brotli(brotli) => brotli.fill(&mut piece)?,
            Decoder::Zstd(frames) => frames.fill(&mut piece)?,
        }
        let Piece { out, is_full, .. } = piece;
        self.is_full = is_full;
        if out.len() > room { Err(Fault::TooLarge) } else { Ok(out.into()) }
    }

    /// Checks that the encoded stream is at an end, not cut off.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        let is_whole = match &mut self.decoder {
            Decoder::Gzip(decoder) => return Ok(decoder.try_finish()?),
            Decoder::Brotli(brotli) => brotli.is_over,
            Decoder::Zstd(frames) => !frames.is_open,
        };
        if is_whole { Ok(()) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) }
    }
}

/// A piece in the making.
struct Piece<'a> {
    waiting: &'a mut Bytes,
    out: Vec<u8>,
    is_full: bool,
    room: usize,
    /// Bytes at which it is large enough, if there is room for so many.
    size: usize,
}

impl Piece<'_> {
    /// Bytes at which it is large enough: one more than there is room for shows that there are too many.
    fn enough(&self) -> usize {
        self.size.min(self.room.saturating_add(1))
    }

    fn gunzip(&mut self, decoder: &mut MultiGzDecoder<Vec<u8>>) -> io::Result<()> {
        let mut calls = 0;
        // A call makes at most half a piece.
        while !self.waiting.is_empty() && decoder.get_ref().len() < self.enough() && calls < CALLS {
            let used = decoder.write(self.waiting)?;
            if used == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.waiting.advance(used);
            calls += 1;
        }
        if self.waiting.is_empty() {
            decoder.flush()?;
        }
        self.out = std::mem::take(decoder.get_mut());
        Ok(())
    }
}

/// A Brotli stream.
struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    is_over: bool,
}

impl Brotli {
    fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), is_over: false }
    }

    fn fill(&mut self, piece: &mut Piece<'_>) -> Result<(), Fault> {
        let mut out = vec![0; piece.enough()];
        let mut filled = 0;
        let largest = if piece.room < LARGEST_BLOCK { SIP } else { usize::MAX };
        while !self.is_over {
            let sip = piece.waiting.len().min(largest);
            let (mut left, mut used) = (sip, 0);
            let (mut free, mut total) = (out.len() - filled, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut used,
                &piece.waiting[..sip],
                &mut free,
                &mut filled,
                &mut out,
                &mut total,
                &mut self.state,
            );
            piece.waiting.advance(used);
            let announced = usize::try_from(self.state.meta_block_remaining_len).unwrap_or(0);
            if announced > piece.room.saturating_sub(filled) {
                return Err(Fault::TooLarge);
            }
            match result {
                BrotliResult::ResultSuccess => self.is_over = true,
                BrotliResult::NeedsMoreOutput => {
                    piece.is_full = true;
                    break;
                }
                BrotliResult::NeedsMoreInput if piece.waiting.is_empty() => break,
                BrotliResult::NeedsMoreInput if used > 0 => {}
                _ => return Err(io::Error::from(io::ErrorKind::InvalidData).into()),
            }
        }
        if self.is_over && !piece.waiting.is_empty() {
            return Err(io::Error::other("bytes behind the end").into());
        }
        out.truncate(filled);
        piece.out = out;
        Ok(())
    }
}

/// Zstandard frames, one after the other. (The crate's own writer does not say whether the last
/// frame was whole.)
struct Frames {
    decoder: ZstdDecoder<'static>,
    /// A frame has begun and not ended.
    is_open: bool,
}

impl Frames {
    fn fill(&mut self, piece: &mut Piece<'_>) -> io::Result<()> {
        let mut out = vec![0; piece.enough()];
        let mut filled = 0;
        for _ in 0..CALLS {
            let status = self.decoder.run_on_buffers(piece.waiting, &mut out[filled..])?;
            piece.waiting.advance(status.bytes_read);
            filled += status.bytes_written;
            if status.bytes_read > 0 || status.bytes_written > 0 {
                self.is_open = status.remaining != 0;
            }
            // A full buffer may mean that more is to come.
            piece.is_full = filled == out.len();
            if piece.is_full || piece.waiting.is_empty() {
                break;
            }
        }
        out.truncate(filled);
        piece.out = out;
        Ok(())
    }
}

impl fmt::Debug for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.decoder {
            Decoder::Gzip(_) => "Inflate(gzip)",
            Decoder::Brotli(_) => "Inflate(br)",
            Decoder::Zstd(_) => "Inflate(zstd)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"one record, two records, three records, four records";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 5, 24).write_all(bytes).unwrap();
        out
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(bytes, 3).unwrap()
    }

    fn decoders(bytes: &[u8]) -> [(Inflate, Vec<u8>); 3] {
        [
            (Inflate::gzip(), gzip(bytes)),
            (Inflate::brotli(), brotli(bytes)),
            (Inflate::zstd().unwrap(), zstd(bytes)),
        ]
    }

    /// Feeds all and decodes it within a limit; the largest piece is told too.
    fn decode(
        inflate: &mut Inflate,
        bytes: &[u8],
        limit: usize,
    ) -> Result<(Vec<u8>, usize), Fault> {
        inflate.feed(Bytes::copy_from_slice(bytes));
        let (mut out, mut largest) = (Vec::new(), 0);
        while !inflate.is_done() {
            let piece = inflate.step(limit - out.len())?;
            largest = largest.max(piece.len());
            out.extend_from_slice(&piece);
        }
        Ok((out, largest))
    }

    #[test]
    fn any_split_of_the_encoded_body_decodes_to_the_same() {
        for step in [1, 7, 1_000] {
            for (mut inflate, encoded) in decoders(TEXT) {
                let mut out = Vec::new();
                for piece in encoded.chunks(step) {
                    out.extend_from_slice(&decode(&mut inflate, piece, 1 << 20).unwrap().0);
                }
                inflate.finish().unwrap();
                assert_eq!(out, TEXT, "{inflate:?} by {step}");
            }
        }
    }

    #[test]
    fn large_bodies_come_in_pieces_and_whole() {
        let text: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        // With room for a block of Brotli and without.
        for room in [text.len(), LARGEST_BLOCK * 2] {
            for (mut inflate, encoded) in decoders(&text) {
                let (out, largest) = decode(&mut inflate, &encoded, room).unwrap();
                inflate.finish().unwrap();
                assert!(out == text, "{inflate:?}");
                // Only what is decoded where nobody waits may come in large ones.
                let most = if inflate.is_slow(room) { LARGE_PIECE } else { 2 * PIECE };
                assert!(largest <= most, "{inflate:?}: a piece of {largest}");
            }
        }
    }

    #[test]
    fn decoding_ends_at_the_limit_and_not_behind_it() {
        for limit in [0, 1, 100, 16 << 10, 1 << 20] {
            for (mut inflate, encoded) in decoders(&vec![b'a'; limit]) {
                assert_eq!(decode(&mut inflate, &encoded, limit).unwrap().0.len(), limit);
            }
            for (mut inflate, encoded) in decoders(&vec![b'a'; limit + 1]) {
                let fault = decode(&mut inflate, &encoded, limit).unwrap_err();
                assert!(matches!(fault, Fault::TooLarge), "{inflate:?} {limit}");
            }
        }
    }

    #[test]
    fn a_bomb_is_not_inflated_before_its_limit_is_seen() {
        let limit = 16 << 10;
        for (mut inflate, encoded) in decoders(&vec![0; LARGEST_BLOCK - 1]) {
            let fault = decode(&mut inflate, &encoded, limit).unwrap_err();
            assert!(matches!(fault, Fault::TooLarge), "{inflate:?}");
            if let Decoder::Brotli(brotli) = &inflate.decoder {
                let made = brotli.state.ringbuffer_size;
                assert!(made as usize <= 2 * limit, "the decoder made room for {made}");
            }
        }
    }

    #[test]
    fn members_that_hold_nothing_do_not_make_a_step_long() {
        let members = [gzip(b""), zstd(b"")].map(|member| member.repeat(1_000));
        for (mut inflate, encoded) in
            [Inflate::gzip(), Inflate::zstd().unwrap()].into_iter().zip(members)
        {
            inflate.feed(encoded.clone().into());
            inflate.step(100).unwrap();
            assert!(inflate.waiting.len() > encoded.len() / 2, "{inflate:?}");
            while !inflate.is_done() {
                assert_eq!(inflate.step(100).unwrap().len(), 0);
            }
            inflate.finish().unwrap();
        }
    }

    #[test]
    fn damage_is_told_apart_from_size() {
        for (mut inflate, _) in decoders(TEXT) {
            let outcome = decode(&mut inflate, b"\xff\xfe this is none of the three", 1 << 20)
                .and_then(|_| inflate.finish());
            assert!(matches!(outcome, Err(Fault::Damaged(_))), "{inflate:?}");
        }
    }

    #[test]
    fn a_body_cut_short_or_with_something_behind_it_is_damaged() {
        for (mut inflate, encoded) in decoders(TEXT) {
            let outcome = decode(&mut inflate, &encoded[..encoded.len() - 6], 1 << 20)
                .and_then(|_| inflate.finish());
            assert!(matches!(outcome, Err(Fault::Damaged(_))), "{inflate:?}");
        }
        for (mut inflate, encoded) in decoders(TEXT) {
            let longer = [&encoded[..], b"more"].concat();
            let outcome = decode(&mut inflate, &longer, 1 << 20).and_then(|_| inflate.finish());
            assert!(matches!(outcome, Err(Fault::Damaged(_))), "{inflate:?}");
        }
    }
}
