//! Trains the dictionaries that the binary ships, from simulated calls.
//!
//! `cargo run --release -p store --example train -- GENERATION` writes `dictionaries/*.zdict`.
//! Stores keep the dictionaries that they were made with, so a new set needs a new generation:
//! its numbers are `3 * generation - 2` and the two behind it.

#![allow(clippy::print_stdout, reason = "a command tells what it did")]

use std::path::Path;

use anyhow::{Context, Result, ensure};
use model::fragment::{Codec, Corrupt, FragmentKind};
use odata::primitive::DateTimeOffset;
use simulator::{Calls, Mix, Options};

/// What a dictionary may weigh: bigger ones fall out of the processor's cache.
const DICTIONARY_BYTES: usize = 32 << 10;

/// Fragments are cut to this; the members repeat from here on.
const SAMPLE_BYTES: usize = 24 << 10;

/// Fragments of each kind, as they are before compression.
#[derive(Default)]
struct Samples([Vec<Vec<u8>>; 3]);

impl Codec for Samples {
    fn compress(&mut self, kind: FragmentKind, bytes: &[u8]) -> Vec<u8> {
        self.0[kind as usize].push(bytes[..bytes.len().min(SAMPLE_BYTES)].to_vec());
        bytes.to_vec()
    }

    fn decompress(
        &mut self,
        _kind: FragmentKind,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Corrupt> {
        out.clear();
        out.extend_from_slice(bytes);
        Ok(())
    }
}

fn main() -> Result<()> {
    let generation: u32 = std::env::args().nth(1).context("which generation?")?.parse()?;
    ensure!(generation > 0, "generations count from 1");
    let mut samples = Samples::default();
    sample(&mut samples, Mix::Bench, 3_000)?;
    sample(&mut samples, Mix::Realistic, 1_500)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries");
    for (index, name) in ["record", "sessions", "participants"].iter().enumerate() {
        let mut body = zstd::dict::from_samples(&samples.0[index], DICTIONARY_BYTES)?;
        // The number stands behind the magic; a small one takes one byte of each frame.
        let number = 3 * generation - 2 + index as u32;
        body[4..8].copy_from_slice(&number.to_le_bytes());
        let path = folder.join(name).with_extension("zdict");
        std::fs::write(&path, &body)?;
        println!("{} number {number}, {} bytes", path.display(), body.len());
    }
    Ok(())
}

fn sample(samples: &mut Samples, mix: Mix, count: u64) -> Result<()> {
    let at = |text| DateTimeOffset::parse(text).context("an instant");
    let mut calls = Calls::new(Options {
        seed: 20_260_101,
        calls: count,
        mix,
        from: at("2026-01-01T00:00:00Z")?,
        to: at("2026-12-31T00:00:00Z")?,
        tenant: "dc368399-474c-4d40-900c-6265431fd81f".to_owned(),
    });
    let mut line = Vec::new();
    while calls.write_next(&mut line) {
        model::shred(std::str::from_utf8(&line)?, samples)?;
        line.clear();
    }
    Ok(())
}
