//! kill -9 during an import, at random moments. Afterwards everything that was acknowledged is there,
//! the file is sound, and importing the same again completes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use crate::http::Connection;
use crate::instance::{Instance, TENANT};
use crate::members::{number, text};
use crate::paths::{CALL_RECORDS, IMPORT};
use xtask::process;
use xtask::repository::{PROFILE, fresh_folder};

/// Records of an import.
const RECORDS: u32 = 4_000;

/// What the server said of each record version: its status, by id and version.
type Ledger = BTreeMap<(String, u64), String>;

/// Runs that many rounds on one store: odd ones kill a server that takes an import over HTTP, even
/// ones an import by the command line.
///
/// # Errors
/// When something that was acknowledged is gone, the file is unsound, or the re-run doesn't
/// complete.
pub(super) fn rounds(rounds: u32) -> Result<()> {
    let folder = fresh_folder("kill")?;
    let store = Instance::new(PROFILE, folder.join("data"))?;
    let trial = Trial { records: folder.join("records.ndjson"), store };
    let mut moments = Moments::new();
    let undisturbed = trial.undisturbed()?;
    println!("{rounds} rounds of {RECORDS} records, undisturbed {undisturbed:.1?}, {moments:?}");
    for round in 1..=rounds {
        trial.store.simulate(RECORDS, round, "bench", &trial.records)?;
        let moment = moments.within(undisturbed);
        let told = if round % 2 == 1 { trial.server(moment) } else { trial.importer(moment) };
        let told = told.with_context(|| format!("round {round}, killed after {moment:?}"))?;
        println!("round {round}: killed after {moment:.0?}, {told}");
    }
    Ok(())
}

struct Trial {
    store: Instance,
    records: PathBuf,
}

impl Trial {
    /// How long an import takes when nobody kills it.
    fn undisturbed(&self) -> Result<Duration> {
        self.store.simulate(RECORDS, 0, "bench", &self.records)?;
        let started = Instant::now();
        self.store.import(&self.records)?;
        Ok(started.elapsed())
    }

    /// Kills a server while it takes an import over HTTP.
    fn server(&self, moment: Duration) -> Result<String> {
        let body = fs::read(&self.records)?;
        let (writer, reader) =
            (self.store.token("CallRecords.Write.All")?, self.store.token("CallRecords.Read.All")?);

        let mut server = self.store.serve()?;
        let id = server.id().to_string();
        let mut acknowledged = Ledger::new();
        let outcome = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(moment);
                process::works("kill", &["-KILL", &id])
            });
            post(&self.store, &writer, &body, &mut acknowledged)
        });
        server.kill()?;
        // An import that was over before the blow is as good a round as one that was cut off.
        let cut_off = if outcome.is_err() { "in the import" } else { "after it" };

        let server = self.store.serve().context("the server does not come back")?;
        self.all_there(&acknowledged, &reader)?;
        let mut again = Ledger::new();
        post(&self.store, &writer, &body, &mut again).context("the re-run")?;
        completes(&acknowledged, &again)?;
        self.all_there(&again, &reader)?;
        server.stop()?;
        self.is_sound()?;
        Ok(format!("{cut_off}, {} of {} acknowledged", acknowledged.len(), again.len()))
    }

    /// Kills an import by the command line.
    fn importer(&self, moment: Duration) -> Result<String> {
        let words = ["import", "--tenant", TENANT];
        let mut import = self.store.command(&words);
        let import = import.arg(&self.records).stdout(Stdio::null()).stderr(Stdio::null());
        let mut import = import.spawn()?;
        std::thread::sleep(moment);
        import.kill()?;
        import.wait()?;
        self.is_sound()?;
        let again = process::output(self.store.command(&words).arg(&self.records))?;
        let once_more = process::output(self.store.command(&words).arg(&self.records))?;
        ensure!(once_more.contains("\"created\":0"), "the re-run was not complete: {once_more}");
        self.is_sound()?;
        Ok(format!("the importer, the re-run says {}", again.trim()))
    }

    /// Every record is there, in its version or a later one; and one that never came is not, so
    /// that a server which says yes to everything is caught.
    fn all_there(&self, ledger: &Ledger, token: &str) -> Result<()> {
        let mut connection = Connection::open(&self.store.url())?;
        let mut get = |id: &str| connection.get(&format!("{CALL_RECORDS}/{id}"), token);
        let (status, _) = get("00000000-0000-4000-8000-000000000000")?;
        ensure!(status == 404, "a record that never came: {status}");
        for (id, version) in ledger.keys() {
            let (status, body) = get(id)?;
            ensure!(status == 200, "record {id} was acknowledged and is gone: {status}");
            let there = number(&body, "version").context("the answer has no version")?;
            ensure!(there >= *version, "record {id}: version {version} was acknowledged, {there}");
        }
        Ok(())
    }

    /// SQLite's own check of the file, by a program that is not ours.
    fn is_sound(&self) -> Result<()> {
        let said = integrity(&self.store.data().join("callvault.db"))?;
        ensure!(said.trim() == "ok", "integrity_check says {said}");
        Ok(())
    }
}

/// What SQLite says of a file, asked by a program that is not ours.
pub(super) fn integrity(file: &Path) -> Result<String> {
    let check = "import sqlite3, sys\n\
                 print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])";
    process::output(Command::new("python3").args(["-c", check]).arg(file))
}

/// Imports over HTTP and writes down what is acknowledged.
fn post(store: &Instance, token: &str, body: &[u8], ledger: &mut Ledger) -> Result<()> {
    let connection = Connection::open(&store.url())?;
    let mut refused = Vec::new();
    let status = connection.post_lines(IMPORT, token, body, |line| match acknowledged(line) {
        Some((key, status)) => {
            ledger.insert(key, status);
        }
        None => refused.push(line.to_owned()),
    })?;
    ensure!(status == 200, "the import answers {status}: {refused:?}");
    if let Some(line) = refused.first() {
        bail!("{} lines were refused, the first: {line}", refused.len());
    }
    Ok(())
}

/// Id, version and status of a line that says a record was taken.
fn acknowledged(line: &str) -> Option<((String, u64), String)> {
    let status = text(line, "status").filter(|status| *status != "rejected")?;
    Some(((text(line, "id")?.to_owned(), number(line, "version")?), status.to_owned()))
}

/// The re-run knows what was acknowledged, word for word, and takes all that was not.
fn completes(acknowledged: &Ledger, again: &Ledger) -> Result<()> {
    for (record, status) in acknowledged {
        let now = again.get(record).with_context(|| format!("{record:?} has no line"))?;
        ensure!(now == "unchanged", "{record:?} was {status} and is {now} in the re-run");
    }
    Ok(())
}

/// Random moments (xorshift), begun from the clock and told, so that a run can be looked into.
#[derive(Debug)]
pub(super) struct Moments {
    state: u64,
}

impl Moments {
    pub(super) fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { state: now.as_nanos() as u64 | 1 }
    }

    /// A moment from the beginning to a little beyond the end.
    pub(super) fn within(&mut self, time: Duration) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        time.mul_f64((self.state % 1100) as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_a_taken_record_is_an_acknowledgement() {
        let line = r#"{"line":3,"id":"a-b","version":12,"status":"replaced"}"#;
        assert_eq!(acknowledged(line), Some((("a-b".into(), 12), "replaced".into())));
    }

    #[test]
    fn line_of_a_refused_record_is_none() {
        let line = r#"{"line":3,"id":"a-b","version":1,"status":"rejected","error":{}}"#;
        assert_eq!(acknowledged(line), None);
        assert_eq!(acknowledged("{\"error\":{\"code\":\"x\"}}"), None);
    }

    #[test]
    fn what_was_acknowledged_must_be_unchanged_in_the_re_run() {
        let ledger = |status: &str| Ledger::from([(("a".to_owned(), 1), status.to_owned())]);
        assert!(completes(&ledger("created"), &ledger("unchanged")).is_ok());
        assert!(completes(&ledger("created"), &ledger("created")).is_err());
        assert!(completes(&ledger("created"), &Ledger::new()).is_err());
    }
}
