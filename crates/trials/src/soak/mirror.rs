//! kill -9 of a mirror at random moments, as a command and as a server. After each kill the ledger adds up and
//! the file is sound; in the end both stores have the same records, to the last byte.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use xtask::process;
use xtask::repository::{PROFILE, fresh_folder};

use super::kill::{Moments, integrity};
use crate::instance::{Instance, TENANT};
use crate::members::number;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    calls: u32,
    kills: u32,
}

/// The stated form, and that of the checks.
pub(super) const LONG: Size = Size { calls: 20_000, kills: 50 };
pub(super) const SHORT: Size = Size { calls: 1_500, kills: 6 };

/// Days before now in which the calls of the source start.
const DAYS: i64 = 3;

struct Trial {
    source: Instance,
    mirror: Instance,
}

/// Fills a mirror that is killed again and again.
///
/// # Errors
/// When something is lost, altered or read too often, or the ledger does not add up.
pub(super) fn run(size: Size) -> Result<()> {
    let folder = fresh_folder("mirror")?;
    let source = Instance::new(PROFILE, folder.join("source"))?;
    let trial = Trial { source, mirror: Instance::new(PROFILE, folder.join("mirror"))? };
    trial.fill_source(size.calls)?;
    let server = trial.source.serve()?;
    trial.add(&server.url)?;
    let mut moments = Moments::new();
    let began = Instant::now();
    ensure!(trial.unharmed()?.contains("records whole"), "the first run says something else");
    let undisturbed = began.elapsed();
    println!("{size:?}, undisturbed {undisturbed:.1?}, {moments:?}");
    trial.start_anew(&server.url)?;
    let mut read = 0;
    for round in 1..=size.kills {
        // Most of the kills come before all is there.
        let moment = moments.within(undisturbed / 4);
        let command =
            if round % 2 == 0 { trial.mirror.serve_command() } else { trial.run_command() };
        trial.killed(command, moment)?;
        let complete = trial.adds_up().with_context(|| format!("round {round}"))?;
        ensure!(complete >= read, "round {round}: {read} records were here, and {complete} are");
        read = complete;
        println!("round {round}: killed after {moment:.0?}, {complete} records are here whole");
    }
    let said = trial.unharmed()?;
    let again = said.split(" rows, ").nth(1).unwrap_or_default();
    println!("the last run: {again}");
    let verified = process::output(&mut trial.mirror.command(&["mirror", "verify", "--deep"]))?;
    ensure!(verified.ends_with("\nequal\n"), "verify says {verified}");
    let [here, there] = [&trial.mirror, &trial.source].map(records);
    let (here, there) = (here?, there?);
    ensure!(here == there, "the stores differ");
    let lines = here.lines().count();
    ensure!(lines == size.calls as usize, "{lines} records of {} are here", size.calls);
    // The control: a comparison that says equal to everything is caught.
    ensure!(here.replacen("\"version\":1", "\"version\":2", 1) != there, "nothing differs");
    println!("{lines} records are equal to the last byte");
    server.stop()
}

impl Trial {
    fn fill_source(&self, calls: u32) -> Result<()> {
        let now = DateTimeOffset::from(SystemTime::now());
        let from = DateTimeOffset(now.0 - DAYS * 86_400 * TICKS_PER_SECOND).to_string();
        let file = self.source.data().with_extension("ndjson");
        let (calls, to) = (calls.to_string(), now.to_string());
        let words = ["simulate", "--calls", &calls, "--seed", "5", "--mix", "bench"];
        let words = [&words[..], &["--from", &from, "--to", &to]].concat();
        let out = std::fs::File::create(&file)?;
        process::run(self.source.command(&words).stdout(out))?;
        self.source.import(&file)
    }

    /// Sets the mirror up.
    fn add(&self, url: &str) -> Result<()> {
        let app = self.source.create_app("mirror", "CallRecords.Read.All")?;
        let words = ["mirror", "add", "contoso", "--tenant", TENANT, "--source", url];
        let of = ["--application", &app.id, "--secret-env", "SOAK_SECRET", "--rate", "off"];
        let words = [&words[..], &of, &["--backfill-days", "4"]].concat();
        process::output(self.mirror.command(&words).env("SOAK_SECRET", &app.secret)).map(drop)
    }

    /// The same mirror with nothing in it.
    fn start_anew(&self, url: &str) -> Result<()> {
        std::fs::remove_dir_all(self.mirror.data())?;
        self.add(url)
    }

    fn run_command(&self) -> Command {
        self.mirror.command(&["mirror", "run", "--until-complete"])
    }

    /// A run that nobody kills; what it says.
    fn unharmed(&self) -> Result<String> {
        process::output(&mut self.run_command())
    }

    fn killed(&self, mut command: Command, moment: Duration) -> Result<()> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(moment);
        // It may be done already.
        drop(child.kill());
        child.wait()?;
        // A lease outlives its holder by half a minute.
        let script = "import sqlite3, sys\n\
                      c = sqlite3.connect(sys.argv[1])\n\
                      c.execute('UPDATE lease SET expires = 0')\n\
                      c.commit()";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(self.mirror.data().join("callvault.db"));
        process::output(&mut python).map(drop)
    }

    /// The file is sound, and whatever was listed is somewhere; how many records are here whole.
    fn adds_up(&self) -> Result<u64> {
        let said = integrity(&self.mirror.data().join("callvault.db"))?;
        ensure!(said.trim() == "ok", "integrity_check says {said}");
        // The exit status says whether something needs attention, which is so in the middle of it.
        let output = self.mirror.command(&["mirror", "status", "--json"]).output()?;
        let status = String::from_utf8(output.stdout)?;
        let of = |name: &str| number(&status, name).with_context(|| format!("no {name}: {status}"));
        let (complete, pending, missing) = (of("complete")?, of("pending")?, of("missing")?);
        ensure!(missing == 0, "{missing} records are missing: {status}");
        let script = "import sqlite3, sys\n\
                      print(sqlite3.connect(sys.argv[1]).execute(\
                      'SELECT count(*) FROM mirror_record').fetchone()[0])";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(self.mirror.data().join("callvault.db"));
        let known: u64 = process::output(&mut python)?.trim().parse()?;
        ensure!(known == complete + pending, "{known} records are known: {status}");
        Ok(complete)
    }
}

/// All records of a store with everything in them.
fn records(of: &Instance) -> Result<String> {
    let words = ["list", "--tenant", TENANT, "--expand", "segments,participants_v2"];
    process::output(&mut of.command(&words))
}
