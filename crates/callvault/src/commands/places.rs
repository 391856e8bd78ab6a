//! `places`: maps from networks, access points, AS numbers and endpoints to places.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use graph::place_maps::{self, BUSY, Effect};
use model::TenantId;
use odata::json::Json;
use odata::primitive::DateTimeOffset;
use places::{Kind, Map, Note, Validity};
use store::{PlaceMapImport, PlaceMapResult, PlaceMapRow, Store};

use super::opening::open_store;
use super::table::{self, Fit};
use super::tenants;
use crate::cli::{Places, PlacesCheck, PlacesDelete, PlacesExport, PlacesImport, PlacesList};
use crate::logging;
use crate::settings::{MapFile, Settings};

/// How long looking at the networks of all calls may take.
const LONGEST: Duration = Duration::from_hours(1);
/// Faults that an error names; `check` prints more.
const NAMED_FAULTS: usize = 3;
/// Keys that a map lacks and that are named.
const NAMED_KEYS: usize = 5;

pub(super) fn run(args: &Places, settings: impl FnOnce() -> Result<Settings>) -> Result<ExitCode> {
    match args {
        Places::Check(args) => check(args),
        Places::Import(args) => import(args, &settings()?),
        Places::List(args) => list(args, &settings()?),
        Places::Export(args) => export(args, &settings()?),
        Places::Delete(args) => delete(args, &settings()?),
    }
}

/// A file with what it says and what its owner should know.
struct ReadFile {
    bytes: Vec<u8>,
    map: Map,
    notes: Vec<Note>,
    note_count: usize,
}

/// A file that is not taken.
#[derive(Debug)]
struct Refused {
    file: String,
    kind: Option<Kind>,
    faults: places::Faults,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, faults, .. } = self;
        write!(f, "{file} has {}: ", counted(faults.count, "fault"))?;
        for (at, fault) in faults.kept.iter().take(NAMED_FAULTS).enumerate() {
            write!(f, "{}{fault}", if at > 0 { "; " } else { "" })?;
        }
        if faults.count > NAMED_FAULTS {
            write!(f, "; and more, which `callvault places check` prints")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// `1 fault`, `2 faults`
fn counted(count: usize, noun: &str) -> String {
    let plural = if noun.ends_with('s') { "es" } else { "s" };
    format!("{count} {noun}{}", if count == 1 { "" } else { plural })
}

fn read(file: &Path, kind: Option<Kind>) -> Result<ReadFile> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let places::Outcome { kind, read, notes, note_count } = places::read(&bytes, kind);
    match read {
        Ok(map) => Ok(ReadFile { bytes, map, notes, note_count }),
        Err(faults) => Err(Refused { file: file.display().to_string(), kind, faults }.into()),
    }
}

fn check(args: &PlacesCheck) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    match read(&args.file, args.kind.get()) {
        Ok(ReadFile { map, notes, note_count, .. }) => {
            print_notes(&mut out, &notes, note_count)?;
            writeln!(out, "{} file, {}, no faults", map.kind(), counted(map.rows(), "row"))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let Refused { kind, faults, .. } = error.downcast::<Refused>()?;
            for fault in &faults.kept {
                writeln!(out, "{fault}")?;
            }
            let more = faults.count - faults.kept.len();
            if more > 0 {
                writeln!(out, "and {} more", counted(more, "fault"))?;
            }
            let kind = kind.map_or("unknown", Kind::name);
            writeln!(out, "{kind} file, {}", counted(faults.count, "fault"))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn print_notes(out: &mut impl Write, notes: &[Note], count: usize) -> Result<()> {
    for note in notes {
        writeln!(out, "note: {note}")?;
    }
    if count > notes.len() {
        writeln!(out, "note: and {} more", count - notes.len())?;
    }
    Ok(())
}

fn import(args: &PlacesImport, settings: &Settings) -> Result<ExitCode> {
    let validity = validity(args.from.as_deref(), args.to.as_deref())?;
    let file = read(&args.file, args.kind.get())?;
    let store = open_store(settings)?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut store.reader()?)?;
    let mut out = io::stdout().lock();
    print_notes(&mut out, &file.notes, file.note_count)?;
    let (kind, rows) = (file.map.kind(), file.map.rows());
    let effect = args.dry_run.then(|| effect(&store, &tenant, (&file.map, validity)));
    let wanted = MapRequest {
        name: &args.name,
        version: args.version,
        validity,
        imported_by: "command line",
        is_dry_run: args.dry_run,
    };
    let PlaceMapResult { outcome, version } = keep(&store, &tenant, file, wanted)?;
    let (name, outcome) = (&args.name, outcome.name());
    let trial = if args.dry_run { "would be " } else { "" };
    let rows = counted(rows, "row");
    writeln!(out, "{trial}{outcome}: version {version} of {name}, {kind} file, {rows}")?;
    if let Some(effect) = effect {
        print_effect(&mut out, &effect?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn validity(from: Option<&str>, to: Option<&str>) -> Result<Option<Validity>> {
    place_maps::validity(from, to).map_err(|(key, message)| anyhow!("{key}: {message}"))
}

fn effect(
    store: &Store,
    tenant: &TenantId,
    (map, validity): (&Map, Option<Validity>),
) -> Result<Effect> {
    let validity = validity.unwrap_or_default();
    let mut reader = store.scanning_reader()?;
    Ok(place_maps::effect(&mut reader, tenant, (map, validity), Instant::now() + LONGEST)?)
}

fn print_effect(out: &mut impl Write, effect: &Effect) -> Result<()> {
    let Effect { kind, keys, known, missing, busiest, ends, known_ends } = effect;
    let (key, result) = match kind {
        Kind::Building => ("subnet", "building"),
        Kind::Bssid => ("access point", "name"),
        Kind::Asn => ("public address", "provider"),
        Kind::Endpoint => ("endpoint name", "model"),
    };
    let of = counted(*keys, key);
    writeln!(
        out,
        "of {of} of your calls {known} get a {result}, and {missing} with {BUSY} or more ends of streams get none"
    )?;
    writeln!(out, "of {ends} ends of streams {known_ends} get a {result}")?;
    for missing in busiest.iter().take(NAMED_KEYS) {
        writeln!(out, "without {result}: {}, {} ends of streams", missing.key, missing.ends)?;
    }
    Ok(())
}

/// As what a file is kept.
struct MapRequest<'w> {
    name: &'w str,
    version: Option<i64>,
    validity: Option<Validity>,
    imported_by: &'w str,
    is_dry_run: bool,
}

fn keep(
    store: &Store,
    tenant: &TenantId,
    file: ReadFile,
    wanted: MapRequest<'_>,
) -> Result<PlaceMapResult> {
    let kind = file.map.kind();
    let import = PlaceMapImport {
        name: wanted.name.to_owned(),
        version: wanted.version,
        kind: kind.name(),
        validity: wanted.validity.map(|Validity { from, to }| (from, to)),
        rows: file.map.rows() as i64,
        imported_by: wanted.imported_by.to_owned(),
        bytes: file.bytes,
        is_dry_run: wanted.is_dry_run,
    };
    let result = store.import_place_map(tenant, import)?.wait()?;
    match place_maps::conflict(wanted.name, result, kind) {
        Some(message) => bail!(message),
        None => Ok(result),
    }
}

/// Imports the files that the settings name.
///
/// # Errors
/// With the first that has faults, or whose version is there with other content.
pub(super) fn import_files(files: &[MapFile], store: &Store) -> Result<()> {
    for file in files {
        let MapFile { tenant, name, version, .. } = file;
        let kept = import_file(file, store).with_context(|| format!("places: {name}"))?;
        let outcome = kept.outcome.name();
        tracing::info!(%tenant, name, version, outcome, "map of places");
    }
    Ok(())
}

fn import_file(file: &MapFile, store: &Store) -> Result<PlaceMapResult> {
    let validity = validity(file.from.as_deref(), file.to.as_deref())?;
    let wanted = MapRequest {
        name: &file.name,
        version: Some(file.version),
        // The settings are the whole truth of it: what they don't limit is open.
        validity: Some(validity.unwrap_or_default()),
        imported_by: "settings",
        is_dry_run: false,
    };
    keep(store, &file.tenant, read(&file.file, file.kind)?, wanted)
}

fn list(args: &PlacesList, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut reader)?;
    let rows = reader.place_maps(&tenant)?;
    let mut out = io::stdout().lock();
    if args.json {
        for row in &rows {
            writeln!(out, "{}", Json::of(&place_maps::row_json(row)).as_str())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        logging::note(&format!("the tenant {tenant} has no maps of places"));
        return Ok(ExitCode::SUCCESS);
    }
    let columns = ["name", "version", "kind", "rows", "valid from", "valid to", "imported", "by"];
    let fit = Fit { width: table::terminal_width(), is_chosen: true };
    table::write(&columns.map(str::to_owned), rows.iter().map(cells).collect(), fit, &mut out)?;
    Ok(ExitCode::SUCCESS)
}

fn cells(row: &PlaceMapRow) -> Vec<String> {
    let instant = |ticks: Option<i64>| {
        ticks.map_or_else(|| "open".to_owned(), |ticks| DateTimeOffset(ticks).to_string())
    };
    vec![
        row.name.clone(),
        row.version.to_string(),
        row.kind.clone(),
        row.rows.to_string(),
        instant(row.valid_from),
        instant(row.valid_to),
        instant(Some(row.imported)),
        row.imported_by.clone(),
    ]
}

fn export(args: &PlacesExport, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut reader)?;
    let found = reader.place_map(&tenant, &args.name, args.version)?;
    let (_, bytes) = found.with_context(|| not_there(&args.name, args.version))?;
    io::stdout().lock().write_all(&bytes)?;
    Ok(ExitCode::SUCCESS)
}

fn not_there(name: &str, version: Option<i64>) -> String {
    let version = version.map_or_else(String::new, |version| format!("version {version} of "));
    format!("there is no {version}map {name}: `callvault places list` prints those that are there")
}

fn delete(args: &PlacesDelete, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut store.reader()?)?;
    let deleted = store.delete_place_map(&tenant, &args.name, args.version).wait()?;
    ensure!(deleted > 0, not_there(&args.name, args.version));
    writeln!(io::stdout(), "deleted: {} of {}", counted(deleted, "version"), args.name)?;
    Ok(ExitCode::SUCCESS)
}
