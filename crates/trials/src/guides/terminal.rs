//! A terminal: what is typed one after the other, with the variables and the folder that it leaves.

use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a program may take until it prints what is waited for, or until it ends.
const PATIENCE: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A terminal.
pub(super) struct Terminal {
    folder: PathBuf,
    /// A script with the variables, and the folder that commands were left in.
    state: PathBuf,
    variables: Vec<(String, String)>,
    /// Process groups, whose programs may go on in the background.
    groups: RefCell<Vec<u32>>,
}

/// A program that has not ended yet. Dropped, it is killed.
pub(super) struct Process {
    child: Child,
    printed: PathBuf,
}

impl Terminal {
    /// A new one in a folder.
    pub(super) fn new(folder: &Path, number: usize, variables: &[(String, String)]) -> Self {
        let state = folder.join(format!(".terminal-{number}"));
        Self {
            folder: folder.to_owned(),
            state,
            variables: variables.to_vec(),
            groups: RefCell::default(),
        }
    }

    /// Types commands; what they print on standard output.
    ///
    /// # Errors
    /// When one of them fails; the message has what was printed.
    pub(super) fn run(&self, commands: &str) -> Result<String> {
        let state = self.state.display();
        let script = format!(
            "set -e\n{}\n{commands}\n{{ export -p; echo cd \"'$PWD'\"; }} > {state}\n",
            self.begin()
        );
        let mut shell = self.shell(&script);
        let shell = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn();
        let shell = shell.context("starting bash")?;
        self.groups.borrow_mut().push(shell.id());
        let id = shell.id();
        let (ended, end) = mpsc::channel();
        // A loop that waits for what never comes ends, too.
        let guard = thread::spawn(move || {
            if end.recv_timeout(PATIENCE).is_err() {
                end_group(id);
            }
        });
        let output = shell.wait_with_output()?;
        let _ = ended.send(());
        let _ = guard.join();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (printed, errors) = (text(&output.stdout), text(&output.stderr));
        ensure!(output.status.success(), "{}\n{commands}{printed}{errors}", output.status);
        Ok(printed)
    }

    /// Types a command that goes on.
    ///
    /// # Errors
    /// When it can't be started.
    pub(super) fn start(&self, command: &str) -> Result<Process> {
        let printed = self.state.with_extension("printed");
        let script = format!("{}\nexec {}", self.begin(), command.trim_start());
        let mut shell = self.shell(&script);
        let file = File::create(&printed)?;
        shell.stdout(file.try_clone()?).stderr(file);
        Ok(Process { child: shell.spawn().context("starting bash")?, printed })
    }

    fn begin(&self) -> String {
        let state = self.state.display();
        format!("test -e {state} && . {state} || true")
    }

    fn shell(&self, script: &str) -> Command {
        let mut shell = Command::new("bash");
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["CALLVAULT_", "AZURE_", "SSL_CERT_"].iter().any(|begin| name.starts_with(begin)) {
                shell.env_remove(&*name);
            }
        }
        shell.args(["-c", script]).current_dir(&self.folder).stdin(Stdio::null());
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        shell
    }
}

impl Process {
    /// Everything that it has printed so far.
    pub(super) fn printed(&self) -> String {
        fs::read(&self.printed)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits until it, or the other one, has printed a line with this text.
    ///
    /// # Errors
    /// When it ends before, or that takes too long.
    pub(super) fn wait_for(&mut self, text: &str, other: Option<&Self>) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let has_ended = self.child.try_wait()?;
            let others = other.map(Self::printed).unwrap_or_default();
            if self.printed().contains(text) || others.contains(text) {
                return Ok(());
            }
            if let Some(status) = has_ended {
                bail!("ended with {status} before it printed '{text}':\n{}", self.printed());
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("did not print '{text}':\n{}", self.printed())
    }

    /// Interrupts it as Ctrl-C does; what it has printed.
    ///
    /// # Errors
    /// When it does not end, or with another code than 0.
    pub(super) fn interrupt(mut self) -> Result<String> {
        let id = self.child.id().to_string();
        xtask::process::run(Command::new("kill").args(["-INT", &id]))?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "ended with {status}:\n{}", self.printed());
                return Ok(self.printed());
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("did not end after Ctrl-C")
    }
}

/// Closing a terminal ends what goes on in it.
impl Drop for Terminal {
    fn drop(&mut self) {
        for group in self.groups.get_mut() {
            end_group(*group);
        }
    }
}

/// Ends all programs of a process group. Mostly they have ended.
fn end_group(group: u32) {
    let mut kill = Command::new("kill");
    let _ = kill.args(["-KILL", "--", &format!("-{group}")]).stderr(Stdio::null()).status();
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
