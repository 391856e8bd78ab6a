//! The house rules that no compiler checks: what every source file must have and must not, which of
//! our crates and modules may know which, where the heavy dependencies live, how long a function may be,
//! licences and sources of them all.

mod arrows;
mod builds;
mod functions;
mod imports;
mod licences;
mod modules;
mod sources;

use std::process::Command;

use anyhow::{Result, bail};

use xtask::process;
use xtask::repository::root;

/// Checks every rule and prints each breach as `place: what is wrong`.
///
/// # Errors
/// When a rule is broken, or the checkout can't be read.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let files = files()?;
    let mut breaches = sources::breaches(&files)?;
    breaches.extend(functions::breaches(&files)?);
    breaches.extend(modules::breaches()?);
    breaches.extend(arrows::breaches()?);
    breaches.extend(builds::breaches()?);
    breaches.extend(licences::breaches()?);
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} breaches of the house rules", breaches.len());
    }
    Ok(())
}

/// Every file of the checkout that git would keep, by its path from the root.
fn files() -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = process::output(&mut git)?;
    let present = |path: &&str| root().join(path).is_file();
    Ok(listed.lines().filter(present).map(str::to_owned).collect())
}
