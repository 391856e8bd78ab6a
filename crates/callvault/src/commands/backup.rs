//! `backup`: copies a store, even while a server uses it.

use std::process::ExitCode;

use anyhow::{Context, Result};

use super::opening::open_store;
use crate::cli::Backup;
use crate::settings::Settings;

pub(super) fn run(args: &Backup, settings: &Settings) -> Result<ExitCode> {
    open_store(settings)?
        .backup(&args.file)
        .with_context(|| format!("copying to {}", args.file.display()))?;
    Ok(ExitCode::SUCCESS)
}
