//! `tail`: follows the change log.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use odata::primitive::DateTimeOffset;
use serde_json::json;
use store::ChangeRow;

use super::opening::open_store;
use super::tenants;
use crate::cli::Tail;
use crate::settings::Settings;

/// Time between two polls of the change log.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Entries read at a time.
const CHUNK: usize = 1_000;

pub(super) fn run(args: &Tail, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    let mut reader = store.reader()?;
    tenants::note_unknown(args.tenant.as_ref(), &mut reader)?;
    let mut after = args.after;
    loop {
        let changes = reader.changes(after, CHUNK)?;
        for change in &changes {
            after = change.sequence;
            let is_selected = args.tenant.as_ref().is_none_or(|tenant| *tenant == change.tenant);
            if is_selected && !print(change)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        if changes.is_empty() {
            if args.once {
                return Ok(ExitCode::SUCCESS);
            }
            reader.release();
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

/// Prints an entry; false if the reader has closed the pipe.
fn print(change: &ChangeRow) -> Result<bool> {
    let object = json!({
        "sequence": change.sequence,
        "tenantId": change.tenant.as_str(),
        "callRecordId": change.id,
        "version": change.version,
        "change": change.change.name(),
        "committedDateTime": DateTimeOffset(change.committed_at).to_string(),
    });
    match writeln!(io::stdout(), "{object}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => Ok(written.map(|()| true)?),
    }
}
