//! The emulator's scenarios, played to collectors of ours: the two integration tests of the guide,
//! then both collectors in every scenario, and faulty ones of which the emulator has to warn. The
//! programs are under `clients/collector`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::sdks;
use xtask::process::{self, Tally};
use xtask::repository::{PROFILE, binary, root};

/// Plays the scenarios and prints how many checks passed.
///
/// # Errors
/// When a program could not run to its end or a check failed; the others ran nevertheless.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let mut tally = Tally::default();
    let result = run_counted(&mut tally);
    println!("{} passed, {} failed", tally.passed, tally.failed);
    result
}

/// Plays the scenarios and counts the checks.
///
/// # Errors
/// When a program could not run to its end or a check failed; the others ran nevertheless.
fn run_counted(tally: &mut Tally) -> Result<()> {
    let python = sdks::python()?;
    let folder = root().join("clients/collector");

    let mut test = Command::new(&python);
    test.args(["-m", "unittest", "test_collector.py"]).current_dir(folder.join("python"));
    let in_python = as_one("the integration test in Python", &mut test, tally);
    let mut test = Command::new("node");
    test.args(["--test", "collector.test.mjs"]).current_dir(folder.join("javascript"));
    let in_javascript = as_one("the integration test in JavaScript", &mut test, tally);

    let mut check = Command::new(&python);
    check.arg(folder.join("check.py")).env("CALLVAULT_BIN", binary("callvault", PROFILE));
    let checked = process::run_counted(&mut check, tally).context("the scenarios");
    in_python.and(in_javascript).and(checked)
}

/// Runs a test whose output nobody counts, as one.
fn as_one(name: &'static str, test: &mut Command, tally: &mut Tally) -> Result<()> {
    println!("-- {name}");
    let result =
        process::run(test.env("CALLVAULT_BIN", binary("callvault", PROFILE))).context(name);
    tally.add(Tally { passed: u64::from(result.is_ok()), failed: u64::from(result.is_err()) });
    result
}
