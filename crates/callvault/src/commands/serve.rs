//! `serve`: serves the API until interrupted.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use store::Role;

use super::{add_listening, emulating, layers, look_at_folder, open_or_create_store, serving};
use crate::cli::{Place, Serve};
use crate::settings::Settings;
use crate::{keys, logging};

pub(super) fn run(args: &Serve, place: &Place) -> Result<ExitCode> {
    let mut layers = layers(place)?;
    add_listening(&mut layers, &args.listening)?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    layers.add_flag("server.tls_cert", args.tls_cert.as_deref().map(text))?;
    layers.add_flag("server.tls_key", args.tls_key.as_deref().map(text))?;
    layers.add_flag("server.public_url", args.public_url.clone())?;
    layers.add_flag("server.allow_plain_http", args.allow_plain_http.then_some(true))?;
    let settings = Settings::resolve(&layers)?;
    logging::start(settings.log.format, settings.log.level)?;

    let store = open_or_create_store(&settings, Role::Serve)?;
    look_at_folder(&settings);
    let emulator = emulating::emulator(&args.emulation)?;
    let serving = serving::start(&settings, store, keys::master_key(&settings)?, emulator)?;
    serving.announce(&mut serving::outlet()?)?;
    serving.run()?;
    Ok(ExitCode::SUCCESS)
}
