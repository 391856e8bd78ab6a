//! `simulate`: prints simulated calls.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use simulator::Calls;

use crate::cli::{Mix, Simulate};

/// Tenant of simulated users where none is named.
pub(super) const TENANT: &str = "5f0b1a52-9a0e-4a6b-8f0e-0d5c6f6f2f11";
/// Latest start where none is named. Fixed, so that a seed gives the same calls on every day.
const TO: &str = "2026-11-01T00:00:00Z";
/// Length of the span in which calls start, where it is not named: 30 days in ticks.
pub(super) const SPAN: i64 = 30 * 24 * 3600 * TICKS_PER_SECOND;
/// Bytes written at a time.
const CHUNK_BYTES: usize = 1 << 20;

pub(super) fn run(args: &Simulate) -> Result<ExitCode> {
    let to = args
        .to
        .unwrap_or_else(|| DateTimeOffset::parse(TO).expect("the constant is a point in time"));
    let from = args.from.unwrap_or(DateTimeOffset(to.0 - SPAN));
    ensure!(from < to, "--from must be before --to");
    let mut calls = Calls::new(simulator::Options {
        seed: args.seed,
        calls: args.calls,
        mix: match args.mix {
            Mix::Realistic => simulator::Mix::Realistic,
            Mix::Bench => simulator::Mix::Bench,
        },
        from,
        to,
        tenant: args.tenant.as_ref().map_or(TENANT, |tenant| tenant.as_str()).to_owned(),
    });
    let mut out = io::stdout().lock();
    let mut chunk = Vec::with_capacity(2 * CHUNK_BYTES);
    while calls.write_next(&mut chunk) {
        if chunk.len() >= CHUNK_BYTES {
            out.write_all(&chunk)?;
            chunk.clear();
        }
    }
    out.write_all(&chunk)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
