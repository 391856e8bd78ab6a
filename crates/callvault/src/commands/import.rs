//! `import`: imports records from files into the store.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use ingest::{Counts, Event, Files};
use model::TenantId;
use store::{Role, Store};

use super::import_report::ImportReport;
use super::opening::{Absent, open_or_create_store, open_store};
use super::{PARTLY_DONE, tenants};
use crate::cli::Import;
use crate::interrupt::{self, Interrupt};
use crate::logging;
use crate::progress::Progress;
use crate::settings::Settings;

/// The last words of an interrupted import.
const INTERRUPTED: &str =
    "interrupted: what is counted is in the store, and the same command imports the rest";

pub(super) fn run(args: &Import, settings: &Settings) -> Result<ExitCode> {
    refuse_bare_tenant(args)?;
    let files = Files::find(&args.paths).context("importing")?;
    let empty = files.empty();
    let rejects = args.rejects.as_deref().map(create).transpose()?;
    let (store, tenant) = store_and_tenant(args, settings)?;
    let is_new = !store.reader()?.tenants()?.contains(&tenant);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let progress = Progress::start(files.total_bytes(), files.bytes_read());
    let committed = Arc::<Mutex<Counts>>::default();
    let last = Arc::clone(&committed);
    let interrupt = Interrupt::watch(move || {
        let counts = *last.lock().unwrap_or_else(PoisonError::into_inner);
        // A closed output ends the command all the same.
        let _ = writeln!(io::stdout(), "{}", summary(&counts));
        logging::note(INTERRUPTED);
    })
    .context("watching for Ctrl-C")?;
    let asked = interrupt.clone();
    let files = files.take_while(move |_| !asked.is_asked());
    let mut report = ImportReport::new(progress, rejects, committed);
    let mut tell = |event: Event<'_>| report.tell(&event);
    let counts = match args.kind.log() {
        None => ingest::import(&store, &tenant, files, threads, &mut tell)?,
        Some(log) => ingest::import_log(&store, &tenant, log, args.counted_from, files, &mut tell)?,
    };
    let has_records = args.kind.log().is_none() && !interrupt.is_asked();
    if has_records && let Err(error) = store.refresh_statistics() {
        tracing::warn!(%error, "can't look at the size of tables");
    }
    let (mut sentences, reported) = report.finish();
    writeln!(io::stdout(), "{}", summary(&counts))?;
    reported.context("telling of records")?;
    if is_new && counts.read > counts.rejected {
        let tenants = store.reader()?.tenants()?;
        let among = tenants::list(&tenants);
        logging::note(&format!(
            "the tenant {tenant} is new: the store now holds records of {among}"
        ));
    }
    sentences.extend(empty.sentences());
    if io::stderr().is_terminal() {
        sentences.extend(explanations(&counts));
    }
    for sentence in sentences {
        logging::note(&sentence);
    }
    if interrupt.is_asked() {
        logging::note(INTERRUPTED);
        return Ok(interrupt::STATUS.into());
    }
    Ok(if counts.rejected == 0 { ExitCode::SUCCESS } else { PARTLY_DONE.into() })
}

/// Refuses a tenant among the files: the flag before it was left out.
fn refuse_bare_tenant(args: &Import) -> Result<()> {
    let is_tenant =
        |path: &&PathBuf| path.to_str().and_then(TenantId::parse).is_some() && !path.exists();
    if let Some(tenant) = args.paths.iter().find(is_tenant).filter(|_| args.tenant.is_none()) {
        let tenant = tenant.display();
        bail!("{tenant} is no file: name the tenant of the records with --tenant {tenant}");
    }
    Ok(())
}

/// The store, and whose records come in. Without `--tenant` the store has to be there and to hold one.
fn store_and_tenant(args: &Import, settings: &Settings) -> Result<(Store, TenantId)> {
    if let Some(tenant) = &args.tenant {
        return Ok((open_or_create_store(settings, Role::Tool)?, tenant.clone()));
    }
    let store = open_store(settings).map_err(|error| match error.downcast_ref::<Absent>() {
        Some(absent) => anyhow!(absent.without_tenant()),
        None => error,
    })?;
    let tenant = tenants::resolve(None, &mut store.reader()?)?;
    Ok((store, tenant))
}

/// What the less obvious counts mean, for those that are not 0.
fn explanations(counts: &Counts) -> Vec<String> {
    let all = [
        (
            counts.replaced,
            "replaced: a higher version took the place of a stored one, which stays readable (`callvault \
             get ID --version N`)",
        ),
        (counts.merged, "merged: the same version came with more in it than was stored"),
        (counts.archived, "archived: lower than the stored version, and kept beside it"),
        (
            counts.incomplete,
            "incomplete: the record says that it has more sessions or participants than came; follow its \
             nextLink, and import it again with all of them",
        ),
        (
            counts.warnings,
            "warnings: names that nothing declares, which Graph may have added or somebody misspelt; they are kept \
             as they came",
        ),
    ];
    let told = all.into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, what)| format!("{count} {what}")).collect()
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| {
        format!("creating {} for the rejected records (--rejects)", path.display())
    })?;
    Ok(BufWriter::new(file))
}

/// The counts as a JSON object. Written by hand to fix the order of the members.
fn summary(counts: &Counts) -> String {
    let Counts { read, created, replaced, merged, unchanged, .. } = counts;
    let Counts { archived, rejected, incomplete, warnings, .. } = counts;
    format!(
        "{{\"read\":{read},\"created\":{created},\"replaced\":{replaced},\"merged\":{merged},\
         \"unchanged\":{unchanged},\"archived\":{archived},\"rejected\":{rejected},\
         \"incomplete\":{incomplete},\"warnings\":{warnings}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_need_it_are_explained() {
        assert_eq!(explanations(&Counts { read: 3, created: 3, ..Counts::default() }), [""; 0]);
        let counts = Counts { replaced: 1, archived: 2, incomplete: 3, ..Counts::default() };
        let told = explanations(&counts);
        for (sentence, begins) in
            told.iter().zip(["1 replaced: a", "2 archived: l", "3 incomplete: t"])
        {
            assert!(sentence.starts_with(begins), "{sentence}");
        }
        assert_eq!(told.len(), 3);
    }
}
