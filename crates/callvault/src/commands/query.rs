//! `query explain`: how a query is understood, and how it is answered.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use server::Local;

use super::{open_store, printing};
use crate::cli::Explain;
use crate::settings::Settings;

pub(super) fn explain(args: &Explain, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = printing::tenant(args.tenant.as_ref(), &mut reader)?;
    let local = Local::new(tenant, [0; 32], settings.limits.of_queries())
        .context("there is no key for links")?;
    let query = args.url.split_once('?').map_or("", |(_, query)| query);
    let mut out = io::stdout().lock();
    writeln!(out, "Syntax tree\n{}\n", odata::syntax::tree(query))?;
    let (bound, explanation) = local.explain(&mut reader, &args.url)?;
    writeln!(out, "Bound tree\n{bound}\n")?;
    let Some(explanation) = explanation else {
        writeln!(out, "Answer\nfrom the record that is named, by our own evaluator")?;
        return Ok(ExitCode::SUCCESS);
    };
    writeln!(out, "Access\n{} ({:?})\n", explanation.access, explanation.cost)?;
    for sql in &explanation.sql {
        writeln!(out, "SQL\n{sql}\n")?;
    }
    if !explanation.binds.is_empty() {
        writeln!(out, "Values\n{}\n", explanation.binds.join("\n"))?;
    }
    writeln!(out, "Plan of the engine\n{}", explanation.engine_plan.join("\n"))?;
    if let Some(residual) = &explanation.residual {
        writeln!(out, "\nDecided by our own evaluator\n{residual}")?;
    }
    Ok(ExitCode::SUCCESS)
}
