//! A callvault server of our own making: started, asked for its address, stopped or killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testkit::PATIENCE;

/// How long a server may take until it says that it is listening.
const READY_WITHIN: Duration = PATIENCE;
/// How long a server may take to stop when asked.
const STOPPED_WITHIN: Duration = PATIENCE;

/// A running server. Dropping it kills it.
pub(crate) struct ServerProcess {
    child: Child,
    lines: Receiver<String>,
    /// The address of its API, such as `http://127.0.0.1:40123`.
    pub(crate) url: String,
    /// From the start of the program to the line that says it is listening.
    pub(crate) ready_after: Duration,
}

impl ServerProcess {
    /// Starts a program and waits for its line `listening on URL`.
    ///
    /// # Errors
    /// When it can't be started, ends, or does not listen for so long.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start the server")?;
        let output = child.stdout.take().context("the server has no stdout")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut served = Self { child, lines, url: String::new(), ready_after: Duration::ZERO };
        served.url = served.line_after("listening on ", READY_WITHIN)?;
        served.ready_after = started.elapsed();
        Ok(served)
    }

    /// Waits for a line that begins so, and gives the rest of it.
    fn line_after(&mut self, beginning: &str, within: Duration) -> Result<String> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(beginning) {
                        return Ok(rest.trim().to_owned());
                    }
                }
                Err(_) => bail!("the server did not say '{beginning}…'"),
            }
        }
    }

    /// The address of its admin listener, which it prints next.
    ///
    /// # Errors
    /// When it does not print that.
    pub(crate) fn admin(&mut self) -> Result<String> {
        self.line_after("admin on ", READY_WITHIN)
    }

    /// What it prints before this line.
    ///
    /// # Errors
    /// When it does not print that.
    pub(crate) fn lines_before(&self, last: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(READY_WITHIN) {
                Ok(line) if line == last => return Ok(lines),
                Ok(line) => lines.push(line),
                Err(_) => bail!("the server did not say '{last}'"),
            }
        }
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, though nobody has waited for that.
    ///
    /// # Errors
    /// When that can't be known.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// When it does not stop in time, or ends with another code than 0.
    pub(crate) fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        xtask::process::run(Command::new("kill").args(["-TERM", &id]))?;
        let deadline = Instant::now() + STOPPED_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("the server ended with {status} when asked to stop");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the server did not stop within {STOPPED_WITHIN:?}")
    }

    /// Ends it at once, as a power cut of the process would (SIGKILL).
    ///
    /// # Errors
    /// When it can't be waited for.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.kill();
    }
}
