//! `import`: puts records from files into the store.

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

use super::{PARTLY_DONE, open_or_create_store};
use crate::cli::Import;
use crate::progress::Progress;
use crate::settings::Settings;

pub(super) fn run(args: &Import, settings: &Settings) -> Result<ExitCode> {
    let files = Files::find(&args.paths)?;
    let mut rejects = args.rejects.as_deref().map(create).transpose()?;
    let store = open_or_create_store(settings, Role::Tool)?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut progress = Progress::start(files.total_bytes(), files.bytes_read());
    // What cannot be written ends the import late but not unnoticed.
    let mut telling = Ok(());
    let mut tell = |event: Event<'_>| match event {
        Event::Progress(counts) => progress.show(counts),
        Event::Rejected(reject) => {
            let told = match &mut rejects {
                Some(file) => writeln!(file, "{}", object(reject)),
                None => progress.print(&line(reject)),
            };
            if telling.is_ok() {
                telling = told;
            }
        }
    };
    let tenant = &args.tenant;
    let counts = match args.kind.log() {
        None => ingest::import(&store, tenant, files, threads, &mut tell)?,
        Some(log) => ingest::import_log(&store, tenant, log, args.counted_from, files, &mut tell)?,
    };
    progress.finish();
    if let Some(file) = &mut rejects {
        telling = telling.and(file.flush());
    }
    writeln!(io::stdout(), "{}", summary(&counts))?;
    telling.context("writing down what was refused")?;
    Ok(if counts.rejected == 0 { ExitCode::SUCCESS } else { PARTLY_DONE.into() })
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("making {}", path.display()))?;
    Ok(BufWriter::new(file))
}

fn line(reject: &Reject) -> String {
    let Reject { file, line, pointer, message } = reject;
    let place = if *line == 0 { file.to_string() } else { format!("{file}:{line}") };
    if pointer.is_empty() {
        format!("{place}: {message}")
    } else {
        format!("{place}: {pointer}: {message}")
    }
}

fn object(reject: &Reject) -> Value {
    let Reject { file, line, pointer, message } = reject;
    json!({ "file": &**file, "line": line, "pointer": pointer, "message": message })
}

/// Written by hand, since the order of the members is part of it.
fn summary(counts: &Counts) -> String {
    let Counts { read, created, replaced, merged, unchanged, archived, rejected, incomplete } =
        counts;
    format!(
        "{{\"read\":{read},\"created\":{created},\"replaced\":{replaced},\"merged\":{merged},\
         \"unchanged\":{unchanged},\"archived\":{archived},\"rejected\":{rejected},\
         \"incomplete\":{incomplete}}}"
    )
}
