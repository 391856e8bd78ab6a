//! `migrate`: upgrades the store to this version, or moves a whole store to another place.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use store::{Options, Place, Role, Store, TransferProgress, TransferSummary};

use super::PARTLY_DONE;
use super::opening::{create_folder, open_or_create_store};
use crate::cli::Migrate;
use crate::progress::Steps;
use crate::settings::Settings;
use crate::{keys, logging};

pub(super) fn run(args: &Migrate, settings: &Settings) -> Result<ExitCode> {
    match (&args.from, &args.to) {
        (Some(from), Some(to)) => transfer(from, to),
        // Opening a store upgrades it. The command does so ahead of a start.
        _ => open_or_create_store(settings, Role::Tool).map(|_| ExitCode::SUCCESS),
    }
}

/// Moves a store.
fn transfer(from: &str, to: &str) -> Result<ExitCode> {
    let (from_place, to_place) = (place(from)?, place(to)?);
    let (from, to) = (open(&from_place, false)?, open(&to_place, true)?);
    let mut steps = Steps::start("changes");
    let moved = store::transfer(&from, &to, &mut |moving| match moving {
        TransferProgress::Copying { done, total } => steps.show(done, total),
        TransferProgress::Comparing => steps.say("comparing"),
    })?;
    steps.finish();
    writeln!(io::stdout(), "{}", summary(&moved))?;
    if let Some(advice) = advice_on_key(&from_place, &to_place) {
        logging::note(&advice);
    }
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

/// Where the master key of the old store has to go, if it is not there: the secrets moved as they were.
fn advice_on_key(from: &Place, to: &Place) -> Option<String> {
    let key_beside = |place: &Place| {
        let folder = place.file()?.parent().filter(|folder| *folder != Path::new(""));
        Some(folder.unwrap_or(Path::new(".")).join("keys").join("master"))
    };
    let source = match key_beside(from) {
        Some(file) => file.display().to_string(),
        None => keys::MASTER_KEY_VARIABLE.to_owned(),
    };
    match key_beside(to) {
        Some(file) if file.exists() => None,
        Some(file) => Some(format!(
            "the secrets in {to} are still encrypted with the master key of the old store ({source}): before \
             a server uses it, write that key to {} with mode 600, or set {}",
            file.display(),
            keys::MASTER_KEY_VARIABLE
        )),
        None if std::env::var_os(keys::MASTER_KEY_VARIABLE).is_some() => None,
        None => Some(format!(
            "the secrets in {to} are still encrypted with the master key of the old store: set {} to the \
             content of {source} on all nodes",
            keys::MASTER_KEY_VARIABLE
        )),
    }
}

fn place(url: &str) -> Result<Place> {
    // The error does not quote the URL, which may contain a password.
    Place::parse(url)
        .context("--from and --to take sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")
}

fn open(place: &Place, create: bool) -> Result<Store> {
    if let (true, Some(folder)) = (create, place.file().and_then(Path::parent)) {
        create_folder(folder)?;
    }
    let options = Options { create, ..Options::at(place.clone(), Role::Tool) };
    let store = Store::open(&options).with_context(|| format!("opening {place}"))?;
    if store.is_new() {
        logging::note(&format!("made a new, empty store: {place}"));
    }
    Ok(store)
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
