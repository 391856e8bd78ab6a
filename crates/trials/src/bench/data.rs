//! The stores that are read: filled with simulated calls of a year, and one record of a great meeting.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use odata::primitive::{DateTimeOffset, TICKS_PER_DAY};

use super::{BEGIN, DAYS};
use crate::instance::{Instance, TENANT};
use crate::members;
use xtask::process;
use xtask::repository::{SHIPPED, target};

/// Sessions of the great meeting.
const LARGE_SESSIONS: u32 = 3_000;
/// The id of its record, and what ids of its sessions begin with.
const LARGE: &str = "0a7e0000-0000-4000-8000-000000000000";

/// A store with a list of what is in it.
pub(super) struct FilledStore {
    pub(super) store: Instance,
    /// The ids of its ordinary records, in no order.
    pub(super) ids: PathBuf,
    /// The id of the record of a great meeting.
    pub(super) large: &'static str,
}

/// A store of so many records: the one of an earlier run if it may be, else a new one.
pub(super) fn filled(records: usize, may_be_kept: bool) -> Result<FilledStore> {
    let folder = target().join("made").join(format!("bench-store-{records}"));
    let ids = folder.join("ids");
    let store = Instance::new(SHIPPED, folder.join("data"))?;
    if !(may_be_kept && ids.exists()) {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        println!("a store of {records} records is filled");
        fill(&store, records)?;
        let file = folder.join("large.ndjson");
        write_large(&store, &file)?;
        store.import(&file)?;
        write_ids(&store, &ids)?;
    }
    Ok(FilledStore { store, ids, large: LARGE })
}

/// Puts in the calls of a year. The text of a million records would fill the disk, so it goes through
/// a pipe.
pub(super) fn fill(store: &Instance, records: usize) -> Result<()> {
    let mut import = store.command(&["import", "--tenant", TENANT, "-"]);
    simulated_into(import.stdout(Stdio::null()), store, records)
}

/// Gives a program the calls of a year as its input, day by day, as they come in.
pub(super) fn simulated_into(
    program: &mut Command,
    store: &Instance,
    records: usize,
) -> Result<()> {
    let mut reading = program.stdin(Stdio::piped()).spawn()?;
    let text = OwnedFd::from(reading.stdin.take().context("the input is piped")?);
    let begin = DateTimeOffset::parse(&format!("{BEGIN}T00:00:00Z")).context("a day")?.0;
    let mut given = 0;
    for day in 0..DAYS {
        let at = |day: usize| DateTimeOffset(begin + day as i64 * TICKS_PER_DAY).to_string();
        // What is given by the end of the day, so that roundings don't add up.
        let calls = records * (day + 1) / DAYS - given;
        given += calls;
        let (calls, seed) = (calls.to_string(), (day + 1).to_string());
        let words = ["simulate", "--mix", "bench", "--seed", &seed, "--calls", &calls];
        let mut simulate = store.command(&words);
        simulate.args(["--from", &at(day), "--to", &at(day + 1)]);
        process::run(simulate.stdout(text.try_clone()?))?;
    }
    drop(text);
    ensure!(reading.wait()?.success(), "what was simulated was not taken");
    Ok(())
}

/// Makes a great meeting of a small call: its session so many times, each with an id of its own.
fn write_large(store: &Instance, file: &Path) -> Result<()> {
    let words = ["simulate", "--seed", "3", "--mix", "bench", "--calls", "1"];
    let line = process::output(&mut store.command(&words))?;
    let id = members::text(&line, "id").context("a record has an id")?.to_owned();
    let line = line.trim_end().replace(&id, LARGE);
    let (head, rest) = line.split_once("\"sessions\":[").context("a record has sessions")?;
    let session = first_object(rest).context("a session is an object")?;
    let session_id = members::text(session, "id").context("a session has an id")?;
    let tail = rest.rsplit_once(']').context("sessions end")?.1;
    let mut out = BufWriter::new(File::create(file)?);
    write!(out, "{head}\"sessions\":[")?;
    for number in 0..LARGE_SESSIONS {
        let comma = if number == 0 { "" } else { "," };
        let id = format!("0a7e0000-0000-4000-9000-{number:012}");
        write!(out, "{comma}{}", session.replace(session_id, &id))?;
    }
    writeln!(out, "]{tail}")?;
    Ok(out.flush()?)
}

/// The object that the text begins with. The simulator writes no braces into strings.
fn first_object(text: &str) -> Option<&str> {
    let mut depth = 0;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (place > 0).then(|| &text[..=place]);
        }
    }
    None
}

/// Python's SQLite lists the ids, shuffled, the same for the same records.
fn write_ids(store: &Instance, file: &Path) -> Result<()> {
    let script = "import random, sqlite3, sys\n\
                  rows = sqlite3.connect(sys.argv[1]).execute(\
                  'SELECT id FROM call_record WHERE is_current = 1 AND id <> ? ORDER BY id',\
                  (sys.argv[2],))\n\
                  ids = [row[0] for row in rows]\n\
                  random.Random(1).shuffle(ids)\n\
                  print('\\n'.join(ids))";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(store.data().join("callvault.db")).arg(LARGE);
    Ok(fs::write(file, process::output(&mut python)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_object_ends_with_its_brace() {
        assert_eq!(first_object(r#"{"a":{"b":1}},{"c":2}"#), Some(r#"{"a":{"b":1}}"#));
        assert_eq!(first_object("[]"), None);
        assert_eq!(first_object(r#"{"a":"#), None);
    }
}
