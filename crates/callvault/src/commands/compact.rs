//! `compact`: makes blocks of columns of the rows that are in none yet; and the same in a server.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use store::{CompactionReport, Store};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::PARTLY_DONE;
use super::opening::open_store;
use crate::logging;
use crate::settings::Settings;

/// Time between two looks of a server at rows that are in no block.
const AGAIN: Duration = Duration::from_secs(10);

pub(super) fn run(settings: &Settings) -> Result<ExitCode> {
    ensure!(
        settings.has_columns,
        "columns.enabled is \"off\" in the settings, so no block would be used"
    );
    let compacted = make_all(&open_store(settings)?)?;
    let CompactionReport { blocks, rows, is_done } = compacted;
    writeln!(io::stdout(), "{{\"blocks\":{blocks},\"streams\":{rows}}}")?;
    Ok(if is_done { ExitCode::SUCCESS } else { PARTLY_DONE.into() })
}

/// Makes blocks of all rows that are in none; says so if another process does it.
pub(super) fn make_all(store: &Store) -> Result<CompactionReport> {
    let compacted = store.compact(true, &|| true)?;
    if !compacted.is_done {
        logging::note("another process makes blocks of this store: run the command again in 30 s");
    }
    Ok(compacted)
}

/// Makes blocks as rows come in, in a server, unless another process does it; takes them out if there are to
/// be none.
pub(super) async fn keep_up(
    store: Store,
    has_columns: bool,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    if !has_columns {
        return Ok(spawn_blocking(move || store.drop_blocks().wait()).await??);
    }
    loop {
        let (store, stopped) = (store.clone(), stop.clone());
        let compacted = spawn_blocking(move || {
            store::lower_priority();
            store.compact(false, &|| !*stopped.borrow())
        });
        match compacted.await? {
            Ok(CompactionReport { blocks: 0, .. }) => {}
            Ok(CompactionReport { blocks, rows, .. }) => {
                tracing::info!(blocks, streams = rows, "blocks of columns made");
            }
            Err(error) => tracing::error!(%error, "can't make blocks of columns"),
        }
        tokio::select! {
            () = sleep(AGAIN) => {}
            _ = stop.changed() => return Ok(()),
        }
    }
}
