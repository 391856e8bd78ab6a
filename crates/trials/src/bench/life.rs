//! How long the server takes to its first answer, and the memory that it needs idle and under load.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::table::{Range, Row, Unit};
use super::wrk::{Draw, Load, Requests};
use super::{Bench, LOAD, MEASURED, gauge, pinned};
use crate::http::Connection;
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;

/// How long an idle server is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(3);

/// Starts the server several times on the store of the run, and loads it once.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let id = std::fs::read_to_string(&bench.ids)?;
    let path = format!("{CALL_RECORDS}/{}", id.lines().next().unwrap_or_default());
    let (mut starts, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        let mut serve = pinned(MEASURED, &bench.store.serve_command());
        let started = Instant::now();
        let server = ServerProcess::start(serve.env("CALLVAULT_LOG__LEVEL", "warn"))?;
        let (status, _) = Connection::open(&server.url)?.get(&path, &bench.token)?;
        starts.push(started.elapsed().as_secs_f64() * 1e3);
        ensure!(status == 200, "the first answer was {status}");
        std::thread::sleep(IDLE);
        idle.push(gauge::memory(server.id(), "VmRSS")?);
        server.stop()?;
    }
    let row = |case: &str, unit, values, aim| Row {
        case: case.to_owned(),
        unit,
        ours: Range::of(values),
        aim: Some(aim),
        ..Row::of("life")
    };
    let records = bench.settings.records;
    Ok(vec![
        row(&format!("start to first answer, {records} records"), Unit::Millis, starts, 100.0),
        row("memory, idle", Unit::MiB, idle, 20.0),
        row("memory under load, at most", Unit::MiB, vec![under_load(bench)?], 150.0),
    ])
}

/// The most memory there was while records were read expanded and lists were read.
fn under_load(bench: &Bench) -> Result<f64> {
    let server = super::serve(&bench.store)?;
    let lists = bench.folder.join("life-lists.parts");
    std::fs::write(&lists, "?$top=60\n?$filter=type%20eq%20'groupCall'\n?$expand=sessions\n")?;
    let behind = |query: &str| format!("{query} HTTP/1.1\nAuthorization: Bearer {}", bench.token);
    for (name, before, parts, query) in [
        (
            "records",
            format!("GET {CALL_RECORDS}/"),
            &bench.ids,
            "?$expand=sessions($expand=segments)",
        ),
        ("lists", format!("GET {CALL_RECORDS}"), &lists, ""),
    ] {
        let requests = Requests { before, parts, behind: behind(query), draw: Draw::Uniform };
        let script = bench.folder.join(format!("life-{name}.lua"));
        Load::new(script, &server.url, &requests, 64)?.run(10, |wrk| pinned(LOAD, wrk))?;
    }
    let most = gauge::memory(server.id(), "VmHWM")?;
    server.stop()?;
    Ok(most)
}
