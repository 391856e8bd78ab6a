//! `get`: prints one record.

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::opening::open_store;
use super::{record_json, tenants};
use crate::cli::Get;
use crate::settings::Settings;

pub(super) fn run(args: &Get, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = tenants::resolve(args.record.tenant.as_ref(), &mut reader)?;
    let found = reader.record(&tenant, &model::key(&args.id), args.version)?;
    let record = found.with_context(|| {
        let version = args.version.map(|number| format!("version {number} of "));
        let (version, id, store) = (version.unwrap_or_default(), &args.id, &settings.store);
        format!(
            "the tenant {tenant} has no {version}call record {id} in {store}: `callvault list` prints \
             its records"
        )
    })?;
    record_json::write(&mut io::stdout().lock(), &mut reader, &record, &args.record.expand)?;
    Ok(ExitCode::SUCCESS)
}
