//! Running other programs: output passed through as it comes, test results counted on the way.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// How many tests passed and failed, over everything that was run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl Tally {
    /// Adds what a line of output says, when it is a summary: `test result: ok. 3 passed; 0 failed; …`
    /// of Rust's test runner, or `3 passed, 0 failed` of the client checks.
    pub fn read(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !(line.starts_with("test result:") || words.get(1) == Some(&"passed,")) {
            return;
        }
        let before = |name: &str| {
            let place = words.iter().position(|word| word.trim_end_matches([',', ';']) == name)?;
            words.get(place.checked_sub(1)?)?.parse::<u64>().ok()
        };
        self.passed += before("passed").unwrap_or(0);
        self.failed += before("failed").unwrap_or(0);
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a program with its output passed through.
///
/// # Errors
/// When it can't be started or ends with another code than 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("can't start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a program with its output passed through, and counts the test results in it.
///
/// # Errors
/// As [`run`]; what was counted until then is in `tally`.
pub fn run_counted(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", shown(command)))?;
    let output = child.stdout.take().context("the child has no stdout")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        tally.read(&line);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a program quietly and gives what it printed on stdout.
///
/// # Errors
/// When it can't be started or ends with another code than 0; the message holds its stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("can't start {}", shown(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}\n{errors}", shown(command), output.status);
    }
    String::from_utf8(output.stdout).context("the output is not UTF-8")
}

/// Whether a program runs and ends well, its output thrown away.
pub fn works(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The program and its arguments, for messages.
fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(std::ffi::OsStr::to_string_lossy));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_both_runners_are_counted() {
        let mut tally = Tally::default();
        tally.read("test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured");
        tally.read("30 passed, 2 failed");
        assert_eq!(tally, Tally { passed: 42, failed: 3 });
    }

    #[test]
    fn other_lines_are_not_counted() {
        let mut tally = Tally::default();
        tally.read("test record_is_kept ... ok");
        tally.read("2 failed, and 3 passed");
        tally.read("");
        assert_eq!(tally, Tally::default());
    }
}
