//! Questions about stores of three sizes, each against SQL written by hand on the same file.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::{MEASURED, pinned};
use crate::instance::{Instance, TENANT};
use crate::process;
use crate::repository::root;

/// Records of each store, spread over the year before [`END`].
const SIZES: [u32; 3] = [10_000, 100_000, 1_000_000];
const BEGIN: &str = "2025-11-01";
const END: &str = "2026-11-01";
/// The first day of the week and the month that are asked for.
const ASKED: &str = "2026-09-15T00:00:00Z";

/// Fills the stores below `folder` and asks them. `most` leaves the larger ones out.
pub(super) fn measure(folder: &Path, most: u32) -> Result<()> {
    let example = ["build", "--release", "-p", "store", "--example", "queries"];
    process::run(Command::new("cargo").args(example).current_dir(root()))?;
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        let store = Instance::new("release", folder.join(format!("queries-{size}")))?;
        fill(&store, size)?;
        let file = store.data().join("callvault.db");
        let mut ask = Command::new(crate::repository::target().join("release/examples/queries"));
        ask.arg(&file).arg(ASKED);
        print!("{}", process::output(&mut pinned(MEASURED, &ask))?);
    }
    Ok(())
}

/// The text of a million records would fill the disk, so it goes through a pipe.
fn fill(store: &Instance, size: u32) -> Result<()> {
    let words = ["simulate", "--seed", "1", "--mix", "bench", "--from", BEGIN, "--to", END];
    let mut simulate = store.command(&words);
    simulate.args(["--calls", &size.to_string()]);
    let mut simulating = simulate.stdout(Stdio::piped()).spawn()?;
    let text = simulating.stdout.take().context("the output is piped")?;
    let mut import = store.command(&["import", "--tenant", TENANT, "-"]);
    process::output(import.stdin(text))?;
    ensure!(simulating.wait()?.success(), "simulate failed");
    Ok(())
}
