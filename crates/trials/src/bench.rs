//! Speed and size as ratios to something else in the same run, so that they mean the same on every
//! machine: reads to nginx serving the same bytes, imports to a bare SQLite table that gets the same
//! text, bytes on disk to the bytes of the JSON, queries to SQL written by hand on the same file. The
//! server has one core, the load another.

mod columns;
mod data;
mod gauge;
mod instructions;
mod life;
mod nginx;
mod notify;
mod peers;
mod postgres;
mod profiles;
mod queries;
mod reads;
mod report;
mod sizes;
mod table;
mod writes;
mod wrk;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use odata::primitive::{DateTimeOffset, TICKS_PER_DAY};

use self::data::FilledStore;
use self::table::Row;
use crate::instance::Instance;
use crate::server_process::ServerProcess;
use xtask::process;
use xtask::repository::{SHIPPED, fresh_folder, root};

/// Records of the store that is read, unless told otherwise.
const RECORDS: usize = 1_000_000;
/// The calls start on this day and those behind it.
const BEGIN: &str = "2025-11-01";
const DAYS: usize = 365;
/// The core of whatever is measured, and that of the load generator.
const MEASURED: &str = "0";
const LOAD: &str = "1";
/// Pages of lists that are asked for.
const PAGES: usize = 200;
/// How often a role is named in the token, so that it has the 1.5 KB of those of large issuers.
const ROLES_IN_TOKEN: usize = 12;

/// What a run of the benchmarks has.
struct Bench {
    folder: PathBuf,
    store: Instance,
    ids: PathBuf,
    large: &'static str,
    token: String,
    settings: Settings,
}

/// What the command line says.
struct Settings {
    records: usize,
    rounds: usize,
    /// Of a run of the load.
    seconds: u32,
    /// The stores of an earlier run will do.
    keep: bool,
    parts: Vec<String>,
}

impl Settings {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut settings =
            Self { records: RECORDS, rounds: 5, seconds: 3, keep: false, parts: Vec::new() };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut number = || words.next().with_context(|| format!("{word} needs a number"));
            match word.as_str() {
                "--records" => settings.records = number()?.parse()?,
                "--rounds" => settings.rounds = number()?.parse()?,
                "--seconds" => settings.seconds = number()?.parse()?,
                "--keep" => settings.keep = true,
                part if PARTS.contains(&part) => settings.parts.push(part.to_owned()),
                other => bail!("no benchmark {other}; there are {}", PARTS.join(", ")),
            }
        }
        if settings.parts.is_empty() {
            settings.parts = PARTS.map(str::to_owned).into();
        }
        Ok(settings)
    }
}

/// The parts of the benchmark, in the order of the report.
const PARTS: [&str; 11] = [
    "reads", "sizes", "tls", "writes", "notify", "life", "queries", "columns", "postgres", "peers",
    "profiles",
];

/// `bench [--records N] [--rounds N] [--seconds N] [--keep] [PART...]`: all parts unless some are named.
/// `bench backlog N` fills a queue of so many messages; `bench instructions [--note]` counts what each
/// stage takes and compares it to what is noted, or notes it; `bench report` writes the report anew.
///
/// # Errors
/// When a program that it needs is missing, or something fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let [name, messages] = arguments
        && name == "backlog"
    {
        build()?;
        return notify::backlog(&fresh_folder("bench-backlog")?, messages.parse()?);
    }
    if let [name] = arguments
        && name == "report"
    {
        let rows = table::read(&root().join("docs/benchmarks.tsv"))?;
        return report::write(&root().join("docs"), &rows);
    }
    if let Some((name, rest)) = arguments.split_first()
        && name == "instructions"
    {
        return instructions::measure(rest.iter().any(|word| word == "--note"));
    }
    let settings = Settings::read(arguments)?;
    let all = ["taskset", "python3", "wrk", "nginx", "node", "npm"];
    let is_small = settings.parts == ["profiles"] || settings.parts == ["columns"];
    let needs = if is_small { &all[..3] } else { &all[..] };
    for program in needs {
        if Command::new(program).arg("-v").output().is_err() {
            bail!(
                "the benchmarks need {program} (Debian: util-linux, python3, nginx-light, wrk, nodejs, npm)"
            );
        }
    }
    build()?;
    let FilledStore { store, ids, large } = data::filled(settings.records, settings.keep)?;
    let token = store.token_of(&["CallRecords.Read.All"; ROLES_IN_TOKEN])?;
    let bench = Bench { folder: fresh_folder("bench")?, store, ids, large, token, settings };
    let file = root().join("docs/benchmarks.tsv");
    let mut rows = table::read(&file)?;
    for part in &bench.settings.parts {
        let measured = match part.as_str() {
            "reads" => reads::measure(&bench)?,
            "sizes" => sizes::measure(&bench)?,
            "tls" => reads::measure_tls(&bench)?,
            "writes" => writes::measure(&bench)?,
            "notify" => notify::measure(&bench)?,
            "life" => life::measure(&bench)?,
            "queries" => queries::measure(&bench)?,
            "columns" => columns::measure(&bench)?,
            "postgres" => postgres::measure(&bench)?,
            "peers" => peers::measure(&bench)?,
            "profiles" => profiles::measure(&bench)?,
            _ => unreachable!("parts are checked when they are read"),
        };
        print!("{}", table::markdown(measured.iter()));
        rows.retain(|row: &Row| row.part != *part);
        rows.extend(measured);
        rows.sort_by_key(|row| PARTS.iter().position(|part| row.part == *part));
        table::write(&file, &rows)?;
        report::write(&root().join("docs"), &rows)?;
    }
    Ok(())
}

/// Builds the program as it is shipped.
fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    process::run(cargo.args(["build", "--profile", SHIPPED]).current_dir(root()))
}

/// The server on a core, writing no line for each request.
fn serve(store: &Instance) -> Result<ServerProcess> {
    let mut serve = pinned(MEASURED, &store.serve_command());
    ServerProcess::start(serve.env("CALLVAULT_LOG__LEVEL", "warn"))
}

/// A command, kept on one core.
fn pinned(core: &str, command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", core]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => pinned.env(name, value),
            None => pinned.env_remove(name),
        };
    }
    pinned
}

/// Weeks of the year that the records are of, as conditions.
fn windows() -> impl Iterator<Item = String> {
    let start = DateTimeOffset::parse(&format!("{BEGIN}T00:00:00Z")).expect("a time").0;
    (0..PAGES as i64).map(move |day| {
        let at = |day: i64| DateTimeOffset(start + day * TICKS_PER_DAY);
        let (from, to) = (at(day), at(day + 7));
        format!("startDateTime%20ge%20{from}%20and%20startDateTime%20lt%20{to}")
    })
}

/// The middle one of an odd number of measurements.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_one() {
        assert!((median(vec![9.0, 1.0, 3.0]) - 3.0).abs() < f64::EPSILON);
    }
}
