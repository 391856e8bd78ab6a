//! The long forms of the heavy tests, run before a release; the checks run short ones of the same.

mod kill;

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::{fuzz, instance};

/// Rounds of the long form of `kill`.
const ROUNDS: u32 = 50;
/// Time that each fuzz target gets in the long form.
const FUZZING: Duration = Duration::from_mins(5);

/// `soak kill [--rounds N] | fuzz`
///
/// # Errors
/// When the test fails, or there is none of that name.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["kill"] => build_and_kill(ROUNDS),
        ["kill", "--rounds", rounds] => {
            build_and_kill(rounds.parse().context("--rounds needs a number")?)
        }
        ["fuzz"] => fuzz::run_all(FUZZING),
        _ => bail!("soak kill [--rounds N] | soak fuzz"),
    }
}

fn build_and_kill(rounds: u32) -> Result<()> {
    instance::build()?;
    kill(rounds)
}

/// Ends servers and importers at random moments; see [`kill::rounds`].
///
/// # Errors
/// When something that was acknowledged is gone, or a store is unsound.
pub(crate) fn kill(rounds: u32) -> Result<()> {
    kill::rounds(rounds)
}
