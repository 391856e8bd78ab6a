//! `get`: prints one record.

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::{open_store, printing};
use crate::cli::Get;
use crate::settings::Settings;

pub(super) fn run(args: &Get, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = printing::tenant(args.form.tenant.as_ref(), &mut reader)?;
    let record = reader
        .record(&tenant, &model::key(&args.id), args.version)?
        .context("there is no such record")?;
    printing::print(&mut io::stdout().lock(), &mut reader, &record, &args.form.expand)?;
    Ok(ExitCode::SUCCESS)
}
