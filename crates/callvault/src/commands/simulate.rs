//! `simulate`: prints simulated calls.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use model::log::Log;
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use simulator::{Calls, LogRows};

use crate::cli::{Mix, Simulate};

/// Default tenant of simulated users.
pub(super) const TENANT: &str = "5f0b1a52-9a0e-4a6b-8f0e-0d5c6f6f2f11";
/// Default end of the calls. Fixed, so that a seed gives the same calls every day.
const TO: &str = "2026-11-01T00:00:00Z";
/// Default length of the time span in which calls start: 30 days, in ticks.
pub(super) const SPAN: i64 = 30 * 24 * 3600 * TICKS_PER_SECOND;
/// Bytes written at a time.
const CHUNK_BYTES: usize = 1 << 20;

pub(super) fn run(args: &Simulate) -> Result<ExitCode> {
    let to =
        args.to.unwrap_or_else(|| DateTimeOffset::parse(TO).expect("the constant is an instant"));
    let from = args.from.unwrap_or(DateTimeOffset(to.0 - SPAN));
    ensure!(from < to, "no call can start between {from} and {to}: --from must be before --to");
    let options = simulator::Options {
        seed: args.seed,
        calls: args.calls,
        mix: match args.mix {
            Mix::Realistic => simulator::Mix::Realistic,
            Mix::Bench => simulator::Mix::Bench,
        },
        from,
        to,
        tenant: args.tenant.as_ref().map_or(TENANT, |tenant| tenant.as_str()).to_owned(),
    };
    match args.kind.log() {
        None => {
            let mut calls = Calls::new(options);
            print(|chunk| calls.write_next(chunk))?;
        }
        Some(log) => {
            let mut rows = LogRows::new(options).filter(|(of, _)| model_log(*of) == log);
            print(|chunk| rows.next().map(|(_, row)| chunk.extend(row)).is_some())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what `write` appends, until it returns false.
fn print(mut write: impl FnMut(&mut Vec<u8>) -> bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut chunk = Vec::with_capacity(2 * CHUNK_BYTES);
    while write(&mut chunk) {
        if chunk.len() >= CHUNK_BYTES {
            out.write_all(&chunk)?;
            chunk.clear();
        }
    }
    out.write_all(&chunk)?;
    out.flush()
}

/// The log of the model for a log of the simulator.
pub(super) fn model_log(log: simulator::Log) -> Log {
    match log {
        simulator::Log::PstnCalls => Log::PstnCalls,
        simulator::Log::DirectRoutingCalls => Log::DirectRoutingCalls,
        simulator::Log::Sms => Log::Sms,
        simulator::Log::BlockedUsers => Log::BlockedUsers,
        simulator::Log::DialoutReport => Log::DialoutReport,
    }
}
