//! Undoing the encoding of a request's body, piece by piece and never beyond a limit.

use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

use crate::problem::Problem;

/// A decoder that what arrives is pushed into.
pub(super) struct Inflate(Decoder);

enum Decoder {
    Gzip(flate2::write::MultiGzDecoder<Sink>),
    // The decoder's tables are large and rarely wanted.
    Brotli(Box<brotli::DecompressorWriter<Sink>>),
    Zstd(Frames),
}

/// Zstandard frames, one after the other. (The crate's own writer does not say whether the last
/// frame was whole.)
struct Frames {
    decoder: ZstdDecoder<'static>,
    sink: Sink,
    /// A frame has begun and not ended.
    is_open: bool,
}

impl Frames {
    fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        loop {
            let status = self.decoder.run_on_buffers(bytes, &mut buffer)?;
            self.sink.write_all(&buffer[..status.bytes_written])?;
            bytes = &bytes[status.bytes_read..];
            if status.bytes_read > 0 || status.bytes_written > 0 {
                self.is_open = status.remaining != 0;
            }
            // A full buffer may mean that more is to come.
            if bytes.is_empty() && status.bytes_written < buffer.len() {
                return Ok(());
            }
        }
    }

    fn finish(&self) -> io::Result<()> {
        if self.is_open { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// Where the decoded bytes wait to be fetched.
#[derive(Default)]
struct Sink {
    waiting: Vec<u8>,
    /// Bytes that may wait; more is an error, so that a small piece can't fill the memory.
    limit: usize,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() + bytes.len() > self.limit {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.waiting.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Inflate {
    /// RFC 1952, also several members one after the other.
    pub(super) fn gzip() -> Self {
        Self(Decoder::Gzip(flate2::write::MultiGzDecoder::new(Sink::default())))
    }

    /// RFC 7932.
    pub(super) fn brotli() -> Self {
        const BUFFER: usize = 32 << 10;
        Self(Decoder::Brotli(Box::new(brotli::DecompressorWriter::new(Sink::default(), BUFFER))))
    }

    /// RFC 8878, with windows of at most 8 MiB as RFC 9659 asks of clients.
    pub(super) fn zstd() -> io::Result<Self> {
        let mut decoder = ZstdDecoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(23))?;
        Ok(Self(Decoder::Zstd(Frames { decoder, sink: Sink::default(), is_open: false })))
    }

    /// Decodes a piece to at most `limit` bytes; 413 above, 400 when it is damaged.
    pub(super) fn push(&mut self, bytes: &[u8], limit: usize) -> Result<Bytes, Problem> {
        self.sink().limit = limit;
        let pushed = match &mut self.0 {
            Decoder::Gzip(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Decoder::Brotli(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Decoder::Zstd(frames) => frames.push(bytes),
        };
        pushed.map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => Problem::too_large(limit as u64),
            _ => damaged(error),
        })?;
        Ok(std::mem::take(&mut self.sink().waiting).into())
    }

    /// Checks that the encoded stream is at an end, not cut off.
    pub(super) fn finish(&mut self) -> Result<(), Problem> {
        let finished = match &mut self.0 {
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Brotli(decoder) => decoder.close(),
            Decoder::Zstd(frames) => frames.finish(),
        };
        finished.map_err(damaged)
    }

    fn sink(&mut self) -> &mut Sink {
        match &mut self.0 {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Brotli(decoder) => decoder.get_mut(),
            Decoder::Zstd(frames) => &mut frames.sink,
        }
    }
}

fn damaged(error: io::Error) -> Problem {
    Problem::bad_request("The body is not what its Content-Encoding says.")
        .with_target("Content-Encoding")
        .with_cause(error)
}

impl fmt::Debug for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Decoder::Gzip(_) => "Inflate(gzip)",
            Decoder::Brotli(_) => "Inflate(br)",
            Decoder::Zstd(_) => "Inflate(zstd)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    const TEXT: &[u8] = b"one record, two records, three records, four records";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(bytes).unwrap();
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

    #[test]
    fn any_split_of_the_encoded_body_decodes_to_the_same() {
        for step in [1, 7, 1_000] {
            for (mut inflate, encoded) in decoders(TEXT) {
                let mut out = Vec::new();
                for piece in encoded.chunks(step) {
                    out.extend_from_slice(&inflate.push(piece, 1 << 20).unwrap());
                }
                inflate.finish().unwrap();
                assert_eq!(out, TEXT, "{inflate:?} by {step}");
            }
        }
    }

    #[test]
    fn a_small_piece_that_inflates_beyond_the_limit_is_413() {
        let zeros = vec![0; 4 << 20];
        for (mut inflate, encoded) in decoders(&zeros) {
            let problem = inflate.push(&encoded, 1 << 20).unwrap_err();
            assert_eq!(problem.code(), Code::TooLarge, "{inflate:?}");
        }
    }

    #[test]
    fn damage_is_400() {
        for (mut inflate, _) in decoders(TEXT) {
            let outcome = inflate
                .push(b"\xff\xfe this is none of the three", 1 << 20)
                .and_then(|_| inflate.finish());
            assert_eq!(outcome.unwrap_err().code(), Code::BadRequest, "{inflate:?}");
        }
    }

    #[test]
    fn a_body_cut_short_is_400() {
        for (mut inflate, encoded) in decoders(TEXT) {
            let outcome =
                inflate.push(&encoded[..encoded.len() - 6], 1 << 20).and_then(|_| inflate.finish());
            assert_eq!(outcome.unwrap_err().code(), Code::BadRequest, "{inflate:?}");
        }
    }
}
