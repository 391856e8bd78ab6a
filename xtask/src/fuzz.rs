//! Fuzzing on the stable toolchain. The targets in `fuzz/` are laid out for cargo-fuzz, but its tool is
//! not needed: coverage counters are an option of the stable compiler, and libFuzzer comes as a crate.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process;
use crate::repository::{root, target};

/// Every target, with the folders of seeds that it begins with, besides what it found before.
const TARGETS: [(&str, &[&str]); 7] = [
    ("record", &["fuzz/corpus/record", "fixtures/call-records"]),
    ("call_events", &["fuzz/corpus/call_events"]),
    ("log_row", &["fuzz/corpus/log_row"]),
    ("faults", &["fuzz/corpus/faults"]),
    ("request", &["fuzz/corpus/request"]),
    ("skiptoken", &["fuzz/corpus/skiptoken"]),
    ("authorization", &["fuzz/corpus/authorization"]),
];

/// What libFuzzer needs of the compiler: counters of edges and compared values, no address sanitizer.
const COVERAGE: [&str; 8] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
];

/// `fuzz [--seconds N] [TARGET...]`
///
/// # Errors
/// When a target can't be built or found something.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut seconds = 10;
    let mut names = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => match words.next().and_then(|number| number.parse().ok()) {
                Some(number) => seconds = number,
                None => bail!("--seconds needs a number"),
            },
            name if TARGETS.iter().any(|(known, _)| *known == name) => names.push(name),
            name => bail!("no fuzz target {name}"),
        }
    }
    fuzz(&names, |_| Duration::from_secs(seconds))
}

/// Runs every target for the time.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_all(time: Duration) -> Result<()> {
    fuzz(&[], |_| time)
}

/// Runs every target for the time, but those of these names for another.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_long(time: Duration, others: &[(&str, Duration)]) -> Result<()> {
    let of = |name: &str| others.iter().find(|(other, _)| *other == name).map(|(_, time)| *time);
    fuzz(&[], |name| of(name).unwrap_or(time))
}

/// Runs the targets of these names, or all, the ones after a finding too.
fn fuzz(names: &[&str], time: impl Fn(&str) -> Duration) -> Result<()> {
    let system = host()?;
    build(&system)?;
    let mut found = Vec::new();
    for (name, seeds) in TARGETS {
        let is_asked = names.is_empty() || names.contains(&name);
        if is_asked && !runs_clean(&system, name, seeds, time(name))? {
            found.push(name);
        }
    }
    if !found.is_empty() {
        bail!("findings in {}; the inputs are in {}", found.join(", "), artifacts().display());
    }
    Ok(())
}

/// The system that we build for, named so that build scripts and macros stay without counters.
fn host() -> Result<String> {
    let version = process::output(Command::new("rustc").arg("-vV"))?;
    match version.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(host) => Ok(host.to_owned()),
        None => bail!("rustc -vV names no host"),
    }
}

fn build(system: &str) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--locked", "--target", system]);
    cargo.arg("--manifest-path").arg(root().join("fuzz/Cargo.toml"));
    cargo.arg("--target-dir").arg(target().join("fuzz"));
    process::run(cargo.env("RUSTFLAGS", COVERAGE.join(" ")))
}

fn artifacts() -> std::path::PathBuf {
    target().join("fuzz/artifacts")
}

/// Runs one target; whether it found nothing.
fn runs_clean(system: &str, name: &str, seeds: &[&str], time: Duration) -> Result<bool> {
    let corpus = target().join("fuzz/corpus").join(name);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(artifacts())?;
    let mut run = Command::new(target().join("fuzz").join(system).join("release").join(name));
    run.arg(format!("-max_total_time={}", time.as_secs()));
    run.arg(format!("-artifact_prefix={}/{name}-", artifacts().display()));
    run.args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1"]);
    let dictionary = root().join("fuzz/dictionaries").join(format!("{name}.dict"));
    if dictionary.exists() {
        run.arg(format!("-dict={}", dictionary.display()));
    }
    run.arg(corpus).args(seeds.iter().map(|seeds| root().join(seeds)).filter(|path| path.exists()));
    let output = run.output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    println!("{name}: {}", summary(&log));
    if !output.status.success() {
        println!("{log}");
    }
    Ok(output.status.success())
}

/// What libFuzzer says at its end: how many inputs, how fast.
fn summary(log: &str) -> String {
    let value = |key: &str| {
        let line = log.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_whitespace().last()).unwrap_or("?").to_owned()
    };
    format!(
        "{} inputs, {} a second, {} kept",
        value("stat::number_of_executed_units"),
        value("stat::average_exec_per_sec"),
        value("stat::new_units_added")
    )
}
