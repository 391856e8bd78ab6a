//! Processor time of GET beside a peer: SAP CAP, which serves OData v4 from SQLite, with the same
//! entities and the same records. It checks no token, which is in its favour.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::data::{self, FilledStore};
use super::reads::micros;
use super::table::{Range, Reference, Row};
use super::wrk::{Draw, Load, Requests};
use super::{Bench, MEASURED, gauge, pinned, serve, windows};
use crate::http::Connection;
use crate::members;
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;
use xtask::process;
use xtask::repository::{root, target};

/// Records that both have: so many that CAP takes them in within minutes.
const RECORDS: usize = 20_000;
/// Of these so many are compared.
const COMPARED: usize = 20;
const CONNECTIONS: usize = 32;
/// Seconds of each load until Node.js has compiled what it runs.
const WARMING: u32 = 20;
/// Where CAP has its entity set.
const THEIR_COLLECTION: &str = "/odata/v4/communications/callRecords";
const EXPANDED: &str = "?$expand=sessions($expand=segments)";
/// What a peer is made of, besides what npm has.
const FILES: [&str; 5] =
    ["package.json", "package-lock.json", "load.js", "serve.js", "srv/call-records.cds"];

/// A form of GET as both are asked for it, and what was measured.
struct Pair {
    name: &'static str,
    aim: f64,
    ours: Load,
    theirs: Load,
    /// Of each round: ours, theirs.
    micros: Vec<(f64, f64)>,
}

/// Measures three forms of GET by turns.
pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let filled = data::filled(RECORDS, true)?;
    let folder = installed(&filled)?;
    let ours = serve(&filled.store)?;
    let theirs = ServerProcess::start(&mut pinned(MEASURED, &node(&folder, "serve.js")))?;
    let token = filled.store.token("CallRecords.Read.All")?;
    ensure_same(&filled, &ours, &theirs, &token)?;
    let mut pairs = pairs(bench, &filled, &ours, &theirs, &token)?;
    for pair in &pairs {
        micros(&pair.theirs, theirs.id(), WARMING)?;
    }
    for _ in 0..bench.settings.rounds {
        gauge::wait_until_quiet()?;
        for pair in &mut pairs {
            let (of_ours, _) = micros(&pair.ours, ours.id(), bench.settings.seconds)?;
            let (of_theirs, _) = micros(&pair.theirs, theirs.id(), bench.settings.seconds)?;
            pair.micros.push((of_ours, of_theirs));
        }
    }
    ours.stop()?;
    Ok(pairs.into_iter().map(row).collect())
}

fn row(pair: Pair) -> Row {
    let (ours, theirs) = pair.micros.into_iter().unzip();
    Row {
        case: pair.name.to_owned(),
        ours: Range::of(ours),
        reference: Some(Reference { name: "CAP".to_owned(), range: Range::of(theirs) }),
        aim: Some(pair.aim),
        ..Row::of("peers")
    }
}

/// The peer with its packages and its database, made once.
fn installed(filled: &FilledStore) -> Result<PathBuf> {
    let folder = target().join("made").join("peer-cap");
    let is_loaded = folder.join("is-loaded");
    if is_loaded.exists() {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for file in FILES {
        let copy = folder.join(file);
        fs::create_dir_all(copy.parent().unwrap_or(&folder))?;
        fs::copy(root().join("crates/trials/peers/cap").join(file), copy)?;
    }
    process::run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    println!("{RECORDS} records are put into CAP");
    let mut load = node(&folder, "load.js");
    data::simulated_into(load.stdout(Stdio::null()), &filled.store, RECORDS)?;
    fs::write(is_loaded, "")?;
    Ok(folder)
}

fn node(folder: &Path, script: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(folder.join(script)).env("NODE_ENV", "production");
    node
}

/// Both have the same records, with what is in them.
fn ensure_same(
    filled: &FilledStore,
    ours: &ServerProcess,
    theirs: &ServerProcess,
    token: &str,
) -> Result<()> {
    let ask = |url: &str, path: &str| -> Result<String> {
        let (status, body) = Connection::open(url)?.get(path, token)?;
        ensure!(status == 200, "{path}: {status} {body:.300}");
        Ok(body)
    };
    for id in fs::read_to_string(&filled.ids)?.lines().take(COMPARED) {
        let ours = ask(&ours.url, &format!("{CALL_RECORDS}/{id}{EXPANDED}"))?;
        let theirs = ask(&theirs.url, &format!("{THEIR_COLLECTION}({id}){EXPANDED}"))?;
        for name in ["id", "type", "displayName", "ipAddress", "maxJitter"] {
            let values = [&ours, &theirs].map(|body| members::text(body, name));
            ensure!(values[0] == values[1], "{name} of {id}: {values:?}");
        }
    }
    Ok(())
}

fn pairs(
    bench: &Bench,
    filled: &FilledStore,
    ours: &ServerProcess,
    theirs: &ServerProcess,
    token: &str,
) -> Result<Vec<Pair>> {
    let pages = bench.folder.join("peers.parts");
    fs::write(&pages, windows().collect::<Vec<_>>().join("\n"))?;
    let mut pairs = Vec::new();
    for (name, aim, parts, before, their_before, query, their_query) in [
        ("GET by id", 6.0, &filled.ids, "/", "(", "", ")"),
        ("GET expanded", 10.0, &filled.ids, "/", "(", EXPANDED, &format!("){EXPANDED}")),
        ("filtered list page of 60", 20.0, &pages, "?$filter=", "?$filter=", "", ""),
    ] {
        let load = |whose: &str, url: &str, before: String, query: &str| {
            let script = bench.folder.join(format!("peers-{}-{whose}.lua", pairs.len()));
            let behind = format!("{query} HTTP/1.1\nAuthorization: Bearer {token}");
            let requests = Requests { before, parts, behind, draw: Draw::Uniform };
            Load::new(script, url, &requests, CONNECTIONS)
        };
        let at_ours = load("ours", &ours.url, format!("GET {CALL_RECORDS}{before}"), query)?;
        let before = format!("GET {THEIR_COLLECTION}{their_before}");
        let at_theirs = load("cap", &theirs.url, before, their_query)?;
        pairs.push(Pair { name, aim, ours: at_ours, theirs: at_theirs, micros: Vec::new() });
    }
    Ok(pairs)
}
