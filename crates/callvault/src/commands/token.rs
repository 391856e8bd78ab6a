//! `token`: prints a bearer token of the built-in issuer.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use identity::{Grant, Issuer, OPERATOR_APP};
use store::Role;

use super::setup::open_or_create_store;
use crate::cli::Token;
use crate::settings::Settings;
use crate::{clock, keys};

pub(super) fn run(args: &Token, settings: &Settings) -> Result<ExitCode> {
    let store = open_or_create_store(settings, Role::Tool)?;
    let master = keys::master_key(settings)?;
    let now = clock::now();
    if let Some(app) = &args.app {
        let app = store.reader()?.app(app)?;
        let belongs = app.is_some_and(|app| app.tenant == args.tenant);
        ensure!(belongs, "this tenant has no such application");
    }
    let signing_keys = keys::signing_keys(&store, &master, now)?;
    // Only the running server may know its public address.
    let issuer = Issuer::new(settings.server.public_url.as_deref(), &master, &signing_keys)?;
    let grant = Grant {
        tenant: args.tenant.as_str(),
        app_id: args.app.as_deref().unwrap_or(OPERATOR_APP),
        roles: &args.roles,
        ttl: args.ttl.as_secs() as i64,
    };
    writeln!(io::stdout(), "{}", issuer.issue(&grant, now)?)?;
    Ok(ExitCode::SUCCESS)
}
