//! Nodes of this version beside nodes of the one before on one database: replaced one by one, there
//! and back, while clients see nothing of it but that nobody listens for a while.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::Speed;
use super::cluster::Cluster;
use super::faults::Ends;
use super::trial;
use xtask::process;
use xtask::repository::{PROFILE, binary, root, target};

/// How long the nodes run side by side before the next one is replaced.
const SIDE_BY_SIDE: Duration = Duration::from_secs(10);

/// Runs the trial with the program of a commit as the one before.
///
/// # Errors
/// When it can't be built, or a promise was broken.
pub(super) fn run(commit: &str) -> Result<()> {
    let (old, new) = (build(commit)?, binary("callvault", PROFILE));
    let cluster = Cluster::start("upgrade", &[old.clone(), old.clone()])?;
    trial::run(&cluster, Ends::Stopped, Speed::Judged, || {
        // Old and old, old and new, new and new, and back to old and new.
        for (node, program) in [(1, &new), (0, &new), (0, &old)] {
            thread::sleep(SIDE_BY_SIDE);
            println!("node {node} is replaced by {}", program.display());
            cluster.replace(node, program.clone())?;
        }
        thread::sleep(SIDE_BY_SIDE);
        Ok(())
    })?;
    cluster.stop()
}

/// Builds the program of a commit in a checkout of its own, which is kept for the next time.
fn build(commit: &str) -> Result<PathBuf> {
    let folder = target().join("previous");
    let (checkout, built) = (folder.join("checkout"), folder.join("target"));
    let mut git = Command::new("git");
    if checkout.exists() {
        git.args(["checkout", "--quiet", "--detach", &named(commit)?]).current_dir(&checkout);
    } else {
        git.args(["worktree", "add", "--quiet", "--force", "--detach"]).arg(&checkout).arg(commit);
        git.current_dir(root());
    }
    process::run(&mut git)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "-p", "callvault", "--bin", "callvault", "--profile", PROFILE]);
    process::run(cargo.current_dir(&checkout).env("CARGO_TARGET_DIR", &built))?;
    Ok(built.join(PROFILE).join("callvault"))
}

/// A commit by its own name: `HEAD` is another one in another checkout.
fn named(commit: &str) -> Result<String> {
    let mut git = Command::new("git");
    let name = process::output(git.args(["rev-parse", "--verify", commit]).current_dir(root()))?;
    Ok(name.trim().to_owned())
}
