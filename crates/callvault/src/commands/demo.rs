//! `demo`: serves simulated calls and says how to ask for them.

use std::fs;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, ensure};
use identity::{Grant, OPERATOR_APP, role};
use ingest::{Event, FilePiece, Record};
use model::TenantId;
use odata::primitive::DateTimeOffset;
use server::Running;
use simulator::{Calls, Mix};
use store::{Filter, ListQuery, Role, Store};

use super::simulate::{SPAN, TENANT};
use super::{add_listening, layers_over, open_or_create_store, serving};
use crate::cli::{Demo, Place};
use crate::settings::{Layers, Level, Settings};
use crate::{clock, keys, logging};

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
    let settings = Settings::resolve(&layers)?;
    logging::start(settings.log.format, settings.log.level.min(Level::Warn));

    let store = open_or_create_store(&settings, Role::Serve)?;
    let master = keys::master_key(&settings)?;
    let tenant = TenantId::parse(TENANT).expect("the constant is a GUID");
    // Making a key takes longer than anything else beside the calls.
    thread::scope(|scope| {
        let made = scope.spawn(|| keys::signing_keys(&store, &master, clock::now()));
        // A data folder that was given may hold the calls of an earlier demo.
        if store.reader()?.tenants()?.is_empty() {
            fill(args, &store, &tenant)?;
        }
        made.join().expect("making a key does not panic").map(drop)
    })?;
    let serving = serving::start(&settings, store.clone(), master)?;
    let mut out = io::stdout();
    serving.announce(&mut out)?;
    explain(&mut out, &serving.running, &store, &tenant)?;
    drop(store);
    serving.run()?;
    Ok(ExitCode::SUCCESS)
}

/// Simulates calls of 30 days into the store.
fn fill(args: &Demo, store: &Store, tenant: &TenantId) -> Result<()> {
    let to = args.to.unwrap_or_else(|| DateTimeOffset::from_unix_seconds(clock::now()));
    let calls = Calls::new(simulator::Options {
        seed: args.seed,
        calls: args.calls,
        mix: Mix::Realistic,
        from: DateTimeOffset(to.0 - SPAN),
        to,
        tenant: tenant.to_string(),
    });
    let file: Arc<str> = "simulated".into();
    let pieces = calls.zip(1..).map(|(line, number)| FilePiece {
        file: Arc::clone(&file),
        piece: Ok(Record {
            text: String::from_utf8(line).expect("the simulator writes UTF-8"),
            line: number,
            pointer: String::new(),
        }),
    });
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut refused = None;
    ingest::import(store, tenant, pieces, threads, &mut |event| {
        if let Event::Rejected(reject) = event {
            refused.get_or_insert_with(|| format!("{reject:?}"));
        }
    })?;
    ensure!(refused.is_none(), "a simulated call was refused: {}", refused.unwrap_or_default());
    Ok(())
}

/// Prints a token and how to use it.
fn explain(
    out: &mut impl Write,
    running: &Running,
    store: &Store,
    tenant: &TenantId,
) -> Result<()> {
    let roles = [role::READ_CALL_RECORDS, role::WRITE_CALL_RECORDS].map(str::to_owned);
    let grant = Grant {
        tenant: tenant.as_str(),
        app_id: OPERATOR_APP,
        roles: &roles,
        ttl: identity::MAX_TTL,
    };
    let token = running.issuer.issue(&grant, clock::now())?;
    let query = ListQuery { filter: Filter::default(), after: None, limit: 50 };
    let newest = store.reader()?.list(tenant, &query)?;
    // One of a size that can be read.
    let id = newest
        .iter()
        .min_by_key(|record| record.session_count.abs_diff(4))
        .map(|record| &record.id)
        .context("the store holds no call")?;
    let records = format!("{}/v1.0/communications/callRecords", running.public_url);
    writeln!(out, "\ntenant {tenant}\n\nA token for 24 hours:\n\nTOKEN={token}\n")?;
    for (what, url) in [
        ("A record:", format!("{records}/{id}")),
        (
            "The same with its sessions and their segments:",
            format!("{records}/{id}?\\$expand=sessions(\\$expand=segments)"),
        ),
        ("All records, the latest first:", records.clone()),
    ] {
        writeln!(out, "{what}\n\ncurl -s -H \"Authorization: Bearer {token}\" \"{url}\"\n")?;
    }
    writeln!(out, "Stop with Ctrl-C.")?;
    Ok(out.flush()?)
}

/// A folder that is removed when it is dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn make() -> Result<Self> {
        let name = format!("callvault-demo-{}", identity::random_guid());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
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
