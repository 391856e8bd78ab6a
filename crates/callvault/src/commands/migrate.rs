//! `migrate`: brings the store to the form that this version needs.

use std::process::ExitCode;

use anyhow::Result;

use super::open_store;
use crate::settings::Settings;

/// Opening a store migrates it; this command is for doing so ahead of a start.
pub(super) fn run(settings: &Settings) -> Result<ExitCode> {
    open_store(settings)?;
    Ok(ExitCode::SUCCESS)
}
