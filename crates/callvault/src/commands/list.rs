//! `list`: prints records, newest first.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Result;
use store::{Filter, ListQuery};

use super::{open_store, printing};
use crate::cli::List;
use crate::settings::Settings;

/// Records read at a time.
const PAGE: usize = 500;

pub(super) fn run(args: &List, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = printing::tenant(&args.form, &mut reader)?;
    let mut query = ListQuery {
        filter: Filter {
            start_from: args.from.map(|time| time.0),
            start_before: args.to.map(|time| time.0),
            participants: args.participant.iter().map(|id| model::key(id)).collect(),
            not_before: None,
        },
        after: None,
        limit: 0,
    };
    let mut left = args.limit.unwrap_or(usize::MAX);
    let mut out = BufWriter::new(io::stdout().lock());
    while left > 0 {
        query.limit = left.min(PAGE);
        let page = reader.list(&tenant, &query)?;
        for record in &page {
            printing::print(&mut out, &mut reader, record, &args.form.expand)?;
        }
        left -= page.len();
        match page.last() {
            Some(last) if page.len() == query.limit => {
                query.after = Some((last.start, last.id.clone()));
            }
            _ => break,
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
