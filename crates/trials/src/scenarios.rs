//! The emulator's scenarios, played to collectors of ours: the two integration tests of the guide,
//! then both collectors in every scenario, and faulty ones of which the emulator has to warn. The
//! programs are under `clients/collector`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::sdks;
use xtask::process;
use xtask::repository::{PROFILE, binary, root};

/// Plays the scenarios; every check that passed or failed is in one of the summaries that are printed.
///
/// # Errors
/// When a program could not run to its end or a check failed; the others ran nevertheless.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let python = sdks::python_client("python")?;
    let folder = root().join("clients/collector");

    let mut test = Command::new(&python);
    test.args(["-m", "unittest", "test_collector.py"]).current_dir(folder.join("python"));
    let in_python = as_one("the integration test in Python", &mut test);
    let mut test = Command::new("node");
    test.args(["--test", "collector.test.mjs"]).current_dir(folder.join("javascript"));
    let in_javascript = as_one("the integration test in JavaScript", &mut test);

    let mut check = Command::new(&python);
    check.arg(folder.join("check.py")).env("CALLVAULT_BIN", binary("callvault", PROFILE));
    let checked = process::run(&mut check).context("the scenarios");
    in_python.and(in_javascript).and(checked)
}

/// Runs a test whose own summary nobody counts, and prints one for it.
fn as_one(name: &'static str, test: &mut Command) -> Result<()> {
    println!("-- {name}");
    let result =
        process::run(test.env("CALLVAULT_BIN", binary("callvault", PROFILE))).context(name);
    println!("{} passed, {} failed", u8::from(result.is_ok()), u8::from(result.is_err()));
    result
}
