//! What the quick profile of daily builds costs at run time: the same store served, and the same file
//! imported, by turns by the program of either profile.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use xtask::repository::{PROFILE, SHIPPED, binary};

use super::reads::{cases, micros};
use super::table::{Range, Reference, Row, Unit};
use super::wrk::Load;
use super::{Bench, MEASURED, gauge, pinned, serve, writes};
use crate::instance::{Instance, TENANT};

/// Records of an import.
const RECORDS: u32 = 5_000;
const CONNECTIONS: usize = 32;

/// What was measured of a case, round by round: the quick profile, and what is shipped.
struct Pair {
    case: String,
    unit: Unit,
    of: [Vec<f64>; 2],
}

/// Measures reads and an import.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let folder = bench.folder.join("profiles");
    let mut pairs = reads(bench, &folder)?;
    pairs.push(import(bench, &folder)?);
    Ok(pairs.into_iter().map(row).collect())
}

fn programs() -> [PathBuf; 2] {
    [PROFILE, SHIPPED].map(|profile| binary("callvault", profile))
}

/// GET by id, expanded, and a page of a list: microseconds of processor time for each.
fn reads(bench: &Bench, folder: &Path) -> Result<Vec<Pair>> {
    let server = serve(&bench.store)?;
    let cases = cases::few(bench, &server, folder)?;
    server.stop()?;
    let pair = |case: &cases::Case| Pair {
        case: case.name.clone(),
        unit: Unit::CpuMicros,
        of: Default::default(),
    };
    let mut pairs: Vec<Pair> = cases.iter().map(pair).collect();
    for round in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        for (which, program) in programs().into_iter().enumerate() {
            let server = serve(&bench.store.another(program))?;
            for (number, (case, pair)) in cases.iter().zip(&mut pairs).enumerate() {
                let script = folder.join(format!("{number}.lua"));
                let load = Load::new(script, &server.url, &case.ours(), CONNECTIONS)?;
                // What is read for the first time since the start is not this round's cost.
                micros(&load, server.id(), 1)?;
                let (took, _) = micros(&load, server.id(), bench.settings.seconds)?;
                println!("round {round} {:<10} {:<40} {took:>8.1} µs", NAMES[which], case.name);
                pair.of[which].push(took);
            }
            server.stop()?;
        }
    }
    Ok(pairs)
}

const NAMES: [&str; 2] = [PROFILE, SHIPPED];

/// Records a second by the command line, into a new store each time.
fn import(bench: &Bench, folder: &Path) -> Result<Pair> {
    let records = folder.join("records.ndjson");
    bench.store.simulate(RECORDS, 2, "bench", &records)?;
    let case = "import by the command line".to_owned();
    let mut pair = Pair { case, unit: Unit::PerSecond, of: Default::default() };
    for round in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        for (which, program) in programs().into_iter().enumerate() {
            let data = folder.join(format!("import-{round}-{which}"));
            let store = Instance::new(SHIPPED, data.clone())?.another(program);
            let mut import = store.command(&["import", "--tenant", TENANT]);
            let rate = writes::rate(&mut pinned(MEASURED, import.arg(&records)), RECORDS)?;
            println!("round {round} {:<10} {rate:>8.0} records a second", NAMES[which]);
            pair.of[which].push(rate);
            fs::remove_dir_all(data)?;
        }
    }
    Ok(pair)
}

fn row(pair: Pair) -> Row {
    let [quick, shipped] = pair.of.map(Range::of);
    Row {
        case: format!("{}, profile {PROFILE}", pair.case),
        unit: pair.unit,
        ours: quick,
        reference: Some(Reference { name: SHIPPED.to_owned(), range: shipped }),
        aim: Some(0.9),
        ..Row::of("profiles")
    }
}
