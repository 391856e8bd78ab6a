//! `doctor`: checks the store and prints its size.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;

use store::Store;

use super::opening::open_store;
use super::{PARTLY_DONE, compact};
use crate::cli::{Doctor, Rebuild};
use crate::keys;
use crate::settings::Settings;

pub(super) fn run(args: &Doctor, settings: &Settings) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    let store = match open_store(settings) {
        Ok(store) => store,
        Err(error) if is_damage(&error) => {
            writeln!(out, "problem: {error:#}")?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error),
    };
    if args.rebuild == Some(Rebuild::Columns) {
        store.drop_blocks().wait()?;
        if !compact::make_all(&store)?.is_done {
            return Ok(PARTLY_DONE.into());
        }
    }
    let mut diagnosis = store.doctor()?;
    diagnosis.problems.extend(problems_of_keys(settings, &store)?);
    let is_sound = diagnosis.problems.is_empty();
    if is_sound {
        writeln!(out, "sound")?;
    }
    for problem in &diagnosis.problems {
        writeln!(out, "problem: {problem}")?;
    }
    let lacking = store.lacking_columns();
    if lacking > 0 {
        writeln!(
            out,
            "columns: {lacking} records lack some of this version's; 'serve' fills them in"
        )?;
    }
    writeln!(out, "\nstore  {}", settings.store)?;
    writeln!(out, "file   {:>15} bytes", diagnosis.file_bytes)?;
    writeln!(out, "log    {:>15} bytes", diagnosis.wal_bytes)?;
    writeln!(out, "\n{:<24} {:>12} {:>15}", "table", "rows", "bytes")?;
    for table in &diagnosis.tables {
        writeln!(out, "{:<24} {:>12} {:>15}", table.name, table.rows, table.bytes)?;
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What of the secrets in the store does not open with the master key, a sentence each.
fn problems_of_keys(settings: &Settings, store: &Store) -> Result<Vec<String>> {
    let master = match keys::existing_master_key(settings) {
        _ if !keys::has_sealed(store)? => return Ok(Vec::new()),
        Ok(Some(master)) => master,
        Ok(None) => return Ok(vec![keys::missing(settings)]),
        Err(error) => {
            return Ok(vec![format!("the secrets in the store can't be checked: {error:#}")]);
        }
    };
    let place = keys::place_of_master_key(settings);
    let unopened = keys::unopened(store, &master)?.into_iter();
    let sentence = |what| format!("{what} does not open with {place}: {}", keys::REMEDY);
    Ok(unopened.map(sentence).collect())
}

/// Whether the store can't be opened because of damage, which this command reports.
fn is_damage(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(store::Error::Corrupt(_)))
}
