//! What commands begin with: their settings, their log and the store.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use model::TenantId;
use store::{Options, Reader, Role, Store};

use crate::cli::{GlobalFlags, Listening};
use crate::logging;
use crate::settings::{self, Layers, Level, Settings};

/// The layers of a command: the settings file, the environment, and the global flags.
pub(super) fn layers(global: &GlobalFlags) -> Result<Layers> {
    layers_over(Layers::default(), global)
}

/// Adds the settings file, the environment and the global flags to the defaults of a command.
pub(super) fn layers_over(mut layers: Layers, global: &GlobalFlags) -> Result<Layers> {
    if let Some(file) = settings::file_to_read(global.config.as_deref()) {
        layers.add_file(&file)?;
    }
    let variables = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    layers.add_environment(variables)?;
    let data_dir = global.data_dir.as_deref().map(|path| path.to_string_lossy().into_owned());
    layers.add_flag("data_dir", data_dir)?;
    layers.add_flag("store", global.store.clone())?;
    Ok(layers)
}

/// Adds the flags for the addresses that a server listens on.
pub(super) fn add_listening(layers: &mut Layers, listening: &Listening) -> Result<()> {
    layers.add_flag("server.listen", listening.listen.map(|address| address.to_string()))?;
    layers.add_flag("server.admin_listen", listening.admin_listen.clone())
}

/// Settings of a command that does one thing and exits. It logs only what needs attention.
pub(super) fn tool_settings(global: &GlobalFlags) -> Result<Settings> {
    let settings = Settings::resolve(&layers(global)?)?;
    logging::start(settings.log.format, settings.log.level.min(Level::Warn))?;
    Ok(settings)
}

/// Opens the store, and creates it if it does not exist.
pub(super) fn open_or_create_store(settings: &Settings, role: Role) -> Result<Store> {
    if let Some(folder) = settings.store.file().and_then(Path::parent) {
        create_folder(folder)?;
    }
    open(settings, role, true)
}

/// Opens a store that must exist.
pub(super) fn open_store(settings: &Settings) -> Result<Store> {
    open(settings, Role::Tool, false)
}

fn open(settings: &Settings, role: Role, create: bool) -> Result<Store> {
    let defaults = Options::at(settings.store.clone(), role);
    // An operator who lets queries take longer has a slow machine, or much data.
    let query_time = settings.limits.of_queries().cost.time;
    let statement_limit = defaults.statement_limit.max(query_time);
    Store::open(&Options { create, statement_limit, ..defaults })
        .with_context(|| format!("opening {}", settings.store))
}

/// Creates a folder that only its owner can enter, since records show who spoke with whom.
pub(super) fn create_folder(path: &Path) -> Result<()> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.with_context(|| format!("creating {}", path.display()))
}

/// Warns if others can enter an existing data folder.
pub(super) fn check_data_folder(settings: &Settings) {
    let folder = &settings.data_dir;
    let mode = fs::metadata(folder).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let (folder, mode) = (folder.display(), format!("{mode:03o}"));
        tracing::warn!(%folder, mode, "others can enter the data folder: give it mode 700");
    }
}

/// The tenant that a flag names, or else the only one in the store.
pub(super) fn tenant(named: Option<&TenantId>, reader: &mut Reader) -> Result<TenantId> {
    if let Some(tenant) = named {
        return Ok(tenant.clone());
    }
    let tenants = reader.tenants()?;
    match tenants.as_slice() {
        [tenant] => Ok(tenant.clone()),
        [] => bail!("the store holds no records"),
        _ => bail!("the store holds records of {} tenants: name one with --tenant", tenants.len()),
    }
}
