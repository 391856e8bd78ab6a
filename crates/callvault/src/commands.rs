//! The commands, one in each file, and what all of them begin with.

mod app;
mod backup;
mod beside;
mod demo;
mod doctor;
mod emulating;
mod get;
mod import;
mod list;
mod listing;
mod migrate;
mod printing;
mod query;
mod scenario;
mod serve;
mod serving;
mod simulate;
mod subscriptions;
mod tail;
mod token;
mod version;
mod watch;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use store::{Options, Role, Store};

use crate::cli::{Cli, Command, Listening, Place, Query};
use crate::settings::{self, Layers, Level, Settings};
use crate::{logging, size_limit};

/// Runs what was typed.
pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    size_limit::outlive().context("ignoring SIGXFSZ")?;
    let place = cli.place;
    match cli.command {
        Command::Version => version::run(),
        Command::Simulate(args) => simulate::run(&args),
        Command::Serve(args) => serve::run(&args, &place),
        Command::Demo(args) => demo::run(&args, &place),
        Command::App(args) => app::run(args, &tool_settings(&place)?),
        Command::Token(args) => token::run(&args, &tool_settings(&place)?),
        Command::EmulatorRequestLog(args) => emulating::run(&args),
        Command::Import(args) => import::run(&args, &tool_settings(&place)?),
        Command::Get(args) => get::run(&args, &tool_settings(&place)?),
        Command::List(args) => list::run(&args, &tool_settings(&place)?),
        Command::Query(Query::Explain(args)) => query::explain(&args, &tool_settings(&place)?),
        Command::Subscriptions(args) => subscriptions::run(&args, &tool_settings(&place)?),
        Command::Deliveries(args) => subscriptions::deliveries(&args, &tool_settings(&place)?),
        Command::Tail(args) => tail::run(&args, &tool_settings(&place)?),
        Command::Backup(args) => backup::run(&args, &tool_settings(&place)?),
        Command::Migrate(args) => migrate::run(&args, &tool_settings(&place)?),
        Command::Doctor => doctor::run(&tool_settings(&place)?),
    }
}

/// Exit status: some of it is done, and the rest was said.
const PARTLY_DONE: u8 = 3;

/// The file, the environment and the flags of every command.
fn layers(place: &Place) -> Result<Layers> {
    layers_over(Layers::default(), place)
}

/// The same, over what a command begins with.
fn layers_over(mut layers: Layers, place: &Place) -> Result<Layers> {
    if let Some(file) = settings::file_to_read(place.config.as_deref()) {
        layers.add_file(&file)?;
    }
    let variables = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    layers.add_environment(variables)?;
    let data_dir = place.data_dir.as_deref().map(|path| path.to_string_lossy().into_owned());
    layers.add_flag("data_dir", data_dir)?;
    layers.add_flag("store", place.store.clone())?;
    Ok(layers)
}

fn add_listening(layers: &mut Layers, listening: &Listening) -> Result<()> {
    layers.add_flag("server.listen", listening.listen.map(|address| address.to_string()))?;
    layers.add_flag("server.admin_listen", listening.admin_listen.clone())
}

/// Settings of commands that do one thing and end. Their log is for what needs attention.
fn tool_settings(place: &Place) -> Result<Settings> {
    let settings = Settings::resolve(&layers(place)?)?;
    logging::start(settings.log.format, settings.log.level.min(Level::Warn))?;
    Ok(settings)
}

/// Opens the store, or makes it.
fn open_or_create_store(settings: &Settings, role: Role) -> Result<Store> {
    if let Some(folder) = settings.store.file().and_then(Path::parent) {
        make_folder(folder)?;
    }
    open(settings, role, true)
}

/// Makes a folder that only its owner can enter, as records tell who spoke with whom.
fn make_folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("making {}", path.display()))
}

/// Says so if others can enter the data folder, which was there before.
fn look_at_folder(settings: &Settings) {
    let folder = &settings.data_dir;
    let mode = fs::metadata(folder).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let (folder, mode) = (folder.display(), format!("{mode:03o}"));
        tracing::warn!(%folder, mode, "others can enter the data folder: give it mode 700");
    }
}

/// Opens a store that must be there.
fn open_store(settings: &Settings) -> Result<Store> {
    open(settings, Role::Tool, false)
}

fn open(settings: &Settings, role: Role, create: bool) -> Result<Store> {
    let usual = Options::at(settings.store.clone(), role);
    // An operator who lets queries take longer has a slow machine, or much data.
    let statement_limit = usual.statement_limit.max(settings.limits.of_queries().cost.time);
    Store::open(&Options { create, statement_limit, ..usual })
        .with_context(|| format!("opening {}", settings.store))
}
