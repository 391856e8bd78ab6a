//! `demo`: serves simulated calls and says how to ask for them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use emulator::Scenario;
use identity::{Grant, OPERATOR_APP, role};
use ingest::{Event, FilePiece, Record};
use model::TenantId;
use model::log::Log;
use odata::bound::Query;
use odata::eval::{Allowance, Meter};
use odata::primitive::DateTimeOffset;
use simulator::{Calls, LogRows, Mix};
use store::{Budget, Found, Role, RowQuery, RowSet, Store, StoredRecord};
use web::Running;

use super::scenario::{self, Player};
use super::simulate::{SPAN, TENANT, model_log};
use super::{
    add_listening, emulating, layers_over, look_at_folder, make_folder, open_or_create_store,
    serving,
};
use crate::cli::{Demo, Place};
use crate::settings::{Layers, Level, Settings};
use crate::{clock, keys, logging};

/// Records among which one is chosen to be shown.
const NEWEST: usize = 50;
/// How long they are looked for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(args: &Demo, place: &Place) -> Result<ExitCode> {
    // So that receivers on this machine can be tried, unless something else is asked for.
    let mut layers = Layers::default();
    layers.add_flag("notifications.allow_insecure_urls", Some(true))?;
    layers.add_flag("notifications.allow_networks", Some("127.0.0.0/8".to_owned()))?;
    let mut layers = layers_over(layers, place)?;
    add_listening(&mut layers, &args.listening)?;
    // Dropped at the end, and with it what the demo wrote.
    let folder = place.data_dir.is_none().then(TemporaryFolder::make).transpose()?;
    if let Some(folder) = &folder {
        layers.add_flag("data_dir", Some(folder.0.to_string_lossy().into_owned()))?;
    }
    let scenario = args.scenario.as_deref().map(scenario::find).transpose()?;
    if let Some(scenario) = &scenario {
        add_scenario(&mut layers, scenario)?;
    }
    let settings = Settings::resolve(&layers)?;
    logging::start(settings.log.format, settings.log.level.min(Level::Warn))?;

    let store = open_or_create_store(&settings, Role::Serve)?;
    look_at_folder(&settings);
    let master = keys::master_key(&settings)?;
    let tenant = TenantId::parse(TENANT).expect("the constant is a GUID");
    // Making a key takes longer than anything else beside the calls.
    thread::scope(|scope| {
        let made = scope.spawn(|| keys::signing_keys(&store, &master, clock::now()));
        // A data folder that was given may hold the calls of an earlier demo.
        let is_empty = store.reader()?.tenants()?.is_empty();
        // It would add calls to those that are there, and may have them erased.
        ensure!(
            scenario.is_none() || is_empty,
            "a scenario needs an empty store, and {} holds something",
            settings.store
        );
        if scenario.is_none() && is_empty {
            fill(args, &store, &tenant)?;
        }
        made.join().expect("making a key does not panic").map(drop)
    })?;
    let emulator = match &scenario {
        Some(scenario) => Some(emulating::with_rules(scenario.rules.clone())),
        None => emulating::emulator(&args.emulation)?,
    };
    let serving = serving::start(&settings, store.clone(), master, emulator.clone())?;
    // Nobody has to read it for the demo to go on.
    let mut out = serving::outlet()?;
    serving.announce(&mut out)?;
    let token = token(&serving.running, &tenant)?;
    match (scenario, emulator) {
        (Some(scenario), Some(emulator)) => {
            let Scenario { title, story, .. } = &scenario;
            writeln!(out, "\ntenant {tenant}\nTOKEN={token}\n\n{title}\n\n{}\n", story.trim())?;
            out.flush()?;
            Player { scenario, store, tenant, emulator }.start(out)?;
        }
        _ => explain(&mut out, &serving.running, &store, &tenant, &token)?,
    }
    serving.run()?;
    Ok(ExitCode::SUCCESS)
}

/// Simulates calls of 30 days into the store.
fn fill(args: &Demo, store: &Store, tenant: &TenantId) -> Result<()> {
    let to = args.to.unwrap_or_else(|| DateTimeOffset::from_unix_seconds(clock::now()));
    let options = simulator::Options {
        seed: args.seed,
        calls: args.calls,
        mix: Mix::Realistic,
        from: DateTimeOffset(to.0 - SPAN),
        to,
        tenant: tenant.to_string(),
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut refused = None;
    let mut tell = |event: Event<'_>| {
        if let Event::Rejected(reject) = event {
            refused.get_or_insert_with(|| format!("{reject:?}"));
        }
    };
    let calls = pieces(Calls::new(options.clone()));
    ingest::import(store, tenant, calls, threads, &mut tell)?;
    let mut rows: BTreeMap<&str, (Log, Vec<Vec<u8>>)> = BTreeMap::new();
    for (log, row) in LogRows::new(options) {
        let log = model_log(log);
        rows.entry(log.name()).or_insert_with(|| (log, Vec::new())).1.push(row);
    }
    for (log, rows) in rows.into_values() {
        ingest::import_log(store, tenant, log, None, pieces(rows.into_iter()), &mut tell)?;
    }
    ensure!(refused.is_none(), "what was simulated was refused: {}", refused.unwrap_or_default());
    Ok(())
}

/// Simulated lines, as if they stood in a file.
fn pieces(lines: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = FilePiece> {
    let file: Arc<str> = "simulated".into();
    lines.zip(1..).map(move |(line, number)| FilePiece {
        file: Arc::clone(&file),
        piece: Ok(Record {
            text: String::from_utf8(line).expect("the simulator writes UTF-8"),
            line: number,
            pointer: String::new(),
        }),
    })
}

/// What a scenario sets otherwise.
fn add_scenario(layers: &mut Layers, scenario: &Scenario) -> Result<()> {
    layers.add_flag("graph.strict", scenario.is_strict.then_some("on".to_owned()))?;
    layers.add_flag("graph.retention_view", scenario.retention_view.clone())?;
    layers.add_flag("limits.rate", scenario.rate.clone())?;
    layers.add_flag("records.retention", scenario.retention_days.map(i64::from))
}

/// A token that may do everything with records, for 24 hours.
fn token(running: &Running, tenant: &TenantId) -> Result<String> {
    let roles = [role::READ_CALL_RECORDS, role::WRITE_CALL_RECORDS].map(str::to_owned);
    let grant = Grant {
        tenant: tenant.as_str(),
        app_id: OPERATOR_APP,
        roles: &roles,
        ttl: identity::MAX_TTL,
    };
    Ok(running.issuer.issue(&grant, clock::now())?)
}

/// Prints where the server is, a token, and lines to paste.
fn explain(
    out: &mut impl Write,
    running: &Running,
    store: &Store,
    tenant: &TenantId,
    token: &str,
) -> Result<()> {
    let newest = newest(store, tenant)?;
    // One of a size that can be read.
    let id = newest
        .iter()
        .min_by_key(|record| record.session_count.abs_diff(4))
        .map(|record| &record.id)
        .context("the store holds no call")?;
    let address = &running.public_url;
    let records = format!("{address}/v1.0/communications/callRecords");
    let (from, to) = range(newest.iter().map(|record| record.start).max().unwrap_or_default());
    writeln!(out, "\nOpen {address}/ or paste, with a token of tenant {tenant} for 24 hours:\n")?;
    writeln!(out, "export TOKEN={token}")?;
    for (what, url) in [
        ("all records, the latest first", records.clone()),
        (
            "a record with its sessions and their segments",
            format!("{records}/{id}?\\$expand=sessions(\\$expand=segments)"),
        ),
        (
            "calls through calling plans and operators",
            format!("{records}/getPstnCalls(fromDateTime={from},toDateTime={to})"),
        ),
    ] {
        writeln!(out, "\n# {what}\ncurl -s -H \"Authorization: Bearer $TOKEN\" \"{url}\"")?;
    }
    writeln!(out, "\nStop with Ctrl-C.")?;
    Ok(out.flush()?)
}

/// The latest records of a tenant.
fn newest(store: &Store, tenant: &TenantId) -> Result<Vec<Arc<StoredRecord>>> {
    let query = RowQuery { rows: RowSet::Records, query: Query::default(), not_before: None };
    let meter = Meter::new(Allowance::until(Instant::now() + PATIENCE));
    let budget = Budget { rows_scanned: u64::MAX, groups: 0, meter };
    let page = store.reader()?.page(tenant, &query, None, NEWEST, &budget)?;
    let records = page.rows.into_iter().filter_map(|found| match found {
        Found::Record(record) => Some(record),
        Found::Row(_) | Found::Damaged { .. } => None,
    });
    Ok(records.collect())
}

/// The month before an instant (ticks), as days.
fn range(to: i64) -> (String, String) {
    let day = |ticks: i64| DateTimeOffset(ticks).to_string()[..10].to_owned();
    (day(to - SPAN), day(to + SPAN / 30))
}

/// A folder that is removed when it is dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn make() -> Result<Self> {
        let name = format!("callvault-demo-{}", identity::random_guid());
        let path = std::env::temp_dir().join(name);
        make_folder(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a demo's folder stays behind");
        }
    }
}
