//! A rolling upgrade: nodes of the commit before and of this one on one database, in every mixture, under
//! the mixed load.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use testkit::Postgres;

use super::cluster::Cluster;
use super::nodes::under_load;
use crate::process;
use crate::repository::{self, PROFILE, fresh_folder, root, target};

/// How long each mixture serves.
const STAGE: Duration = Duration::from_secs(6);

/// Runs with nodes of another commit: the one before, unless one is named.
///
/// # Errors
/// When it can't be built, or a promise is broken.
pub(crate) fn run(commit: &str) -> Result<()> {
    let old = build(commit)?;
    let new = repository::binary(PROFILE);
    let postgres = Arc::new(Postgres::start());
    let instances = Cluster::instances(&postgres, &fresh_folder("upgrade")?, 2)?;
    let instances = instances.iter().map(|instance| instance.another(old.clone())).collect();
    let cluster = Cluster::start(postgres, instances)?;
    under_load(&cluster, |cluster| {
        // Old and old, then one new, both new, and one of them taken back.
        for (node, binary) in [(0, &new), (1, &new), (0, &old)] {
            if !cluster.sleep(STAGE) {
                break;
            }
            cluster.replace(node, binary)?;
        }
        cluster.sleep(STAGE);
        Ok(format!("nodes of {commit} and of this one"))
    })?;
    cluster.stop()
}

/// The binary of a commit, built in a work tree of its own.
fn build(commit: &str) -> Result<PathBuf> {
    let (tree, built) = (target().join("previous"), target().join("previous-target"));
    let git = |arguments: &[&str]| {
        process::run(Command::new("git").args(arguments).arg(commit).current_dir(root()))
    };
    let place = tree.display().to_string();
    if tree.exists() {
        git(&["-C", &place, "checkout", "--quiet", "--detach"])?;
    } else {
        git(&["worktree", "add", "--quiet", "--force", "--detach", &place])?;
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--package", "callvault", "--profile", PROFILE]);
    process::run(cargo.current_dir(&tree).env("CARGO_TARGET_DIR", &built))?;
    let binary = built.join(PROFILE).join("callvault");
    ensure!(binary.exists(), "{} was not built", binary.display());
    Ok(binary)
}
