//! `mirror`: sets up mirrors, runs them, and compares them with their source.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use identity::MasterKey;
use mirror::{Figures, Findings, Goal, MirrorSettings, RunReport, Verification, hours, schedule};
use odata::primitive::DateTimeOffset;
use store::{MirrorRow, Role, Store};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::opening::{open_or_create_store, open_store};
use super::{PARTLY_DONE, mirror_doctor, mirror_report, mirrors};
use crate::cli::{Mirror, MirrorAdd, MirrorDoctor, MirrorName, MirrorRun, MirrorVerify};
use crate::settings::{CredentialPlace, MirrorEntry, Settings};
use crate::{interrupt, keys, logging};

/// Time between two lines of progress.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// Differences that are printed.
const PRINTED: usize = 20;

pub(super) fn run(args: &Mirror, settings: &Settings) -> Result<ExitCode> {
    match args {
        Mirror::Add(args) => add(args, settings),
        Mirror::Run(args) => run_mirror(args, settings),
        Mirror::Status(args) => mirror_report::run(args, settings),
        Mirror::Verify(args) => verify(args, settings),
        Mirror::Doctor(args) => doctor(args, settings),
        Mirror::Remove(args) => remove(args, settings),
    }
}

fn add(args: &MirrorAdd, settings: &Settings) -> Result<ExitCode> {
    let name = &args.name;
    ensure!(
        settings.mirrors.iter().all(|entry| entry.name != *name),
        "the settings file sets up the mirror {name}: change it there"
    );
    let place = place(args);
    let credential = mirrors::read_credential(&place)?;
    let mut of_source = match &args.source {
        Some(source) => {
            let authority = args.authority.as_deref();
            MirrorSettings::of_source(source, authority, args.application.clone())
        }
        None => args.cloud().settings(args.application.clone()),
    };
    of_source.rate = args.rate();
    of_source.notifications = args.notifications();
    of_source.credential = mirrors::kind(&credential);
    let looking = mirror::probe(args.tenant.as_str(), &of_source, credential.clone());
    let found = block_on(looking)?
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("looking at {}", of_source.source))?;
    let mut out = io::stdout().lock();
    print_findings(&mut out, &of_source, &found)?;
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let entry = MirrorEntry {
        name: name.clone(),
        tenant: args.tenant.clone(),
        settings: of_source,
        credential: place,
        backfill_days: args.backfill_days,
    };
    let store = open_or_create_store(settings, Role::Tool)?;
    let master = keys::master_key(settings, &store)?;
    mirrors::keep_credential(&store, &master, (name, &entry.credential), &credential)?;
    ensure!(
        store.put_mirror(mirrors::setup(&entry, false)).wait()?,
        "the mirror {name} is of another tenant: give this one another name"
    );
    writeln!(
        out,
        "The mirror {name} is set up. `callvault mirror run` fills the store; so does `callvault serve`, when \
         it is started anew."
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Where the credential is that was given.
fn place(args: &MirrorAdd) -> CredentialPlace {
    let secret = || CredentialPlace::Variable(args.secret_env.clone().unwrap_or_default());
    let file = args.secret_file.clone().map(CredentialPlace::File);
    let certificate = args.certificate_file.clone().map(CredentialPlace::Certificate);
    let federated = args.federated_token_file.clone().map(CredentialPlace::Federated);
    file.or(certificate).or(federated).unwrap_or_else(secret)
}

fn print_findings(out: &mut impl Write, settings: &MirrorSettings, found: &Findings) -> Result<()> {
    let Findings { skew, first_page, has_more, record_bytes, record_fault } = found;
    let more = if *has_more { " and more" } else { "" };
    writeln!(out, "{} lets the application in", settings.source)?;
    writeln!(
        out,
        "  its list of the last 30 days has {first_page} records{more} on its first page"
    )?;
    if skew.abs() > 60 {
        writeln!(out, "  its clock differs from this machine's by {skew} s")?;
    }
    match (record_bytes, record_fault) {
        (Some(bytes), _) => writeln!(out, "  a record could be read whole: {bytes} bytes")?,
        (None, Some(why)) => writeln!(out, "  a record could not be read: {why}")?,
        (None, None) if *first_page == 0 => {
            writeln!(out, "  it has no calls, or the tenant is another one than is meant")?;
        }
        (None, None) => {}
    }
    Ok(())
}

fn run_mirror(args: &MirrorRun, settings: &Settings) -> Result<ExitCode> {
    let (store, mirror) = open(settings, args.name.as_deref())?;
    let goal = match (args.until_complete, args.once) {
        (true, _) => Goal::Complete,
        (_, true) => Goal::Once,
        _ => Goal::Forever,
    };
    let master = keys::master_key(settings, &store)?;
    let place = mirrors::place_of_credential(settings, &mirror.setup.name);
    let run = mirrors::run_of(place, &store, &master, mirror.clone())?;
    let (ran, is_interrupted) = until_interrupted(async |stop| {
        let mut progress = Progress::new();
        mirror::run(&run, goal, stop, &mut |figures| progress.tell(figures)).await
    })?;
    let RunReport { figures, .. } = ran?;
    let mut reader = store.reader()?;
    let mirror = mirrors::find(&mut reader, Some(&mirror.setup.name))?;
    let report = mirror::report(&mut reader, &mirror, mirror_report::HOLES)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", sentence(&figures))?;
    mirror_report::print(&mut out, &report)?;
    if is_interrupted {
        return Ok(ExitCode::from(interrupt::STATUS));
    }
    let is_whole = report.sum(|hour| hour.holes + hour.pending) == 0;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(PARTLY_DONE) })
}

/// What a run did.
fn sentence(figures: &Figures) -> String {
    let Figures { hours, listed, news, read, stored, failed, broken } = figures;
    format!(
        "read the lists of {hours} hours ({listed} rows, {news} of them new or in a new version) and {read} records whole \
         ({stored} of them new here); {failed} readings and {broken} lists came to nothing"
    )
}

fn verify(args: &MirrorVerify, settings: &Settings) -> Result<ExitCode> {
    let (store, mirror) = open(settings, args.name.as_deref())?;
    let now = store::clock::system() + mirror.skew.unwrap_or(0);
    let first = hours::of(now - schedule::LISTED_FOR) + 1;
    let from = args.from.map_or(first, |from| hours::of(from.0).max(first));
    let to = args.to.map_or(hours::of(now) + 1, |DateTimeOffset(to)| hours::of(to - 1) + 1);
    ensure!(from < to, "there is no hour between --from and --to that the source still lists");
    let master = keys::master_key(settings, &store)?;
    let place = mirrors::place_of_credential(settings, &mirror.setup.name);
    let run = mirrors::run_of(place, &store, &master, mirror)?;
    let range = from.max(run.mirror.setup.begins)..to;
    let (verified, is_interrupted) = until_interrupted(async |stop| {
        let mut progress = Progress::new();
        mirror::verify(&run, (range, args.deep), stop, &mut |figures| progress.tell(figures)).await
    })?;
    let verified = verified?;
    if is_interrupted {
        return Ok(ExitCode::from(interrupt::STATUS));
    }
    print_verification(&mut io::stdout().lock(), &verified)?;
    let code = if verified.is_equal() { ExitCode::SUCCESS } else { ExitCode::from(PARTLY_DONE) };
    Ok(code)
}

fn print_verification(out: &mut impl Write, verified: &Verification) -> Result<()> {
    let Verification { hours: range, listed, news, complete, pending, holes, .. } = verified;
    let (from, to) = (hours::shown(range.start), hours::shown(range.end));
    writeln!(out, "{from} to {to}: the source lists {listed} records")?;
    writeln!(out, "  {complete} are here whole, {pending} are to be read, {holes} are missing")?;
    if verified.erased > 0 {
        writeln!(out, "  {} were erased here, and are not compared", verified.erased)?;
    }
    if *news > 0 {
        writeln!(out, "  {news} were listed that the ledger did not have, or not in this version")?;
    }
    for found in verified.differences.iter().take(PRINTED) {
        let what = match (found.stored_version, found.is_incomplete) {
            (None, _) => "is not in the store".to_owned(),
            (Some(_), true) => "lacks sessions or participants".to_owned(),
            (Some(version), false) => {
                format!("is here in version {version} and not {}", found.wanted_version)
            }
        };
        writeln!(out, "  {} {what}", found.id)?;
    }
    let others = verified.differences.len().saturating_sub(PRINTED);
    if others > 0 {
        writeln!(out, "  and {others} others are not as the ledger says")?;
    }
    if verified.read + verified.failed > 0 {
        let (read, failed) = (verified.read, verified.failed);
        let differing = verified.differing.len();
        writeln!(
            out,
            "  {read} records were read once more: {differing} differ; {failed} could not be read"
        )?;
        for (id, place) in verified.differing.iter().take(PRINTED) {
            writeln!(
                out,
                "  {id} differs{}",
                if place.is_empty() { "" } else { " at " }.to_owned() + place
            )?;
        }
    }
    let verdict = if verified.is_equal() {
        "equal"
    } else {
        "not equal: what differs is due, `callvault mirror run --until-complete` reads it"
    };
    writeln!(out, "{verdict}")?;
    Ok(())
}

fn doctor(args: &MirrorDoctor, settings: &Settings) -> Result<ExitCode> {
    let (store, mirror) = open(settings, args.name.as_deref())?;
    let report = mirror::report(&mut store.reader()?, &mirror, 0)?;
    let master = keys::master_key(settings, &store)?;
    let name = mirror.setup.name.clone();
    let place = mirrors::place_of_credential(settings, &name);
    let run = mirrors::run_of(place, &store, &master, mirror)?;
    let checks = block_on(mirror::doctor(&run, &report))??;
    mirror_doctor::print(&name, &checks, args.json)
}

fn remove(args: &MirrorName, settings: &Settings) -> Result<ExitCode> {
    let (store, mirror) = open(settings, Some(&args.name))?;
    ensure!(
        settings.mirrors.iter().all(|entry| entry.name != args.name),
        "the settings file sets up the mirror {}: take it out there first",
        args.name
    );
    let master = keys::master_key(settings, &store)?;
    let name = mirror.setup.name.clone();
    if let Err(error) = unsubscribe(settings, (&store, &master), mirror) {
        logging::note(&format!(
            "the subscription at the source stays until it ends, in three days at most: {error:#}"
        ));
    }
    store.delete_mirror(&name).wait()?;
    writeln!(io::stdout(), "The mirror {} is removed; its records stay.", args.name)?;
    Ok(ExitCode::SUCCESS)
}

/// Deletes the mirror's subscription at its source.
fn unsubscribe(
    settings: &Settings,
    (store, master): (&Store, &MasterKey),
    mirror: MirrorRow,
) -> Result<()> {
    let place = mirrors::place_of_credential(settings, &mirror.setup.name);
    let run = mirrors::run_of(place, store, master, mirror)?;
    Ok(block_on(mirror::unsubscribe(&run))??)
}

fn open(settings: &Settings, name: Option<&str>) -> Result<(Store, MirrorRow)> {
    let store = match settings.mirrors.as_slice() {
        [] => open_store(settings)?,
        entries => {
            let store = open_or_create_store(settings, Role::Tool)?;
            mirrors::import(entries, &store)?;
            store
        }
    };
    let mirror = mirrors::find(&mut store.reader()?, name)?;
    Ok((store, mirror))
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    Ok(Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// Runs until it is done or interrupted, and says which.
fn until_interrupted<T>(work: impl AsyncFnOnce(watch::Receiver<bool>) -> T) -> Result<(T, bool)> {
    block_on(async {
        let (stop, stopped) = watch::channel(false);
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut ends = signal(SignalKind::terminate())?;
        let watching = async {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = ends.recv() => {}
            }
            let _ = stop.send(true);
        };
        let work = work(stopped.clone());
        tokio::pin!(work, watching);
        let done = tokio::select! {
            done = &mut work => done,
            () = &mut watching => work.await,
        };
        Ok((done, *stopped.borrow()))
    })?
}

/// Lines of progress on standard error.
struct Progress(Instant);

impl Progress {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn tell(&mut self, figures: &Figures) {
        if self.0.elapsed() >= TOLD_EVERY {
            self.0 = Instant::now();
            logging::note(&sentence(figures));
        }
    }
}
