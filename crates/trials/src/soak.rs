//! The long forms of the heavy tests, run before a release; the checks run short ones of the same.

mod client;
mod cluster;
mod content;
mod deliveries;
mod delta;
mod differential;
mod faults;
mod hostile;
mod kill;
mod ledger;
mod load;
mod log;
mod mirror;
mod nodes;
mod reading;
mod report;
mod traffic;
mod trial;
mod upgrade;
mod worst;
mod writing;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use xtask::process;
use xtask::repository::{PROFILE, root};

use crate::{demo, fuzz};

/// Rounds of the long form of `kill`.
const ROUNDS: u32 = 50;
/// How long the long form of `nodes` disturbs them.
const NODES_FOR: Duration = Duration::from_mins(1);
/// And the form of the checks.
const SHORT_NODES: Duration = Duration::from_secs(12);
/// Random queries of the long form of `queries`.
const QUERIES: u64 = 100_000;
/// The short form begins at 1; this one has records and queries of its own.
const FIRST_SEED: u64 = 1_000;
/// Time that each fuzz target gets in the long form, and the one that reads the query language.
const FUZZING: Duration = Duration::from_mins(5);
const FUZZING_REQUESTS: Duration = Duration::from_mins(30);

/// `soak kill [--rounds N] | delta [--short] | mirror [--short] | nodes [--seconds N | --short] | upgrade [COMMIT] | queries [COUNT] | fuzz |
/// worst | demo | differential [COUNT [SEED] | --short] | hostile [--short] [CLASS…]`
///
/// # Errors
/// When the test fails, or there is none of that name.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["kill"] => kill::rounds(ROUNDS),
        ["kill", "--rounds", rounds] => {
            kill::rounds(rounds.parse().context("--rounds needs a number")?)
        }
        ["delta"] => delta::run(delta::LONG),
        ["delta", "--short"] => delta::run(delta::SHORT),
        ["mirror"] => mirror::run(mirror::LONG),
        ["mirror", "--short"] => mirror::run(mirror::SHORT),
        ["queries"] => queries(QUERIES),
        ["queries", count] => queries(count.parse().context("COUNT is a number")?),
        ["fuzz"] => fuzz::run_long(FUZZING, &[("request", FUZZING_REQUESTS)]),
        ["nodes"] => nodes::run(NODES_FOR, Speed::Judged),
        ["nodes", "--seconds", seconds] => {
            let seconds = seconds.parse().context("--seconds needs a number")?;
            nodes::run(Duration::from_secs(seconds), Speed::Judged)
        }
        ["nodes", "--short"] => nodes::run(SHORT_NODES, Speed::Told),
        ["upgrade"] => upgrade::run("HEAD^"),
        ["upgrade", commit] => upgrade::run(commit),
        ["worst"] => worst::ask(),
        ["demo"] => demo::in_time(),
        ["differential"] => differential::run(differential::LONG, FIRST_SEED),
        ["differential", "--short"] => differential::run(differential::SHORT, 1),
        ["differential", count] => {
            differential::run(count.parse().context("COUNT is a number")?, FIRST_SEED)
        }
        ["differential", count, seed] => differential::run(
            count.parse().context("COUNT is a number")?,
            seed.parse().context("SEED is a number")?,
        ),
        ["hostile", "--short", ref classes @ ..] => hostile::run(hostile::Size::Short, classes),
        ["hostile", ref classes @ ..] => hostile::run(hostile::Size::Long, classes),
        _ => bail!(
            "soak kill [--rounds N] | soak delta [--short] | soak mirror [--short] | soak nodes [--seconds N | --short] | soak upgrade [COMMIT] | \
             soak queries [COUNT] | soak fuzz | soak worst | soak demo | \
             soak differential [COUNT [SEED] | --short] | soak hostile [--short] [CLASS...]"
        ),
    }
}

/// Whether it is judged how soon nodes are back at work. That takes a machine that does nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speed {
    Judged,
    Told,
}

/// Asks the store random queries, each 500 of other records; see `crates/store/tests/queries`.
fn queries(count: u64) -> Result<()> {
    let mut test = Command::new("cargo");
    test.args(["test", "--workspace", "--test", "queries", "--profile", PROFILE])
        .args(["--", "--nocapture"])
        .env("CALLVAULT_QUERIES", count.to_string())
        .env("CALLVAULT_SEED", FIRST_SEED.to_string())
        .current_dir(root());
    process::run(&mut test)
}
