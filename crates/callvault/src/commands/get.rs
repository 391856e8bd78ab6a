//! `get`: prints one record.

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::record_json;
use super::setup::{self, open_store};
use crate::cli::Get;
use crate::settings::Settings;

pub(super) fn run(args: &Get, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = setup::tenant(args.record.tenant.as_ref(), &mut reader)?;
    let record =
        reader.record(&tenant, &model::key(&args.id), args.version)?.context("no such record")?;
    record_json::write(&mut io::stdout().lock(), &mut reader, &record, &args.record.expand)?;
    Ok(ExitCode::SUCCESS)
}
