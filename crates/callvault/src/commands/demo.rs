//! `demo`: serves simulated calls and prints commands that request them.

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
use model::TenantId;
use odata::bound::Query;
use odata::eval::{Allowance, Meter};
use odata::primitive::DateTimeOffset;
use simulator::{Calls, LogRows, Mix};
use store::{Budget, ResultRow, Role, RowQuery, RowSet, Store, StoredRecord};
use web::Running;

use super::scenario::{self, Player};
use super::setup::{
    add_listening, check_data_folder, create_folder, layers_over, open_or_create_store,
};
use super::simulate::{SPAN, TENANT};
use super::simulated::Target;
use super::{emulation, service};
use crate::cli::{Demo, GlobalFlags};
use crate::settings::{Layers, Level, Settings};
use crate::{clock, keys, logging};

/// Number of records among which the demo chooses one to show.
const NEWEST: usize = 50;
/// Time limit for finding them.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn run(args: &Demo, global: &GlobalFlags) -> Result<ExitCode> {
    // By default, allow receivers on this machine.
    let mut layers = Layers::default();
    layers.add_flag("notifications.allow_insecure_urls", Some(true))?;
    layers.add_flag("notifications.allow_networks", Some("127.0.0.0/8".to_owned()))?;
    let mut layers = layers_over(layers, global)?;
    add_listening(&mut layers, &args.listening)?;
    // Dropped at the end, which removes everything that the demo wrote.
    let folder = global.data_dir.is_none().then(TemporaryFolder::create).transpose()?;
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
    check_data_folder(&settings);
    let master = keys::master_key(&settings)?;
    let tenant = TenantId::parse(TENANT).expect("the constant is a GUID");
    // Generating a key takes longer than anything else but the calls.
    thread::scope(|scope| {
        let keys = scope.spawn(|| keys::signing_keys(&store, &master, clock::now()));
        // A named data folder may hold the calls of an earlier demo.
        let is_empty = store.reader()?.tenants()?.is_empty();
        // A scenario would add calls to the existing ones, and may erase them.
        ensure!(
            scenario.is_none() || is_empty,
            "a scenario needs an empty store, but {} holds records",
            settings.store
        );
        if scenario.is_none() && is_empty {
            fill(args, &store, &tenant)?;
        }
        keys.join().expect("generating a key does not panic").map(drop)
    })?;
    let emulator = match &scenario {
        Some(scenario) => Some(emulation::with_rules(scenario.rules.clone())),
        None => emulation::from_flags(&args.emulation)?,
    };
    let service = service::start(&settings, store.clone(), master, emulator.clone())?;
    let mut out = service::standard_output()?;
    service.announce(&mut out)?;
    let token = token(&service.running, &tenant)?;
    if let (Some(scenario), Some(emulator)) = (scenario, emulator) {
        let Scenario { title, story, .. } = &scenario;
        writeln!(out, "\ntenant {tenant}\nTOKEN={token}\n\n{title}\n\n{}\n", story.trim())?;
        out.flush()?;
        Player { scenario, store, tenant, emulator }.start(out)?;
    } else {
        let address = &service.running.public_url;
        Tour { address, store: &store, tenant: &tenant, token: &token }.print(&mut out)?;
    }
    service.run()?;
    Ok(ExitCode::SUCCESS)
}

/// Fills the store with simulated calls of 30 days.
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
    let target = Target { store, tenant };
    target.import_records(Calls::new(options.clone()), threads)?;
    target.import_rows(LogRows::new(options))
}

/// Adds the settings of a scenario.
fn add_scenario(layers: &mut Layers, scenario: &Scenario) -> Result<()> {
    layers.add_flag("graph.strict", scenario.is_strict.then_some("on".to_owned()))?;
    layers.add_flag("graph.retention_view", scenario.retention_view.clone())?;
    layers.add_flag("limits.rate", scenario.rate.clone())?;
    layers.add_flag("records.retention", scenario.retention_days.map(i64::from))
}

/// A token that may read and write records, for 24 hours.
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

/// What the demo shows its user.
struct Tour<'a> {
    address: &'a str,
    store: &'a Store,
    tenant: &'a TenantId,
    token: &'a str,
}

impl Tour<'_> {
    /// Prints the address, the token, and commands to paste.
    fn print(&self, out: &mut impl Write) -> Result<()> {
        let Self { address, store, tenant, token } = self;
        let newest = newest(store, tenant)?;
        // A record that is short enough to read.
        let id = newest
            .iter()
            .min_by_key(|record| record.session_count.abs_diff(4))
            .map(|record| &record.id)
            .context("the store holds no call")?;
        let records = format!("{address}/v1.0/communications/callRecords");
        let latest = newest.iter().map(|record| record.start).max().unwrap_or_default();
        let day = |ticks: i64| DateTimeOffset(ticks).to_string()[..10].to_owned();
        let (from, to) = (day(latest - SPAN), day(latest + SPAN / 30));
        writeln!(
            out,
            "\nOpen {address}/ or paste, with a token of tenant {tenant} for 24 hours:\n"
        )?;
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
}

/// The latest records of a tenant.
fn newest(store: &Store, tenant: &TenantId) -> Result<Vec<Arc<StoredRecord>>> {
    let query = RowQuery { rows: RowSet::Records, query: Query::default(), not_before: None };
    let meter = Meter::new(Allowance::until(Instant::now() + QUERY_TIMEOUT));
    let budget = Budget { rows_scanned: u64::MAX, groups: 0, meter };
    let page = store.reader()?.page(tenant, &query, None, NEWEST, &budget)?;
    let records = page.rows.into_iter().filter_map(|found| match found {
        ResultRow::Record(record) => Some(record),
        ResultRow::Row(_) | ResultRow::Damaged { .. } => None,
    });
    Ok(records.collect())
}

/// A folder that is removed when it is dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn create() -> Result<Self> {
        let name = format!("callvault-demo-{}", identity::random_guid());
        let path = std::env::temp_dir().join(name);
        create_folder(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "can't remove the folder of the demo");
        }
    }
}
