//! Records a second into the store, against the same text into a bare table with commits of the same
//! size, and the bytes that both keep.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use super::{MEASURED, RECORDS, median, pinned};
use crate::instance::{Instance, TENANT};
use crate::process;

/// Records that a commit of the bare table holds: as many as the store's largest.
const COMMIT: u32 = 1_000;

/// Python's SQLite, which is C but for the loop: WAL, synchronous=FULL, one column with the text as
/// it came and no index. Reading the file is not counted. Prints the seconds.
const BARE: &str = r#"
import sqlite3, sys, time
file, lines, commit = sys.argv[1], open(sys.argv[2], encoding="utf-8").read().splitlines(), int(sys.argv[3])
rows = [(line,) for line in lines]
store = sqlite3.connect(file, isolation_level=None)
store.execute("PRAGMA journal_mode=WAL")
store.execute("PRAGMA synchronous=FULL")
store.execute("CREATE TABLE record (json TEXT)")
began = time.perf_counter()
for start in range(0, len(rows), commit):
    store.execute("BEGIN IMMEDIATE")
    store.executemany("INSERT INTO record VALUES (?)", rows[start:start + commit])
    store.execute("COMMIT")
print(time.perf_counter() - began)
"#;

/// Imports into a new store and into bare tables, by turns, three times; leaves the store full.
pub(super) fn measure(store: &Instance, records: &Path, folder: &Path) -> Result<()> {
    let mut ours = Vec::new();
    let mut bare = Vec::new();
    for turn in 0..3 {
        if turn > 0 {
            fs::remove_dir_all(store.data())?;
        }
        let mut import = store.command(&["import", "--tenant", TENANT]);
        import.arg(records);
        let started = Instant::now();
        process::output(&mut pinned(MEASURED, &import))?;
        ours.push(f64::from(RECORDS) / started.elapsed().as_secs_f64());

        let file = folder.join(format!("bare-{turn}.db"));
        let mut python = Command::new("python3");
        python.args(["-c", BARE]).arg(&file).arg(records).arg(COMMIT.to_string());
        let seconds = process::output(&mut pinned(MEASURED, &python))?;
        bare.push(f64::from(RECORDS) / seconds.trim().parse::<f64>()?);
    }
    let (ours, bare) = (median(ours), median(bare));
    println!(
        "import         {ours:>9.0} records/s  bare SQLite {bare:>9.0}  ratio {:.2}",
        ours / bare
    );
    let text = fs::metadata(records)?.len() as f64;
    let kept = stored(store.data())? as f64;
    println!(
        "disk           {:>9.0} bytes/record  JSON {:>9.0}  ratio {:.2}",
        kept / f64::from(RECORDS),
        text / f64::from(RECORDS),
        kept / text
    );
    Ok(())
}

/// Bytes of the database with its log.
fn stored(data: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(data).context("no data folder")? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("callvault.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
