//! What commands begin with: their settings and their log.

use anyhow::Result;

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
    let is_elsewhere =
        settings.store.file().is_none_or(|file| !file.starts_with(&settings.data_dir));
    if global.is_data_dir_flag && !global.is_store_flag && is_elsewhere {
        let (folder, store) = (settings.data_dir.display(), &settings.store);
        logging::note(&format!(
            "the store is {store}, as CALLVAULT_STORE or the settings file says, and not in --data-dir \
             {folder}: --store sqlite:{folder}/callvault.db names the one there"
        ));
    }
    logging::start(settings.log.format, settings.log.level.min(Level::Warn))?;
    Ok(settings)
}
