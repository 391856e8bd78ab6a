//! Processor time of GET in its forms, against nginx serving the same bytes with the same header lines
//! from files. The server has one core, the load another.

pub(super) mod cases;

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use self::cases::Case;
use super::gauge;
use super::nginx::{Nginx, Site};
use super::table::{Range, Reference, Row};
use super::wrk::Load;
use super::{Bench, LOAD, MEASURED, pinned};
use crate::http::{Ask, Connection};
use crate::instance::Tls;
use crate::server_process::ServerProcess;

/// Kept connections.
const CONNECTIONS: usize = 32;

/// A case with what asks for it on both sides.
struct Pair {
    case: Case,
    ours: Load,
    theirs: Load,
    /// Of each round: ours, theirs.
    micros: Vec<(f64, f64)>,
    latency: Vec<[f64; 3]>,
}

/// Measures all forms by turns.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let folder = bench.folder.join("reads");
    let server = super::serve(&bench.store)?;
    let cases = cases::all(bench, &server, &folder)?;
    let lines = cases::header_lines(bench, &server)?;
    let site = Site::new(&folder.join("site"), &lines)?;
    for case in &cases {
        case.save(&site)?;
    }
    let mut rows = run(bench, cases, &folder, &server, &site.serve(MEASURED, None)?)?;
    server.stop()?;
    let range_of = |case: &str| rows.iter().find(|row| row.case == case).map(|row| row.ours);
    if let (Some(deep), Some(first)) = (range_of(cases::DEEP), range_of(cases::FIRST)) {
        rows.push(Row {
            case: "a page deep in all records".to_owned(),
            ours: deep,
            reference: Some(Reference { name: "first pages".to_owned(), range: first }),
            aim: Some(0.95),
            ..Row::of("reads")
        });
    }
    Ok(rows)
}

/// The plain forms once more, by TLS on both sides.
pub(super) fn measure_tls(bench: &Bench) -> Result<Vec<Row>> {
    let folder = bench.folder.join("reads-tls");
    let plain = super::serve(&bench.store)?;
    let cases = cases::plain(bench, &plain, &folder)?;
    let lines = cases::header_lines(bench, &plain)?;
    plain.stop()?;
    let site = Site::new(&folder.join("site"), &lines)?;
    for case in &cases {
        case.save(&site)?;
    }
    let tls = certificate(&folder)?;
    // At the address that the token is for.
    let server = super::serve(&bench.store.clone_with_tls(tls.clone()))?;
    let rows = run(bench, cases, &folder, &server, &site.serve(MEASURED, Some(&tls))?)?;
    server.stop()?;
    let by_tls = |row: Row| Row { part: "tls".to_owned(), aim: None, ..row };
    Ok(rows.into_iter().map(by_tls).collect())
}

/// A certificate for localhost that signs itself.
fn certificate(folder: &Path) -> Result<Tls> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let tls = Tls { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    fs::write(&tls.certificate, made.cert.pem())?;
    fs::write(&tls.key, made.signing_key.serialize_pem())?;
    Ok(tls)
}

fn run(
    bench: &Bench,
    cases: Vec<Case>,
    folder: &Path,
    server: &ServerProcess,
    nginx: &Nginx,
) -> Result<Vec<Row>> {
    let mut pairs = Vec::new();
    for (number, case) in cases.into_iter().enumerate() {
        let script = |whose: &str| folder.join(format!("{number}-{whose}.lua"));
        let ours = Load::new(script("ours"), &server.url, &case.ours(), CONNECTIONS)?;
        let theirs = Load::new(script("nginx"), &nginx.url, &case.theirs(), CONNECTIONS)?;
        pairs.push(Pair { case, ours, theirs, micros: Vec::new(), latency: Vec::new() });
    }
    for round in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        for pair in &mut pairs {
            let (ours, latency) = micros(&pair.ours, server.id(), bench.settings.seconds)?;
            let (theirs, _) = micros(&pair.theirs, nginx.worker, bench.settings.seconds)?;
            println!("round {round} {:<40} {ours:>8.1} µs  nginx {theirs:>8.1} µs", pair.case.name);
            pair.micros.push((ours, theirs));
            pair.latency.push(latency);
        }
    }
    Ok(pairs.into_iter().map(row).collect())
}

/// Microseconds of a process for each request of a load, and the latencies of these.
pub(super) fn micros(load: &Load, process: u32, seconds: u32) -> Result<(f64, [f64; 3])> {
    let before = gauge::cpu(process)?;
    let outcome = load.run(seconds, |wrk| pinned(LOAD, wrk))?;
    let took = gauge::cpu(process)? - before;
    ensure!(outcome.requests > 0.0, "no answer at all");
    Ok((took / outcome.requests * 1e6, outcome.latency))
}

fn row(pair: Pair) -> Row {
    let (ours, theirs) = pair.micros.into_iter().unzip();
    let latency = [0, 1, 2]
        .map(|place| super::median(pair.latency.iter().map(|latency| latency[place]).collect()));
    Row {
        case: pair.case.name,
        ours: Range::of(ours),
        reference: Some(Reference { name: "nginx".to_owned(), range: Range::of(theirs) }),
        aim: pair.case.aim,
        latency: Some(latency),
        ..Row::of("reads")
    }
}

/// Asks the server for something with the token of the run.
fn get(connection: &mut Connection, bench: &Bench, path: &str) -> Result<crate::http::Answer> {
    let answer = connection.ask(&Ask { path, token: &bench.token, prefer: "", body: None })?;
    ensure!(answer.status == 200, "{path}: {} {:.300}", answer.status, answer.body);
    Ok(answer)
}
