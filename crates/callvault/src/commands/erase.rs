//! `erase`: erases records by their ids.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use model::TenantId;
use store::Store;

use super::opening::open_store;
use super::{PARTLY_DONE, tenants};
use crate::cli::Erase;
use crate::logging;
use crate::settings::Settings;

/// Records erased per transaction, so that other writers do not wait long.
const RECORDS_PER_TRANSACTION: usize = 200;

pub(super) fn run(args: &Erase, settings: &Settings) -> Result<ExitCode> {
    let mut ids = args.ids.clone();
    if let Some(file) = &args.file {
        let text = read(file).with_context(|| format!("reading {}", file.display()))?;
        let lines = text.lines().map(str::trim).filter(|id| !id.is_empty());
        ids.extend(lines.map(str::to_owned));
    }
    ids.sort_by_cached_key(|id| model::key(id));
    ids.dedup_by_key(|id| model::key(id));
    let store = open_store(settings)?;
    tenants::resolve(Some(&args.tenant), &mut store.reader()?)?;
    let (done, were_there) = if args.dry_run {
        ("wouldErase", find(&store, &args.tenant, &ids)?)
    } else {
        ("erased", erase(&store, &args.tenant, &ids)?)
    };
    let missing: Vec<&String> = ids
        .iter()
        .zip(&were_there)
        .filter(|(_, was_there)| !**was_there)
        .map(|(id, _)| id)
        .collect();
    let (found, not_found) = (ids.len() - missing.len(), missing.len());
    writeln!(io::stdout(), "{{\"{done}\":{found},\"notFound\":{not_found}}}")?;
    for id in &missing {
        logging::note(&format!("not found: {id}"));
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { PARTLY_DONE.into() })
}

fn read(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return fs::read_to_string(file);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map(|_| text)
}

/// Whether there is a record of each id.
fn find(store: &Store, tenant: &TenantId, ids: &[String]) -> Result<Vec<bool>> {
    let mut reader = store.reader()?;
    let mut are_there = Vec::with_capacity(ids.len());
    for id in ids {
        are_there.push(reader.record(tenant, &model::key(id), None)?.is_some());
    }
    Ok(are_there)
}

/// Erases records, and takes them out of the full-text index and of blocks of columns at once; whether each was
/// there.
fn erase(store: &Store, tenant: &TenantId, ids: &[String]) -> Result<Vec<bool>> {
    let mut were_there = Vec::with_capacity(ids.len());
    for some in ids.chunks(RECORDS_PER_TRANSACTION) {
        let keys = some.iter().map(|id| model::key(id)).collect();
        were_there.extend(store.erase(tenant, keys).wait()?);
    }
    store.forget_words(i64::MAX)?;
    if store.reader()?.has_blocks()? {
        // A server that makes blocks sees to it itself.
        store.compact(false, &|| true)?;
    }
    Ok(were_there)
}
