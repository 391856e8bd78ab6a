//! `access-log`: who saw which calls on the pages.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Result;
use odata::primitive::DateTimeOffset;
use serde_json::json;

use super::opening::open_store;
use crate::cli::AccessLog;
use crate::settings::Settings;

/// Lines that are read at a time.
const PAGE: usize = 1_000;

pub(super) fn run(args: &AccessLog, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let since = args.from.map_or(i64::MIN, |from| from.0);
    let mut after = 0;
    loop {
        let page = reader.accesses(since, after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, entry) in &page {
            let line = json!({
                "at": DateTimeOffset(entry.at).to_string(),
                "name": entry.name,
                "tenant": entry.tenant.as_str(),
                "page": entry.page,
                "call": entry.subject,
                "question": entry.digest.as_deref().map(hexadecimal),
                "calls": entry.count,
            });
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
