//! Commands of the crate `trials`: it is built together with the program that it tries, then does what
//! was asked for.

use std::process::Command;

use anyhow::Result;
use xtask::process;
use xtask::repository::{PROFILE, binary, root};

use crate::setup;

/// The commands that it has.
pub(crate) const COMMANDS: [&str; 9] =
    ["abnf", "bench", "chaos", "clients", "demo", "fuzz", "guides", "scenarios", "soak"];

/// Builds both and passes a command on, with its arguments.
///
/// # Errors
/// When something that it needs is missing, can't be built, or the command fails.
pub(crate) fn run(words: &[String]) -> Result<()> {
    setup::run(&[])?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--profile", PROFILE, "-p", "callvault", "-p", "trials"]);
    process::run(cargo.current_dir(root()))?;
    process::run(Command::new(binary("trials", PROFILE)).args(words))
}
