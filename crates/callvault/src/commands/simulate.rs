//! `simulate`: prints simulated calls.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use model::log::Log;
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use simulator::{Calls, Cause, LogRows};

use crate::cli::{Mix, PlantedCause, Simulate};

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
    let causes = causes(&args.planted);
    let mut truth = args.truth.as_deref().map(Truth::create).transpose()?;
    match args.kind.log() {
        None => {
            let mut calls = Calls::with_causes(options, &causes);
            print(|chunk| {
                let is_written = calls.write_next(chunk);
                note(&mut truth, &mut calls)?;
                Ok(is_written)
            })?;
        }
        Some(log) => {
            let mut rows = LogRows::with_causes(options.clone(), &causes)
                .filter(|(of, _)| model_log(*of) == log);
            print(|chunk| Ok(rows.next().map(|(_, row)| chunk.extend(row)).is_some()))?;
            // The truth is that of the records, whatever is printed of them.
            if truth.is_some() {
                let mut calls = Calls::with_causes(options, &causes);
                let mut record = Vec::new();
                while calls.write_next(&mut record) {
                    record.clear();
                    note(&mut truth, &mut calls)?;
                }
            }
        }
    }
    truth.map_or(Ok(()), Truth::end)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what `write` appends, until it returns false.
fn print(mut write: impl FnMut(&mut Vec<u8>) -> Result<bool>) -> Result<()> {
    let mut out = io::stdout().lock();
    let mut chunk = Vec::with_capacity(2 * CHUNK_BYTES);
    while write(&mut chunk)? {
        if chunk.len() >= CHUNK_BYTES {
            out.write_all(&chunk)?;
            chunk.clear();
        }
    }
    out.write_all(&chunk)?;
    Ok(out.flush()?)
}

/// The file of the truth.
struct Truth<'a> {
    path: &'a Path,
    file: BufWriter<File>,
}

impl<'a> Truth<'a> {
    fn create(path: &'a Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn write(&mut self, lines: &[u8]) -> Result<()> {
        self.file.write_all(lines).with_context(|| format!("writing {}", self.path.display()))
    }

    fn end(mut self) -> Result<()> {
        self.file.flush().with_context(|| format!("writing {}", self.path.display()))
    }
}

/// Writes what is known of the records written.
fn note(truth: &mut Option<Truth<'_>>, calls: &mut Calls) -> Result<()> {
    let lines = calls.take_truth();
    truth.as_mut().map_or(Ok(()), |truth| truth.write(&lines))
}

/// The causes that are named.
fn causes(named: &[PlantedCause]) -> Vec<Cause> {
    let of = |named: &PlantedCause| match named {
        PlantedCause::All => Cause::ALL.to_vec(),
        PlantedCause::Subnet => vec![Cause::Subnet],
        PlantedCause::Vpn => vec![Cause::Vpn],
        PlantedCause::Headset => vec![Cause::Headset],
        PlantedCause::Client => vec![Cause::Client],
        PlantedCause::Sbc => vec![Cause::Sbc],
        PlantedCause::AccessPoint => vec![Cause::AccessPoint],
        PlantedCause::Isp => vec![Cause::Isp],
    };
    named.iter().flat_map(of).collect()
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
