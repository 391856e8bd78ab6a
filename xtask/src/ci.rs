//! `cargo xtask ci`: every check, four at a time, each timed and its processor time counted.
//!
//! A step is a process of its own (`cargo xtask step NAME`), whose output is kept and shown when it
//! ends. The build runs alone, since it keeps all cores busy; tests mostly wait.

mod cpu;
mod steps;

use std::fs::{self, File};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xtask::process::{self, Tally};
use xtask::repository::fresh_folder;

use self::steps::{STEPS, Step};

/// Steps that run at once: while some of them wait for servers, two cores have something to do.
const AT_ONCE: usize = 4;
/// Between two looks at whether a step has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a step.
struct Outcome {
    name: &'static str,
    took: Duration,
    /// Seconds of processor time of its processes, where the system says that.
    cpu: Option<f64>,
    tally: Tally,
    result: Result<()>,
}

/// A step that runs.
struct Job {
    step: &'static Step,
    child: Child,
    output: std::path::PathBuf,
    started: Instant,
}

/// `step NAME`: what a step does, here and now.
///
/// # Errors
/// When there is none of this name, or it fails.
pub(crate) fn step(arguments: &[String]) -> Result<()> {
    let [name] = arguments else { bail!("usage: cargo xtask step NAME") };
    let Some(step) = STEPS.iter().find(|step| step.name == name) else {
        let names = STEPS.map(|step| step.name).join(", ");
        bail!("no step {name}; there are {names}");
    };
    let result = (step.commands)().iter_mut().try_for_each(process::run);
    if let Some(seconds) = cpu::of_children() {
        println!("{}{seconds:.1}", cpu::LABEL);
    }
    result
}

/// Runs every step, also after one that failed, then tells the times and the counts.
///
/// # Errors
/// When a step failed.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let began = Instant::now();
    let folder = fresh_folder("ci")?;
    let (mut waiting, mut running): (Vec<&Step>, Vec<Job>) = (STEPS.iter().collect(), Vec::new());
    let mut outcomes: Vec<Outcome> = Vec::new();
    while !(waiting.is_empty() && running.is_empty()) {
        while let Some(place) = next(&waiting, &outcomes).filter(|_| running.len() < AT_ONCE) {
            let step = waiting.remove(place);
            match failed_before(step, &outcomes) {
                Some(other) => outcomes.push(Outcome::left_out(step.name, other)),
                None => running.push(Job::start(step, &folder)?),
            }
        }
        if let Some(place) = ended(&mut running)? {
            outcomes.push(running.remove(place).finish()?);
        } else {
            thread::sleep(LOOK_EVERY);
        }
    }
    report(&outcomes, began.elapsed())
}

/// The first step that waits for nothing any more.
fn next(waiting: &[&Step], outcomes: &[Outcome]) -> Option<usize> {
    let has_ended = |name: &&str| outcomes.iter().any(|outcome| outcome.name == *name);
    waiting.iter().position(|step| step.after.iter().all(has_ended))
}

/// A step that this one stands on and that failed.
fn failed_before(step: &Step, outcomes: &[Outcome]) -> Option<&'static str> {
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err());
    failed.map(|outcome| outcome.name).find(|name| step.after.contains(name))
}

/// The place of one that has ended.
fn ended(running: &mut [Job]) -> Result<Option<usize>> {
    for (place, running) in running.iter_mut().enumerate() {
        if running.child.try_wait()?.is_some() {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

impl Job {
    fn start(step: &'static Step, folder: &std::path::Path) -> Result<Self> {
        let output = folder.join(format!("{}.log", step.name));
        let file = File::create(&output)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["step", step.name]).env("CARGO_INCREMENTAL", "0");
        command.env("CARGO_TERM_PROGRESS_WHEN", "never");
        command.env("RUSTC_WORKSPACE_WRAPPER", std::env::current_exe()?);
        command.stdin(std::process::Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("can't start {}", step.name))?;
        println!("-- {} begins", step.name);
        Ok(Self { step, child, output, started: Instant::now() })
    }

    /// Shows what it printed, and counts the tests in it.
    fn finish(mut self) -> Result<Outcome> {
        let (took, status) = (self.started.elapsed(), self.child.wait()?);
        let printed = String::from_utf8_lossy(&fs::read(&self.output)?).into_owned();
        println!("\n== {}\n{printed}", self.step.name);
        let mut counted = Tally::default();
        printed.lines().for_each(|line| counted.read(line));
        let name = self.step.name;
        let result = if status.success() { Ok(()) } else { Err(failure(&printed, status)) };
        let tally = of_step(counted, result.is_ok());
        Ok(Outcome { name, took, cpu: cpu::told(&printed), tally, result })
    }
}

/// Failed tests that are named again at the end, at most.
const MOST_NAMED: usize = 20;
/// Lines of a step that failed without a failed test that are shown again at the end.
const LAST_WORDS: usize = 4;

/// The tests that failed in a step, or else its last words.
fn failure(printed: &str, status: std::process::ExitStatus) -> anyhow::Error {
    let failed = printed.lines().filter(|line| is_failed_test(line)).take(MOST_NAMED);
    let failed: Vec<&str> = failed.map(str::trim).collect();
    let words = if failed.is_empty() { last_words(printed) } else { failed.join("; ") };
    anyhow::anyhow!("{status}: {words}")
}

/// The last lines: the last of all only says which command failed, those before it say why.
fn last_words(printed: &str) -> String {
    let told = |line: &&str| !line.trim().is_empty() && !line.starts_with(cpu::LABEL);
    let mut lines: Vec<&str> = printed.lines().rev().filter(told).take(LAST_WORDS).collect();
    lines.reverse();
    lines.join("; ")
}

/// Whether a line tells of a test that failed: of Rust's test runner, or of the client checks.
fn is_failed_test(line: &str) -> bool {
    line.starts_with("test ") && line.ends_with(" FAILED") || line.starts_with("FAIL ")
}

impl Outcome {
    fn left_out(name: &'static str, other: &str) -> Self {
        let tally = of_step(Tally::default(), false);
        let result = Err(anyhow::anyhow!("not run, since {other} failed"));
        Self { name, took: Duration::ZERO, cpu: None, tally, result }
    }
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
fn report(outcomes: &[Outcome], took: Duration) -> Result<()> {
    println!("\n== times            wall        CPU");
    for Outcome { name, took, cpu, result, .. } in outcomes {
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        let cpu = cpu.map_or(String::new(), |seconds| format!("{seconds:.1} s"));
        println!("{name:<12} {:>9.1} s {cpu:>10}  {word}", took.as_secs_f64());
    }
    let cpu: f64 = outcomes.iter().filter_map(|outcome| outcome.cpu).sum();
    println!("{:<12} {:>9.1} s {:>10}\n", "all", took.as_secs_f64(), format!("{cpu:.1} s"));
    let mut tally = Tally::default();
    for outcome in outcomes {
        tally.add(outcome.tally);
        if let Err(error) = &outcome.result {
            println!("{}: {error:#}", outcome.name);
        }
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("{} passed, {} failed", tally.passed, tally.failed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &'static str, result: Result<()>) -> Outcome {
        Outcome { name, took: Duration::ZERO, cpu: None, tally: Tally::default(), result }
    }

    const FIRST: Step = Step { name: "first", after: &[], commands: Vec::new };
    const SECOND: Step = Step { name: "second", after: &["first"], commands: Vec::new };

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
    fn failed_tests_are_named_at_the_end() {
        use std::os::unix::process::ExitStatusExt;
        let status = std::process::ExitStatus::from_raw(256);
        let named = |printed: &str| failure(printed, status).to_string();
        let of_runner = "test delta::a ... ok\ntest delta::b ... FAILED\nerror: 1 failed";
        assert_eq!(named(of_runner), "exit status: 1: test delta::b ... FAILED");
        assert_eq!(named("FAIL record: id\n1 passed, 1 failed"), "exit status: 1: FAIL record: id");
        assert_eq!(named("can't start\n\n"), "exit status: 1: can't start");
        let of_trial = "round 1\nkill: round 2: no answer\nxtask step: trials ended";
        let shown = "exit status: 1: round 1; kill: round 2: no answer; xtask step: trials ended";
        assert_eq!(named(of_trial), shown);
    }

    #[test]
    fn failed_tests_are_counted_once() {
        let counted = Tally { passed: 7, failed: 2 };
        assert_eq!(of_step(counted, false), counted);
    }

    #[test]
    fn step_waits_for_those_before_it() {
        assert_eq!(next(&[&SECOND, &FIRST], &[]), Some(1));
        assert_eq!(next(&[&SECOND], &[]), None);
        assert_eq!(next(&[&SECOND], &[outcome("first", Ok(()))]), Some(0));
    }

    #[test]
    fn step_is_left_out_after_a_failure_of_one_that_it_stands_on() {
        let failed = [outcome("first", Err(anyhow::anyhow!("broken")))];
        assert_eq!(failed_before(&SECOND, &failed), Some("first"));
        assert_eq!(failed_before(&FIRST, &failed), None);
    }
}
