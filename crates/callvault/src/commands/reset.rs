//! `keys reset`: a store whose master key is lost gets new keys, and keeps its records.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use store::Role;

use super::opening::open_existing_store;
use super::subscriptions::without_secrets;
use crate::keys;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<ExitCode> {
    // As its owner, since a server would go on with the old keys.
    let store = open_existing_store(settings, Role::Serve)?;
    if keys::existing_master_key(settings)?.is_none() {
        keys::new_master_key(settings)?;
    }
    let subscriptions = store.reader()?.subscriptions(None, store::clock::now())?;
    for row in &subscriptions {
        store.delete_subscription(&row.id).wait()?;
    }
    let (signing, secrets) = store.delete_sealed().wait()?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "dropped: signing keys {signing}, other secrets {secrets}, subscriptions {}\n\
         kept: all records and their versions, the change log, applications and their secrets\n\
         master key: {}; keep a copy of it apart from the store\n\n\
         To be made anew:\n\
         - tokens: applications request new ones with their secrets; replace those of `callvault token`\n\
         - page links (@odata.nextLink) that clients hold: clients begin their lists again\n\
         - subscriptions: their programs create them again, and read what changed meanwhile",
        subscriptions.len(),
        keys::place_of_master_key(settings)
    )?;
    for row in &subscriptions {
        let (application, url) = (&row.application_id, without_secrets(&row.notification_url));
        writeln!(out, "    {} of application {application}: {} to {url}", row.id, row.resource)?;
    }
    if settings.store.file().is_none() {
        writeln!(out, "- nodes that run: restart them with this master key")?;
    }
    Ok(ExitCode::SUCCESS)
}
