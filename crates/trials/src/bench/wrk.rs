//! A load of wrk: requests that differ in one part, which is drawn from a file, and what wrk tells of
//! their answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use xtask::process;

/// How the varying part of the next request is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Draw {
    /// One behind the other.
    InTurn,
    /// Each as often as any other.
    Uniform,
    /// The n-th as often as 1/n says (Zipf's law), in the order of the file.
    Zipf,
}

/// The requests of a load.
#[derive(Debug)]
pub(super) struct Requests<'a> {
    /// What stands before the varying part, from the method on: `GET /v1.0/things/`.
    pub(super) before: String,
    /// A file with one varying part a line. A tab stands for the end of a line of the request, so that
    /// a part can reach into the header lines.
    pub(super) parts: &'a Path,
    /// What stands behind it: the rest of the request line, and header lines without `Host`.
    pub(super) behind: String,
    pub(super) draw: Draw,
}

/// A load that is ready to run.
#[derive(Debug)]
pub(super) struct Load {
    script: PathBuf,
    url: String,
    connections: usize,
}

/// What came of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) requests: f64,
    /// Answers a second.
    pub(super) rate: f64,
    /// Microseconds within which half, 99 % and 99.9 % of the answers came.
    pub(super) latency: [f64; 3],
}

/// Draws, asks, and prints the figures as one line. wrk calls `init` in each thread, `request` for each
/// request and `done` at the end. A line end right behind `[[` is none.
const SCRIPT: &str = r#"
local parts, next, draw = {}, 0, @DRAW@
local before, behind
function init(args)
  for line in io.lines([[@PARTS@]]) do
    parts[#parts + 1] = line:gsub("\t", "\r\n")
  end
  before = [[@BEFORE@]]
  behind = ([[
@BEHIND@]]):gsub("\n", "\r\n") .. "\r\nHost: " .. wrk.headers["Host"] .. "\r\n\r\n"
  math.randomseed(@SEED@)
  for _ = 1, 10 do math.random() end
end
function request()
  if draw == 0 then
    next = next % #parts + 1
  elseif draw == 1 then
    next = math.random(#parts)
  else
    next = math.floor(math.exp(math.random() * math.log(#parts + 1)))
  end
  return before .. parts[next] .. behind
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("FIGURES %d %d %d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"#;

impl Load {
    /// Writes the script to `script`.
    pub(super) fn new(
        script: PathBuf,
        url: &str,
        requests: &Requests<'_>,
        connections: usize,
    ) -> Result<Self> {
        let draw = match requests.draw {
            Draw::InTurn => "0",
            Draw::Uniform => "1",
            Draw::Zipf => "2",
        };
        let text = SCRIPT
            .replace("@DRAW@", draw)
            .replace("@SEED@", "7")
            .replace("@PARTS@", &requests.parts.display().to_string())
            .replace("@BEFORE@", &requests.before)
            .replace("@BEHIND@", &requests.behind);
        fs::write(&script, text)?;
        Ok(Self { script, url: url.to_owned(), connections })
    }

    /// Runs for so many seconds; the command of wrk goes through `pinned`, which may keep it on a core.
    pub(super) fn run(
        &self,
        seconds: u32,
        pinned: impl FnOnce(&Command) -> Command,
    ) -> Result<Outcome> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", &format!("-c{}", self.connections), &format!("-d{seconds}s")]);
        wrk.args(["--timeout", "30s", "-s"]).arg(&self.script).arg(&self.url);
        read(&process::output(&mut pinned(&wrk))?)
    }
}

fn read(said: &str) -> Result<Outcome> {
    let figures = said.lines().find_map(|line| line.strip_prefix("FIGURES "));
    let figures = figures.with_context(|| format!("wrk tells no figures:\n{said}"))?;
    let figures: Vec<f64> =
        figures.split(' ').map(str::parse).collect::<Result<_, _>>().context("wrk's figures")?;
    let [requests, micros, errors, latency @ ..] = figures.as_slice() else {
        anyhow::bail!("wrk tells too few figures:\n{said}");
    };
    ensure!(*errors == 0.0, "not every answer was good:\n{said}");
    let latency = latency.try_into().context("wrk tells three latencies")?;
    Ok(Outcome { requests: *requests, rate: requests / micros * 1e6, latency })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        let outcome = read("Running 1s test\nFIGURES 2000 1000000 0 10 20 30\n").unwrap();
        assert!((outcome.rate - 2000.0).abs() < 1e-9);
        assert_eq!(outcome.latency.map(|latency| latency as u32), [10, 20, 30]);
    }

    #[test]
    fn answers_that_were_not_good_are_an_error() {
        assert!(read("FIGURES 2000 1000000 1 10 20 30").is_err());
        assert!(read("wrk: cannot connect").is_err());
    }
}
