//! `erase`: erases records by their ids.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use model::TenantId;
use store::Store;

use super::opening::open_store;
use super::tenants;
use crate::cli::Erase;
use crate::settings::Settings;

/// Records erased per transaction, so that other writers do not wait long.
const RECORDS_PER_TRANSACTION: usize = 200;

pub(super) fn run(args: &Erase, settings: &Settings) -> Result<ExitCode> {
    let mut id_keys: Vec<Vec<u8>> = args.ids.iter().map(|id| model::key(id)).collect();
    if let Some(file) = &args.file {
        let text = read(file).with_context(|| format!("reading {}", file.display()))?;
        let ids = text.lines().map(str::trim).filter(|id| !id.is_empty());
        id_keys.extend(ids.map(model::key));
    }
    id_keys.sort_unstable();
    id_keys.dedup();
    let store = open_store(settings)?;
    tenants::resolve(Some(&args.tenant), &mut store.reader()?)?;
    let (done, found) = if args.dry_run {
        ("wouldErase", count(&store, &args.tenant, &id_keys)?)
    } else {
        ("erased", erase(&store, &args.tenant, &id_keys)?)
    };
    let missing = id_keys.len() - found;
    writeln!(io::stdout(), "{{\"{done}\":{found},\"notFound\":{missing}}}")?;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return fs::read_to_string(file);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map(|_| text)
}

fn count(store: &Store, tenant: &TenantId, id_keys: &[Vec<u8>]) -> Result<usize> {
    let mut reader = store.reader()?;
    let mut found = 0;
    for id_key in id_keys {
        found += usize::from(reader.record(tenant, id_key, None)?.is_some());
    }
    Ok(found)
}

/// Erases records, and takes their words out of the full-text index at once; answers how many there were.
fn erase(store: &Store, tenant: &TenantId, id_keys: &[Vec<u8>]) -> Result<usize> {
    let mut found = 0;
    for some in id_keys.chunks(RECORDS_PER_TRANSACTION) {
        let were_there = store.erase(tenant, some.to_vec()).wait()?;
        found += were_there.into_iter().filter(|was_there| *was_there).count();
    }
    store.forget_words(i64::MAX)?;
    Ok(found)
}
