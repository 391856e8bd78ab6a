//! `query explain`: shows how Callvault parses and runs a query.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use graph::Local;
use store::Explanation;

use super::opening::open_store;
use super::{profiles, tenants};
use crate::cli::Explain;
use crate::settings::Settings;

pub(super) fn explain(args: &Explain, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut reader)?;
    let queries = profiles::for_queries(settings.limits.of_queries(), settings, &mut reader)?;
    let local = Local::new(tenant, [0; 32], queries).context("no key for links")?;
    let url = after_version(&args.url);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut out = io::stdout().lock();
    writeln!(out, "Syntax tree\n{}\n", odata::syntax::tree(query))?;
    let (bound, explanation) = local.explain(&mut reader, url)?;
    match explanation {
        Some(explanation) => print(&mut out, &explanation)?,
        None => writeln!(out, "Answer\nfrom the record that the URL names, by our own evaluator")?,
    }
    // Last, since it is the longest.
    writeln!(out, "\nBound tree\n{bound}")?;
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut impl Write, explanation: &Explanation) -> io::Result<()> {
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
    Ok(())
}

/// The part of a URL after the version of the API. A URL without a version is returned whole.
fn after_version(url: &str) -> &str {
    let is_absolute = url.starts_with("https://") || url.starts_with("http://");
    let after_scheme = url.split_once("://").filter(|_| is_absolute).map(|(_, rest)| rest);
    let path = after_scheme.map_or(url, |rest| rest.find('/').map_or("", |slash| &rest[slash..]));
    ["/v1.0", "/beta"].iter().find_map(|version| path.strip_prefix(version)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_have_host_and_version() {
        for url in ["https://x.test/v1.0/communications?a", "/beta/communications?a"] {
            assert_eq!(after_version(url), "/communications?a", "{url}");
        }
        assert_eq!(
            after_version("/communications?$filter=a eq 'x://y'"),
            "/communications?$filter=a eq 'x://y'"
        );
    }
}
