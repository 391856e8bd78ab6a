//! `serve`: serves the API until interrupted.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use store::Role;
use ui::Site;

use super::opening::{check_data_folder, open_or_create_store};
use super::setup::{add_listening, layers};
use super::{emulation, places, profiles, service};
use crate::cli::{GlobalFlags, Serve};
use crate::settings::Settings;
use crate::{keys, logging};

pub(super) fn run(args: &Serve, global: &GlobalFlags) -> Result<ExitCode> {
    let mut layers = layers(global)?;
    add_listening(&mut layers, &args.listening)?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    layers.add_flag("server.tls_cert", args.tls_cert.as_deref().map(text))?;
    layers.add_flag("server.tls_key", args.tls_key.as_deref().map(text))?;
    layers.add_flag("server.public_url", args.public_url.clone())?;
    layers.add_flag("server.allow_plain_http", args.allow_plain_http.then_some(true))?;
    let settings = Settings::resolve(&layers)?;
    logging::start(settings.log.format, settings.log.level)?;

    let listeners = service::bind(&settings)?;
    let store = open_or_create_store(&settings, Role::Serve)?;
    check_data_folder(&settings);
    places::import_files(&settings.places, &store)?;
    profiles::import_files(&settings.profiles, &store)?;
    let emulator = emulation::from_flags(&args.emulation)?;
    let master = keys::master_key(&settings, &store)?;
    let pages = settings.has_pages.then_some(Site { auto_sign_in: None });
    let service = service::start(&settings, listeners, store, master, emulator, pages)?;
    service.announce(&mut service::standard_output()?)?;
    service.run()?;
    Ok(ExitCode::SUCCESS)
}
