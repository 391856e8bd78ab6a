//! `migrate`: upgrades the store to this version, or moves a whole store to another place.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use store::{Options, Place, Role, Store, TransferProgress, TransferSummary};

use super::PARTLY_DONE;
use super::setup::{create_folder, open_store};
use crate::cli::Migrate;
use crate::progress::Steps;
use crate::settings::Settings;

pub(super) fn run(args: &Migrate, settings: &Settings) -> Result<ExitCode> {
    match (&args.from, &args.to) {
        (Some(from), Some(to)) => transfer(from, to),
        // Opening a store upgrades it. The command does so ahead of a start.
        _ => open_store(settings).map(|_| ExitCode::SUCCESS),
    }
}

/// Moves a store.
fn transfer(from: &str, to: &str) -> Result<ExitCode> {
    let (from, to) = (open(from, false)?, open(to, true)?);
    let mut steps = Steps::start("changes");
    let moved = store::transfer(&from, &to, &mut |moving| match moving {
        TransferProgress::Copying { done, total } => steps.show(done, total),
        TransferProgress::Comparing => steps.say("comparing"),
    })?;
    steps.finish();
    writeln!(io::stdout(), "{}", summary(&moved))?;
    if moved.behind == 0 && moved.digest.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    let behind = moved.behind;
    let rest = format!(
        "{behind} changes behind; run the command again when nothing writes to the old store"
    );
    let _ = writeln!(io::stderr(), "{rest}");
    Ok(PARTLY_DONE.into())
}

fn open(url: &str, create: bool) -> Result<Store> {
    let place = Place::parse(url)
        .with_context(|| format!("a store is sqlite:PATH or postgres://…, not {url:?}"))?;
    if let (true, Some(folder)) = (create, place.file().and_then(Path::parent)) {
        create_folder(folder)?;
    }
    let options = Options { create, ..Options::at(place.clone(), Role::Tool) };
    Store::open(&options).with_context(|| format!("opening {place}"))
}

/// The counts as a JSON object. Written by hand to fix the order of the members.
fn summary(moved: &TransferSummary) -> String {
    let TransferSummary { records, versions, changes, copied, digest, behind } = moved;
    let digest = digest.as_ref().map_or("null".to_owned(), |digest| format!("\"{digest}\""));
    format!(
        "{{\"records\":{records},\"versions\":{versions},\"changes\":{changes},\
         \"copied\":{copied},\"behind\":{behind},\"digest\":{digest}}}"
    )
}
