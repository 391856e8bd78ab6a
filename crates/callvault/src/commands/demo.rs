//! `demo`: serves simulated calls and prints commands that request them.

use std::fs;
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use emulator::Scenario;
use identity::{Grant, MasterKey, OPERATOR_APP, role};
use model::TenantId;
use odata::primitive::DateTimeOffset;
use simulator::{Calls, LogRows, Mix};
use store::{AppRow, Place, Role, Store};
use ui::{AutoSignIn, Site};
use web::Running;

use super::opening::{DEMO_FOLDER, check_data_folder, create_folder, open_or_create_store};
use super::scenario::{self, Player};
use super::setup::{add_listening, layers_over};
use super::simulate::{SPAN, TENANT};
use super::simulated::Target;
use super::tour::{Sdk, Tour};
use super::{certificate, emulation, service, tenants};
use crate::cli::{Demo, GlobalFlags};
use crate::interrupt::Interrupt;
use crate::settings::{Layers, Level, Settings};
use crate::{clock, keys, logging};

/// Name of the secret by which a demo knows a store that one made.
const MARK: &str = "demo";
/// Name of the application of `--tls`.
const SDK: &str = "demo";

pub(super) fn run(args: &Demo, global: &GlobalFlags) -> Result<ExitCode> {
    // By default, allow receivers on this machine.
    let mut layers = Layers::default();
    layers.add_flag("notifications.allow_insecure_urls", Some(true))?;
    layers.add_flag("notifications.allow_networks", Some("127.0.0.0/8".to_owned()))?;
    let mut layers = layers_over(layers, global)?;
    let is_elsewhere = layers.names_store();
    // Dropped at the end, which removes everything that the demo wrote.
    let folder = place_store(&mut layers, global)?;
    let written = folder.as_ref().map(|folder| folder.0.clone());
    // Until it serves, which has its own way to end.
    let interrupt = Interrupt::watch_with(Duration::ZERO, move || {
        if let Some(folder) = written {
            drop(TemporaryFolder(folder));
        }
    })?;
    add_listening(&mut layers, &args.listening)?;
    let scenario = args.scenario.as_deref().map(scenario::find).transpose()?;
    if let Some(scenario) = &scenario {
        add_scenario(&mut layers, scenario)?;
    }
    let mut settings = Settings::resolve(&layers)?;
    logging::start(settings.log.format, settings.log.level.min(Level::Warn))?;
    if args.tls {
        settings.server.tls = Some(certificate::files(&settings.data_dir));
    }
    let listeners = service::bind(&settings)?;
    if args.tls && settings.server.public_url.is_none() {
        settings.server.public_url =
            Some(format!("https://localhost:{}", listeners.address.port()));
    }
    let store = open_or_create_store(&settings, Role::Serve)?;
    let tenant = TenantId::parse(TENANT).expect("the constant is a GUID");
    check_own(&settings, &store, &tenant)?;
    check_data_folder(&settings);
    if let Some(tls) = settings.server.tls.as_ref().filter(|_| args.tls) {
        certificate::make(tls)?;
    }
    let master = keys::master_key(&settings, &store)?;
    store.put_secret_if_absent(MARK, master.seal(MARK, &[])).wait()?;
    prepare(args, &settings.store, (&store, &master), &tenant)?;
    let emulator = match &scenario {
        Some(scenario) => Some(emulation::with_rules(scenario.rules.clone())),
        None => emulation::from_flags(&args.emulation)?,
    };
    let service = {
        let pages = pages(&settings, &tenant);
        service::start(&settings, listeners, store.clone(), master, emulator.clone(), pages)?
    };
    interrupt.end();
    let mut out = service::standard_output()?;
    service.announce(&mut out)?;
    let token = token(&service.running, &tenant)?;
    let flags = flags(&settings, is_elsewhere);
    if let (Some(scenario), Some(emulator)) = (scenario, emulator) {
        let Scenario { title, story, .. } = &scenario;
        writeln!(
            out,
            "\ntenant {tenant}\nexport TOKEN={token}\ncallvault list --limit 3 {flags}\n\n{title}\n\n{}\n",
            story.trim()
        )?;
        out.flush()?;
        Player { scenario, store, tenant, emulator }.start(out)?;
    } else {
        let address = &service.running.public_url;
        let sdk = match &settings.server.tls {
            Some(tls) if args.tls => Some(sdk(&store, &tenant, &tls.certificate)?),
            _ => None,
        };
        let (tenant, token, flags) = (&tenant, &token, &flags);
        Tour { address, store: &store, tenant, token, flags, sdk: sdk.as_ref() }.print(&mut out)?;
    }
    service.run()?;
    Ok(ExitCode::SUCCESS)
}

/// Chooses the store: the one that flags name, or one in a temporary folder. What the environment and the
/// settings file name is somebody's own.
fn place_store(layers: &mut Layers, global: &GlobalFlags) -> Result<Option<TemporaryFolder>> {
    layers.forget_store();
    let store = global.store.clone().filter(|_| global.is_store_flag);
    let named = global.data_dir.clone().filter(|_| global.is_data_dir_flag);
    // The master key stays beside the store that it belongs to.
    let place = store.as_deref().and_then(Place::parse);
    let beside = place.as_ref().and_then(Place::file).and_then(Path::parent).map(Path::to_owned);
    let named = named.or(beside.map(|folder| Path::new(".").join(folder)));
    layers.add_flag("store", store)?;
    let temporary = named.is_none().then(TemporaryFolder::create).transpose()?;
    let folder = named.or(temporary.as_ref().map(|folder| folder.0.clone()));
    layers.add_flag("data_dir", folder.map(|folder| folder.to_string_lossy().into_owned()))?;
    Ok(temporary)
}

/// Refuses a store that no demo made: it would mix simulated calls with real ones.
fn check_own(settings: &Settings, store: &Store, tenant: &TenantId) -> Result<()> {
    let mut reader = store.reader()?;
    let tenants = reader.tenants()?;
    let is_own = store.is_new() || reader.secret(MARK)?.is_some() || tenants == [tenant.clone()];
    let holding = match tenants.as_slice() {
        [] => String::new(),
        tenants => format!(", which holds records of {}", tenants::list(tenants)),
    };
    ensure!(
        is_own,
        "no demo made the store {}{holding}: leave --data-dir and --store out, or name a new folder",
        settings.store
    );
    Ok(())
}

/// The flags that lead commands in other terminals to the store. `is_elsewhere` says that a store is named
/// in the environment or in the settings file too, which would win over a data folder.
fn flags(settings: &Settings, is_elsewhere: bool) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = whole(&settings.data_dir);
    let store = match settings.store.file() {
        Some(file) if is_elsewhere || file.parent() != Some(&settings.data_dir) => {
            format!(" --store sqlite:{}", whole(file).display())
        }
        Some(_) => String::new(),
        None => " --store, with the URL of the database".to_owned(),
    };
    format!("--data-dir {}{store}", folder.display())
}

/// An application that may read, for the SDKs. A later demo on the same store gives it a new secret.
fn sdk(store: &Store, tenant: &TenantId, certificate: &Path) -> Result<Sdk> {
    let secret = identity::generate_secret();
    let is_ours = |app: &AppRow| app.name == SDK && app.tenant == *tenant;
    let app = store.reader()?.apps()?.into_iter().find(is_ours).unwrap_or_else(|| AppRow {
        client_id: identity::random_guid(),
        tenant: tenant.clone(),
        name: SDK.to_owned(),
        roles: vec![role::READ_CALL_RECORDS.to_owned()],
        secret_hash: String::new(),
        created: clock::now(),
    });
    let secret_hash = identity::hash_secret(&secret);
    store.put_app(AppRow { secret_hash, ..app.clone() }).wait()?;
    let certificate = std::path::absolute(certificate)?;
    Ok(Sdk { client_id: app.client_id, secret, certificate })
}

/// Fills the store with simulated calls of 30 days.
/// Makes keys, and the calls unless a scenario does.
fn prepare(
    args: &Demo,
    place: &Place,
    (store, master): (&Store, &MasterKey),
    tenant: &TenantId,
) -> Result<()> {
    // Generating a key takes longer than anything else but the calls.
    thread::scope(|scope| {
        let keys = scope.spawn(|| keys::signing_keys(store, master, clock::now()));
        // A named data folder may hold the calls of an earlier demo.
        let tenants = store.reader()?.tenants()?;
        // A scenario would add calls to the existing ones, and may erase them.
        ensure!(
            args.scenario.is_none() || tenants.is_empty(),
            "a scenario needs an empty store, but {place} holds records: leave --data-dir out, or name a new \
             folder",
        );
        if args.scenario.is_none() && !tenants.contains(tenant) {
            logging::note(&format!("simulating {} calls", args.calls));
            fill(args, store, tenant)?;
        }
        keys.join().expect("generating a key does not panic").map(drop)
    })
}

/// The pages. Who comes from this machine needs no link to simulated calls.
fn pages(settings: &Settings, tenant: &TenantId) -> Option<Site> {
    let is_local = settings.server.listen.ip().is_loopback();
    let visitor = AutoSignIn { tenant: tenant.clone(), name: "demo".to_owned() };
    let site = Site { auto_sign_in: is_local.then_some(visitor) };
    settings.has_pages.then_some(site)
}

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

/// A folder that is removed when it is dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn create() -> Result<Self> {
        let name = format!("{DEMO_FOLDER}{}", identity::random_guid());
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
