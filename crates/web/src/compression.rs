//! Content codings of answers: which one a client takes, and making it.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, HeaderValue};

use crate::blocking::{elsewhere_if_large, is_large};
use crate::negotiate::quality;

/// Bodies below this are sent as they are: they fit one packet either way.
const SMALLEST: usize = 1 << 10;

/// Levels at which each takes about as long as making the body did.
const ZSTD_LEVEL: i32 = 3;
const BROTLI_LEVEL: u32 = 4;
const GZIP_LEVEL: u32 = 4;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As it is.
    Identity,
    Zstd,
    Brotli,
    Gzip,
}

impl Coding {
    /// The one that the client ranks highest; of equal ones that which costs us least.
    pub(crate) fn choose(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(ACCEPT_ENCODING).iter().peekable();
        if lines.peek().is_none() {
            return Self::Identity;
        }
        let lines = lines.filter_map(|line| line.to_str().ok());
        Self::rank(lines.flat_map(|line| line.split(',')))
    }

    fn rank<'a>(list: impl Iterator<Item = &'a str>) -> Self {
        let (mut zstd, mut brotli, mut gzip, mut rest) = (None, None, None, None);
        let mut identity = None;
        for item in list {
            let (name, parameter) = item.split_once(';').unwrap_or((item, ""));
            let rank = parameter.trim().strip_prefix("q=").map_or(1000, quality);
            let name = name.trim();
            let place = if name.eq_ignore_ascii_case("zstd") {
                &mut zstd
            } else if name.eq_ignore_ascii_case("br") {
                &mut brotli
            } else if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
                &mut gzip
            } else if name.eq_ignore_ascii_case("identity") {
                &mut identity
            } else if name == "*" {
                &mut rest
            } else {
                continue;
            };
            *place = Some(rank);
        }
        let candidates = [(Self::Zstd, zstd), (Self::Brotli, brotli), (Self::Gzip, gzip)];
        let mut best = (Self::Identity, identity.unwrap_or(0));
        for (coding, rank) in candidates {
            // `*` stands for what is not named.
            let rank = rank.or(rest).unwrap_or(0);
            let beats = if best.0 == Self::Identity { rank >= best.1 } else { rank > best.1 };
            if rank > 0 && beats {
                best = (coding, rank);
            }
        }
        best.0
    }

    /// The header, except for identity, which has none.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        match self {
            Self::Identity => None,
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
            Self::Brotli => Some(HeaderValue::from_static("br")),
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
        }
    }
}

/// The compressors of one thread. Zstandard's context is kept, since making one costs more than a
/// small body does.
pub(crate) struct Compressor(RefCell<Option<zstd::bulk::Compressor<'static>>>);

impl Compressor {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// The body in the coding, or as it is when that is not worth it, and which of the two.
    pub(crate) async fn compress(&self, coding: Coding, body: Bytes) -> (Coding, Bytes) {
        if coding == Coding::Identity || body.len() < SMALLEST {
            return (Coding::Identity, body);
        }
        let compressed = if coding == Coding::Zstd && !is_large(body.len()) {
            self.zstd(&body)
        } else {
            let source = body.clone();
            elsewhere_if_large(body.len(), move || encode(coding, &source))
                .await
                .unwrap_or_else(|_| Err(io::Error::other("the compressing thread ended early")))
        };
        match compressed {
            Ok(compressed) if compressed.len() < body.len() => (coding, compressed.into()),
            Ok(_) => (Coding::Identity, body),
            Err(error) => {
                tracing::warn!(%error, ?coding, "an answer is sent uncompressed");
                (Coding::Identity, body)
            }
        }
    }

    fn zstd(&self, body: &[u8]) -> io::Result<Vec<u8>> {
        let mut kept = self.0.borrow_mut();
        let compressor = match &mut *kept {
            Some(compressor) => compressor,
            none => none.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
        };
        compressor.compress(body)
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compressor")
    }
}

fn encode(coding: Coding, body: &[u8]) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Identity => Ok(body.to_vec()),
        Coding::Zstd => zstd::bulk::compress(body, ZSTD_LEVEL),
        Coding::Brotli => {
            let mut out = Vec::with_capacity(body.len() / 4);
            let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, BROTLI_LEVEL, 20);
            encoder.write_all(body)?;
            // Its last block is written when it is dropped.
            drop(encoder);
            Ok(out)
        }
        Coding::Gzip => {
            let level = flate2::Compression::new(GZIP_LEVEL);
            let out = Vec::with_capacity(body.len() / 4);
            let mut encoder = flate2::write::GzEncoder::new(out, level);
            encoder.write_all(body)?;
            encoder.finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_highest_ranked_coding_wins_and_of_equals_the_cheapest() {
        let cases = [
            ("", Coding::Identity),
            ("identity", Coding::Identity),
            ("deflate", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("GZIP", Coding::Gzip),
            ("gzip, deflate, br, zstd", Coding::Zstd),
            ("br, gzip, deflate", Coding::Brotli),
            ("gzip;q=1.0, br;q=0.9", Coding::Gzip),
            ("gzip;q=0", Coding::Identity),
            ("gzip; q=0.5, identity", Coding::Identity),
            ("gzip, identity;q=0.5", Coding::Gzip),
            ("*", Coding::Zstd),
            ("*, zstd;q=0", Coding::Brotli),
            ("*;q=0", Coding::Identity),
            ("zstd;q=0.1, *;q=0.2", Coding::Brotli),
        ];
        for (line, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, line.parse().unwrap());
            assert_eq!(Coding::choose(&headers), expected, "{line}");
        }
        assert_eq!(Coding::choose(&HeaderMap::new()), Coding::Identity);
    }

    fn decode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match coding {
            Coding::Identity => out.extend_from_slice(bytes),
            Coding::Zstd => out = zstd::stream::decode_all(bytes).unwrap(),
            Coding::Brotli => {
                brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out).unwrap();
            }
            Coding::Gzip => {
                flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
            }
        }
        out
    }

    #[tokio::test]
    async fn every_coding_gives_the_body_back_inline_and_on_its_own_thread() {
        let compressor = Compressor::new();
        for size in [SMALLEST, 1 << 20] {
            let body: Bytes = b"{\"id\":\"x\"},".iter().copied().cycle().take(size).collect();
            for coding in [Coding::Zstd, Coding::Brotli, Coding::Gzip] {
                let (used, compressed) = compressor.compress(coding, body.clone()).await;
                assert_eq!(used, coding);
                assert!(compressed.len() < body.len());
                assert_eq!(decode(coding, &compressed), body, "{coding:?} {size}");
            }
        }
    }

    #[tokio::test]
    async fn small_bodies_and_those_that_would_grow_are_left_alone() {
        let compressor = Compressor::new();
        let small = Bytes::from(vec![b' '; SMALLEST - 1]);
        let mut state = 1_u64;
        let noise: Bytes = (0..SMALLEST)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        for body in [small, noise] {
            for coding in [Coding::Zstd, Coding::Gzip] {
                let (used, same) = compressor.compress(coding, body.clone()).await;
                assert_eq!((used, same), (Coding::Identity, body.clone()));
            }
        }
    }
}
