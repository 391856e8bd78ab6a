//! `doctor`: checks the store and prints its size.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;

use super::setup::open_store;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    let store = match open_store(settings) {
        Ok(store) => store,
        Err(error) if is_damage(&error) => {
            writeln!(out, "problem: {error:#}")?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error),
    };
    let diagnosis = store.doctor()?;
    writeln!(out, "store  {}", settings.store)?;
    writeln!(out, "file   {:>15} bytes", diagnosis.file_bytes)?;
    writeln!(out, "log    {:>15} bytes", diagnosis.wal_bytes)?;
    for table in &diagnosis.tables {
        writeln!(out, "{:<24} {:>12} rows {:>15} bytes", table.name, table.rows, table.bytes)?;
    }
    if diagnosis.problems.is_empty() {
        writeln!(out, "sound")?;
        return Ok(ExitCode::SUCCESS);
    }
    for problem in &diagnosis.problems {
        writeln!(out, "problem: {problem}")?;
    }
    Ok(ExitCode::FAILURE)
}

/// Whether the store can't be opened because of damage, which this command reports.
fn is_damage(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(store::Error::Corrupt(_)))
}
