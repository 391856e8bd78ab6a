//! Speed and size as ratios to something else in the same run, so that they mean the same on every
//! machine: reads to nginx serving the same bytes, imports to a bare SQLite table that gets the same
//! text, bytes on disk to the bytes of the JSON, queries to SQL written by hand on the same file. The
//! server has one core, the load another.

mod imports;
mod notify;
mod postgres;
mod queries;
mod reads;

use std::process::Command;

use anyhow::{Result, bail};

use crate::instance::Instance;
use crate::process;
use crate::repository::{fresh_folder, root};

/// Records that are imported and then read.
const RECORDS: u32 = 20_000;
/// The core of whatever is measured, and that of the load generator.
const MEASURED: &str = "0";
const LOAD: &str = "1";

/// `bench [imports] [reads]`: both unless one is named. Reads need the records of imports, which
/// run in any case. `bench queries [RECORDS]` fills stores of up to a million records, or so many;
/// `bench notify [BACKLOG]` tells receivers, and queues a million messages, or so many;
/// `bench postgres [RECORDS]` reads and imports a hundred thousand records, or so many.
///
/// # Errors
/// When a program that it needs is missing, or something fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let Some((name, most)) = arguments.split_first()
        && name == "queries"
    {
        let most = most.first().map_or(Ok(u32::MAX), |most| most.parse())?;
        process::run(Command::new("cargo").args(["build", "--release"]).current_dir(root()))?;
        return queries::measure(&fresh_folder("bench-queries")?, most);
    }
    if let Some((name, backlog)) = arguments.split_first()
        && name == "notify"
    {
        let backlog = backlog.first().map_or(Ok(1_000_000), |backlog| backlog.parse())?;
        process::run(Command::new("cargo").args(["build", "--release"]).current_dir(root()))?;
        return notify::measure(&fresh_folder("bench-notify")?, backlog);
    }
    if let Some((name, records)) = arguments.split_first()
        && name == "postgres"
    {
        let records = records.first().map_or(Ok(100_000), |records| records.parse())?;
        process::run(Command::new("cargo").args(["build", "--release"]).current_dir(root()))?;
        return postgres::measure(&fresh_folder("bench-postgres")?, records);
    }
    if let Some(name) = arguments.iter().find(|name| !["imports", "reads"].contains(&name.as_str()))
    {
        bail!("no benchmark {name}");
    }
    for program in ["taskset", "python3"] {
        if !process::works(program, &["--version"]) {
            bail!("the benchmarks need {program}");
        }
    }
    process::run(Command::new("cargo").args(["build", "--release"]).current_dir(root()))?;
    let folder = fresh_folder("bench")?;
    let store = Instance::new("release", folder.join("data"))?;
    let records = folder.join("records.ndjson");
    store.simulate(RECORDS, 1, "bench", &records)?;
    imports::measure(&store, &records, &folder)?;
    if arguments.is_empty() || arguments.iter().any(|name| name == "reads") {
        reads::measure(&store, &records, &folder)?;
    }
    Ok(())
}

/// The same command, kept on one core.
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
