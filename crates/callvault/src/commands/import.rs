//! `import`: imports records from files into the store.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result};
use ingest::{Counts, Event, Files, Reject};
use serde_json::{Value, json};
use store::Role;

use super::PARTLY_DONE;
use super::setup::open_or_create_store;
use crate::cli::Import;
use crate::progress::Progress;
use crate::settings::Settings;

pub(super) fn run(args: &Import, settings: &Settings) -> Result<ExitCode> {
    let files = Files::find(&args.paths)?;
    let mut rejects = args.rejects.as_deref().map(create).transpose()?;
    let store = open_or_create_store(settings, Role::Tool)?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut progress = Progress::start(files.total_bytes(), files.bytes_read());
    // A failure to report rejections does not stop the import, but fails the command at the end.
    let mut reported = Ok(());
    let mut report = |event: Event<'_>| match event {
        Event::Progress(counts) => progress.show(counts),
        Event::Rejected(reject) => {
            let written = match &mut rejects {
                Some(file) => writeln!(file, "{}", object(reject)),
                None => progress.print(&line(reject)),
            };
            if reported.is_ok() {
                reported = written;
            }
        }
    };
    let tenant = &args.tenant;
    let counts = match args.kind.log() {
        None => ingest::import(&store, tenant, files, threads, &mut report)?,
        Some(log) => {
            ingest::import_log(&store, tenant, log, args.counted_from, files, &mut report)?
        }
    };
    progress.finish();
    if let Some(file) = &mut rejects {
        reported = reported.and(file.flush());
    }
    writeln!(io::stdout(), "{}", summary(&counts))?;
    reported.context("writing the rejected records")?;
    Ok(if counts.rejected == 0 { ExitCode::SUCCESS } else { PARTLY_DONE.into() })
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
    Ok(BufWriter::new(file))
}

/// A rejection as a line for reading.
fn line(reject: &Reject) -> String {
    let Reject { file, line, pointer, message } = reject;
    let place = if *line == 0 { file.to_string() } else { format!("{file}:{line}") };
    if pointer.is_empty() {
        format!("{place}: {message}")
    } else {
        format!("{place}: {pointer}: {message}")
    }
}

/// A rejection as a JSON object.
fn object(reject: &Reject) -> Value {
    let Reject { file, line, pointer, message } = reject;
    json!({ "file": &**file, "line": line, "pointer": pointer, "message": message })
}

/// The counts as a JSON object. Written by hand to fix the order of the members.
fn summary(counts: &Counts) -> String {
    let Counts { read, created, replaced, merged, unchanged, archived, rejected, incomplete } =
        counts;
    format!(
        "{{\"read\":{read},\"created\":{created},\"replaced\":{replaced},\"merged\":{merged},\
         \"unchanged\":{unchanged},\"archived\":{archived},\"rejected\":{rejected},\
         \"incomplete\":{incomplete}}}"
    )
}
