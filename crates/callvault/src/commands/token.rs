//! `token`: prints a bearer token of the built-in issuer.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use identity::{Grant, Issuer, OPERATOR_APP};

use super::opening::open_store;
use super::tenants;
use crate::cli::Token;
use crate::settings::Settings;
use crate::{clock, keys};

pub(super) fn run(args: &Token, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut store.reader()?)?;
    let master = keys::master_key(settings, &store)?;
    let now = clock::now();
    if let Some(id) = &args.app {
        let belongs = store.reader()?.app(id)?.is_some_and(|app| app.tenant == tenant);
        ensure!(
            belongs,
            "the tenant {tenant} has no application with the client id {id}: `callvault app list` \
             prints all of them"
        );
    }
    let signing_keys = keys::signing_keys(&store, &master, now)?;
    // Only the running server may know its public address.
    let issuer = Issuer::new(settings.server.public_url.as_deref(), &master, &signing_keys)?;
    let grant = Grant {
        tenant: tenant.as_str(),
        app_id: args.app.as_deref().unwrap_or(OPERATOR_APP),
        roles: &args.roles,
        ttl: args.ttl.as_secs() as i64,
    };
    writeln!(io::stdout(), "{}", issuer.issue(&grant, now)?)?;
    Ok(ExitCode::SUCCESS)
}
