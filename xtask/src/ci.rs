//! `cargo xtask ci`: every check, in an order that tells cheap mistakes first, each timed.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{self, Tally};
use crate::repository::{PROFILE, root};
use crate::{chaos, clients, codegen, demo, fuzz, scenarios, setup, soak, tidy};

/// A step: its name and what it does. A step that runs tests adds to the count; any other counts as
/// one.
type Step = (&'static str, fn(&mut Tally) -> Result<()>);

const STEPS: [Step; 16] = [
    ("setup", |_| setup::run(&[])),
    ("format", |_| format()),
    ("tidy", |_| tidy::run(&[])),
    ("codegen", |_| codegen::run(&["--check".to_owned()])),
    ("lints", |_| lints()),
    ("docs", |_| documents()),
    ("build", |_| cargo(&["build", "--workspace", "--all-targets", "--profile", PROFILE])),
    ("tests", all_tests),
    ("postgresql", on_postgresql),
    ("clients", clients::run_counted),
    ("scenarios", scenarios::run_counted),
    ("kill", |_| soak::kill(5)),
    ("chaos", |_| chaos::notify(chaos::SHORT)),
    ("nodes", |_| soak::nodes(Duration::from_secs(12))),
    ("fuzz", |_| fuzz::run_all(Duration::from_secs(10))),
    ("demo", |_| demo::run(&[])),
];

/// What became of a step.
struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<()>,
}

/// Runs every step, also after one that failed, then tells the times and the counts.
///
/// # Errors
/// When a step failed.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let mut tally = Tally::default();
    let mut outcomes = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let started = Instant::now();
        let mut counted = Tally::default();
        let result = step(&mut counted);
        if let Err(error) = &result {
            println!("{name} failed: {error:#}");
        }
        tally.add(of_step(counted, result.is_ok()));
        outcomes.push(Outcome { name, took: started.elapsed(), result });
    }
    report(&outcomes, tally)
}

/// What a step adds to the count: its tests, or itself; a failure always shows.
fn of_step(counted: Tally, succeeded: bool) -> Tally {
    let alone = Tally { passed: u64::from(succeeded), failed: u64::from(!succeeded) };
    match counted {
        Tally { passed: 0, failed: 0 } => alone,
        Tally { passed, failed: 0 } if !succeeded => Tally { passed, failed: 1 },
        counted => counted,
    }
}

/// The table of times, and as the last line the counts.
fn report(outcomes: &[Outcome], tally: Tally) -> Result<()> {
    println!("\n== times");
    for Outcome { name, took, result } in outcomes {
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        println!("{name:<10} {:>7.1} s  {word}", took.as_secs_f64());
    }
    let total: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    println!("{:<10} {:>7.1} s\n", "all", total.as_secs_f64());
    for Outcome { name, result, .. } in outcomes {
        if let Err(error) = result {
            println!("{name}: {error:#}");
        }
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("{} passed, {} failed", tally.passed, tally.failed);
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    process::run(Command::new("cargo").args(arguments).current_dir(root()))
}

/// Our workspace, and those that stand apart, for which `--all` would mean ours too.
fn format() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"])?;
    cargo(&["fmt", "--check", "--manifest-path", "clients/rust/Cargo.toml"])
}

/// Clippy in the profile of the tests: what C code the dependencies have is compiled once.
fn lints() -> Result<()> {
    let scope = ["clippy", "--workspace", "--all-targets", "--profile", PROFILE];
    cargo(&[&scope[..], &["--", "-D", "warnings"]].concat())
}

fn documents() -> Result<()> {
    let mut doc = Command::new("cargo");
    doc.args(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    doc.args(["--profile", PROFILE]);
    process::run(doc.env("RUSTDOCFLAGS", "-D warnings").current_dir(root()))
}

fn all_tests(tally: &mut Tally) -> Result<()> {
    let mut test = Command::new("cargo");
    test.args(["test", "--workspace", "--no-fail-fast", "--profile", PROFILE]).current_dir(root());
    process::run_counted(&mut test, tally)
}

/// What is said over the wire and told to others, on the other engine; the rest of those tests asks
/// nothing of the store that its own do not ask of both.
fn on_postgresql(tally: &mut Tally) -> Result<()> {
    let mut test = Command::new("cargo");
    // Of the whole workspace, or what it depends on would be compiled once more, with other features.
    test.args(["test", "--workspace", "--test", "wire", "--profile", PROFILE, "--"]);
    test.args(["notifications", "calls", "language", "reading", "writing"]);
    test.args(["plain", "batch", "throttling", "logs"]);
    test.env("CALLVAULT_TEST_ENGINE", "postgres").current_dir(root());
    process::run_counted(&mut test, tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_without_tests_counts_as_one() {
        assert_eq!(of_step(Tally::default(), true), Tally { passed: 1, failed: 0 });
        assert_eq!(of_step(Tally::default(), false), Tally { passed: 0, failed: 1 });
    }

    #[test]
    fn step_that_breaks_after_passing_tests_still_fails() {
        let counted = Tally { passed: 7, failed: 0 };
        assert_eq!(of_step(counted, false), Tally { passed: 7, failed: 1 });
    }

    #[test]
    fn failed_tests_are_counted_once() {
        let counted = Tally { passed: 7, failed: 2 };
        assert_eq!(of_step(counted, false), counted);
    }
}
