//! Fuzzing on the stable toolchain. The targets in `fuzz/` are laid out for cargo-fuzz, but its tool is
//! not needed: counters of coverage are an option of the stable compiler, and libFuzzer comes as a crate.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use xtask::process;
use xtask::repository::{PROFILE, binary, root, target};

/// Every target, with the folders of seeds that it begins with, besides what it found before.
const TARGETS: [(&str, &[&str]); 10] = [
    ("record", &["fuzz/corpus/record", "fixtures/call-records"]),
    ("call_events", &["fuzz/corpus/call_events"]),
    ("log_row", &["fuzz/corpus/log_row"]),
    ("faults", &["fuzz/corpus/faults"]),
    ("profiles", &["fuzz/corpus/profiles"]),
    ("places", &["fuzz/corpus/places"]),
    ("request", &["fuzz/corpus/request"]),
    ("skiptoken", &["fuzz/corpus/skiptoken"]),
    ("authorization", &["fuzz/corpus/authorization"]),
    ("batch", &["fuzz/corpus/batch"]),
];

/// The least target has more edges than this in our own code.
const FEWEST_COUNTERS: u64 = 500;

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
    build()?;
    let mut found = Vec::new();
    for (name, seeds) in TARGETS {
        let is_asked = names.is_empty() || names.contains(&name);
        if is_asked && !runs_clean(name, seeds, time(name))? {
            found.push(name);
        }
    }
    if !found.is_empty() {
        bail!("findings in {}; the inputs are in {}", found.join(", "), artifacts().display());
    }
    Ok(())
}

/// Compiles the targets, and with counters for libFuzzer those of our crates that they read with.
/// Dependencies are taken as every other build has compiled them.
fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    // Of the whole workspace, or dependencies would be compiled once more, with other features.
    cargo.args(["build", "--locked", "--workspace", "--profile", PROFILE]);
    cargo.args(TARGETS.iter().flat_map(|(name, _)| ["--bin", name]));
    cargo.env("RUSTC_WORKSPACE_WRAPPER", root().join("fuzz/rustc-with-counters.sh"));
    process::run(cargo.current_dir(root()))
}

fn artifacts() -> std::path::PathBuf {
    target().join("fuzz/artifacts")
}

/// Runs one target; whether it found nothing.
fn runs_clean(name: &str, seeds: &[&str], time: Duration) -> Result<bool> {
    let corpus = target().join("fuzz/corpus").join(name);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(artifacts())?;
    let mut run = Command::new(binary(name, PROFILE));
    run.arg(format!("-max_total_time={}", time.as_secs()));
    run.arg(format!("-artifact_prefix={}/{name}-", artifacts().display()));
    run.args(["-timeout=120", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1"]);
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
    // Without counters it would find next to nothing, and say nothing of it.
    ensure!(counters(&log) >= FEWEST_COUNTERS, "{name} was compiled without counters:\n{log}");
    Ok(output.status.success())
}

/// Edges of our code that libFuzzer sees: `INFO: Loaded 1 modules   (51234 inline 8-bit counters): …`.
fn counters(log: &str) -> u64 {
    let line = log.lines().find(|line| line.starts_with("INFO: Loaded"));
    let number = line.and_then(|line| line.split_once('(')?.1.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_what_libfuzzer_says() {
        let log = "INFO: Seed: 1\nINFO: Loaded 1 modules   (5123 inline 8-bit counters): 5123 [0x1, 0x2),\n";
        assert_eq!(counters(log), 5_123);
        assert_eq!(counters("INFO: Seed: 1"), 0);
    }
}
