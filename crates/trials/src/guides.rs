//! The README and the guides, followed to the letter by somebody who starts in an empty folder: every block
//! is run in the order in which it stands, and what is printed must be what the guide shows.
//!
//! What a block is, its info string says, of which a reader sees nothing:
//!
//! - `sh`: commands for the terminal. One that fails fails the guide. `server`: the last of them serves until
//!   the next such block or the end of the guide, so that what follows is typed in a new terminal; `paste`:
//!   the `export` lines that it prints are pasted there. `interrupt="TEXT"`: it runs until it, or the server,
//!   prints this, and is then interrupted. `slow`: left out of the short form.
//! - `http`: requests to the server, with the token in `TOKEN`. They stand unencoded.
//! - any language with `file=NAME`: a file to save. `toml` with `settings`: settings that are accepted.
//! - `output`, or `json` right behind `http`: what the last block printed.
//!
//! A block that can't run here has a line before it that says so to the reader as well: `*This example is not
//! tested: REASON.*` Anything else is an error, so no block is overlooked.
//!
//! The runner stands in for what belongs to the reader's machine ([`machine`]), and compares what is shown
//! with what is printed except for what differs on each run ([`compare`]).

mod compare;
mod follow;
mod machine;
mod markdown;
mod terminal;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use self::follow::Outcome;
use self::machine::Machine;
use xtask::repository::{fresh_folder, root};

/// A guide that shows what is not printed. A runner that does not refuse it proves nothing.
const CONTROL: &str =
    "```sh\ncallvault simulate --calls 1 --seed 1 | wc -l\n```\n\n```text output\n2\n```\n";

/// `guides [--short] [FILE…]`: follows all guides, or those that are named.
///
/// # Errors
/// When a guide shows what is not so; the others are followed nevertheless.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let is_short = arguments.iter().any(|argument| argument == "--short");
    let named: Vec<&String> = arguments.iter().filter(|argument| *argument != "--short").collect();
    let folder = fresh_folder("guides")?;
    let machine = Machine::new(&folder)?;
    let control = follow::follow("control", CONTROL, &machine, is_short)?;
    ensure!(control.failure.is_some(), "the control passed: a wrong answer would not be noticed");
    println!("ok   a wrong answer is noticed");

    let mut failed = Vec::new();
    let (mut run, mut left_out) = (1, Vec::new());
    for path in all()? {
        let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        if !named.is_empty() && !named.iter().any(|wanted| name.ends_with(wanted.as_str())) {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| name.clone())?;
        let Outcome { passed, not_run, failure } =
            follow::follow(&name, &text, &machine, is_short).with_context(|| name.clone())?;
        run += passed;
        left_out.extend(not_run);
        match failure {
            None => println!("ok   {name}: {passed} blocks"),
            Some(failure) => {
                println!("FAIL {name}:{failure}");
                failed.push(name);
            }
        }
    }
    if !left_out.is_empty() {
        println!("\nnot run:\n  {}", left_out.join("\n  "));
    }
    println!("{run} passed, {} failed", failed.len());
    if !failed.is_empty() {
        bail!("these guides are not true: {}", failed.join(", "));
    }
    Ok(())
}

/// The README, then the guides in the order of their names.
fn all() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["docs/guides", "docs"] {
        for entry in fs::read_dir(root().join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found.insert(0, root().join("README.md"));
    Ok(found)
}
