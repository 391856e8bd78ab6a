//! The README's first command, proven: the demo of the release build answers, and the curl lines that
//! it prints work as they stand. Whether it answers in time is judged in the long form only.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::server_process::ServerProcess;
use xtask::process;
use xtask::repository::root;

/// How soon after the build the demo must answer, its records made and stored.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// The last line that it prints.
const LAST: &str = "Stop with Ctrl-C.";

/// Builds the release binary, runs the demo, and pastes the lines that it prints.
///
/// # Errors
/// When it does not come up or a line fails.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    ready_after().map(drop)
}

/// Runs the demo on a machine that does nothing else, and judges how long it takes to come up.
///
/// # Errors
/// When it does not come up in time, too.
pub(crate) fn in_time() -> Result<()> {
    let ready_after = ready_after()?;
    ensure!(
        ready_after <= READY_WITHIN,
        "the demo took {ready_after:.1?} to listen, more than {READY_WITHIN:?}"
    );
    Ok(())
}

fn ready_after() -> Result<Duration> {
    process::run(Command::new("cargo").args(["build", "--release"]).current_dir(root()))?;
    let mut demo = Command::new("cargo");
    demo.args(["run", "--release", "--quiet", "--", "demo", "--listen", "127.0.0.1:0"]);
    demo.args(["--admin-listen", "127.0.0.1:0"]).current_dir(root());
    let served = ServerProcess::start(&mut demo)?;
    println!("listening after {:.1?}", served.ready_after);
    let printed = served.lines_before(LAST)?;
    let lines = curl_lines(&printed);
    ensure!(lines.len() >= 3, "the demo printed {} curl lines, not three", lines.len());
    for line in &lines {
        let answer = process::output(Command::new("sh").arg("-c").arg(line))
            .with_context(|| format!("pasted: {line}"))?;
        ensure!(answer.contains("\"@odata.context\":"), "pasted: {line}\nanswered: {answer:.300}");
        let url = line.split_whitespace().last().unwrap_or_default();
        println!("pasted and answered, {} bytes: {url}", answer.len());
    }
    let ready_after = served.ready_after;
    served.stop()?;
    Ok(ready_after)
}

/// The curl commands among the lines, each with the variables that were set before it, continued
/// lines joined.
fn curl_lines(printed: &[String]) -> Vec<String> {
    let text = printed.join("\n").replace("\\\n", " ");
    let mut variables = String::new();
    let mut commands = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("curl ") {
            commands.push(format!("{variables}{line}"));
        } else if is_assignment(line) {
            variables.push_str(line);
            variables.push('\n');
        }
    }
    commands
}

fn is_assignment(line: &str) -> bool {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let name = line.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curl_lines_are_taken_as_they_would_be_pasted() {
        let printed = ["admin on http://x", "TOKEN=abc", "  curl -s \\", "    http://x", "bye"];
        let printed = printed.map(str::to_owned);
        assert_eq!(curl_lines(&printed), ["TOKEN=abc\ncurl -s      http://x"]);
    }
}
