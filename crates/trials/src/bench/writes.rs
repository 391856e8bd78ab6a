//! Records a second into the store: from a file by the command line, as one stream over HTTP, and one
//! by one from several writers. Imports are compared to the same text put into a bare table with
//! commits of the same size, several writers to one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::table::{Range, Reference, Row, Unit};
use super::{Bench, MEASURED, gauge, pinned};
use crate::http::Connection;
use crate::instance::{Instance, TENANT};
use crate::paths::CALL_RECORDS;
use xtask::process;
use xtask::repository::SHIPPED;

/// Records of an import.
const RECORDS: u32 = 20_000;
/// Records that a commit of the bare table holds: as many as the store's largest.
const COMMIT: u32 = 1_000;
/// How many write at once.
const WRITERS: [usize; 3] = [1, 8, 64];
/// How long they do.
const WRITING: Duration = Duration::from_secs(3);

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

/// Measures imports and single writes.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let folder = bench.folder.join("writes");
    fs::create_dir_all(&folder)?;
    let records = folder.join("records.ndjson");
    bench.store.simulate(RECORDS, 2, "bench", &records)?;
    let mut rows = imports(bench, &folder, &records)?;
    rows.extend(single(bench, &folder, &records)?);
    Ok(rows)
}

/// Each round has a new store for either way, and a bare table.
fn imports(bench: &Bench, folder: &Path, records: &Path) -> Result<Vec<Row>> {
    let (mut by_command, mut by_http, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept = 0;
    for round in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        let store = Instance::new(SHIPPED, folder.join(format!("import-{round}")))?;
        let mut import = store.command(&["import", "--tenant", TENANT]);
        by_command.push(rate(&mut pinned(MEASURED, import.arg(records)), RECORDS)?);
        kept = stored(store.data())?;
        let store = Instance::new(SHIPPED, folder.join(format!("post-{round}")))?;
        by_http.push(post_all(&store, records)?);
        let file = folder.join(format!("bare-{round}.db"));
        let mut python = Command::new("python3");
        python.args(["-c", BARE]).arg(&file).arg(records).arg(COMMIT.to_string());
        let seconds = process::output(&mut pinned(MEASURED, &python))?;
        bare.push(f64::from(RECORDS) / seconds.trim().parse::<f64>()?);
        for made in [folder.join(format!("import-{round}")), store.data().to_owned()] {
            fs::remove_dir_all(made)?;
        }
        fs::remove_file(file)?;
    }
    let reference = Reference { name: "bare insert".to_owned(), range: Range::of(bare) };
    let row = |case: &str, rates| Row {
        case: case.to_owned(),
        unit: Unit::PerSecond,
        ours: Range::of(rates),
        reference: Some(reference.clone()),
        aim: Some(0.4),
        ..Row::of("writes")
    };
    let text = fs::metadata(records)?.len() as f64 / f64::from(RECORDS);
    let disk = Row {
        case: "bytes on disk of a record".to_owned(),
        unit: Unit::Bytes,
        ours: Range::of(vec![kept as f64 / f64::from(RECORDS)]),
        reference: Some(Reference { name: "JSON".to_owned(), range: Range::of(vec![text]) }),
        ..Row::of("writes")
    };
    Ok(vec![row("import by the command line", by_command), row("import over HTTP", by_http), disk])
}

/// Records a second of one stream over HTTP, until the line of the last one is back.
fn post_all(store: &Instance, records: &Path) -> Result<f64> {
    let body = fs::read(records)?;
    let server = super::serve(store)?;
    let token = store.token("CallRecords.Write.All")?;
    let mut lines = 0;
    let started = Instant::now();
    let path = format!("{CALL_RECORDS}/callvault.import");
    let connection = Connection::open(&server.url)?;
    let status = connection.post_lines(&path, &token, &body, |_| lines += 1)?;
    let took = started.elapsed().as_secs_f64();
    ensure!(status == 200 && lines >= RECORDS, "{status} with {lines} lines");
    server.stop()?;
    Ok(f64::from(RECORDS) / took)
}

/// Writers that each wait for their answer before they send the next record.
fn single(bench: &Bench, folder: &Path, records: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(records)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut rates = vec![Vec::new(); WRITERS.len()];
    for round in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        for (writers, rates) in WRITERS.into_iter().zip(&mut rates) {
            let data = folder.join(format!("single-{round}-{writers}"));
            rates.push(write(data, &lines, writers)?);
        }
    }
    let [one, more @ ..] = rates.as_slice() else { return Ok(Vec::new()) };
    let reference = Reference { name: "1 writer".to_owned(), range: Range::of(one.clone()) };
    let row = |writers: usize, rates: &[f64]| Row {
        case: format!("POST one by one, {writers} writers"),
        unit: Unit::PerSecond,
        ours: Range::of(rates.to_vec()),
        reference: Some(reference.clone()),
        aim: (writers == 64).then_some(10.0),
        ..Row::of("writes")
    };
    Ok(WRITERS[1..].iter().zip(more).map(|(writers, rates)| row(*writers, rates)).collect())
}

fn write(data: PathBuf, lines: &[&str], writers: usize) -> Result<f64> {
    let store = Instance::new(SHIPPED, data.clone())?;
    let server = super::serve(&store)?;
    let token = store.token("CallRecords.Write.All")?;
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let writer = || -> Result<()> {
        let mut connection = Connection::open(&server.url)?;
        while started.elapsed() < WRITING {
            let line =
                lines.get(next.fetch_add(1, Ordering::Relaxed)).context("too few records")?;
            let (status, answer) = connection.post(CALL_RECORDS, &token, line)?;
            ensure!(status == 201, "{status} {answer:.300}");
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..writers).map(|_| scope.spawn(writer)).collect();
        all.into_iter().try_for_each(|one| one.join().expect("a writer does not panic"))
    })?;
    let rate = next.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    server.stop()?;
    fs::remove_dir_all(data)?;
    Ok(rate)
}

/// Records a second of a program that takes so many.
pub(super) fn rate(command: &mut Command, records: u32) -> Result<f64> {
    let started = Instant::now();
    process::output(command)?;
    Ok(f64::from(records) / started.elapsed().as_secs_f64())
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
