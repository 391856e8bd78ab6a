//! `app`: manages the applications that may get tokens from the built-in issuer.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use serde_json::json;
use store::{AppRow, Store};

use super::opening::open_store;
use super::registered_app::{find, unknown};
use super::{app_credential, subscriptions, tenants};
use crate::cli::{App, AppCreate, AppList, AppName, AppRoles};
use crate::settings::Settings;
use crate::{clock, logging};

pub(super) fn run(command: App, settings: &Settings) -> Result<ExitCode> {
    match command {
        App::Create(args) => create(args, settings, &open_store(settings)?)?,
        App::List(args) => list(&args, &open_store(settings)?)?,
        App::Roles(args) => replace_roles(args, &open_store(settings)?)?,
        App::Rotate(name) => rotate(&name, &open_store(settings)?)?,
        App::Credential(command) => app_credential::run(command, &open_store(settings)?)?,
        App::Delete(name) => delete(&name, &open_store(settings)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(args: AppCreate, settings: &Settings, store: &Store) -> Result<()> {
    let secret = identity::generate_secret();
    let app = AppRow {
        client_id: identity::random_guid(),
        tenant: tenants::resolve(args.tenant.as_ref(), &mut store.reader()?)?,
        name: args.name,
        roles: args.roles,
        secret_hash: identity::hash_secret(&secret),
        created: clock::now(),
    };
    let same = store.reader()?.apps()?;
    let same = same.iter().find(|it| it.tenant == app.tenant && it.name == app.name);
    if let Some(AppRow { client_id, name, .. }) = same {
        logging::note(&format!(
            "the tenant has another application named {name}, with the client id {client_id}: both can get \
             tokens, and `callvault app delete` removes one"
        ));
    }
    store.put_app(app.clone()).wait()?;
    // Without the setting, only the running server knows its address.
    let url = settings.server.public_url.as_deref().unwrap_or_default();
    let endpoint = format!("{url}/{}/oauth2/v2.0/token", app.tenant);
    let mut out = io::stdout().lock();
    if args.json {
        if url.is_empty() {
            logging::note(
                "the tokenEndpoint lacks the address of the server, which stands before it: server.public_url is \
                 not set",
            );
        }
        let object = json!({
            "tenant": app.tenant.as_str(),
            "clientId": app.client_id,
            "clientSecret": secret,
            "tokenEndpoint": endpoint,
            "name": app.name,
            "roles": app.roles,
        });
        return Ok(writeln!(out, "{object}")?);
    }
    writeln!(out, "tenant          {}", app.tenant)?;
    writeln!(out, "client id       {}", app.client_id)?;
    writeln!(out, "client secret   {secret}   (not shown again)")?;
    let what = if url.is_empty() { "   (behind the address of the server)" } else { "" };
    writeln!(out, "token endpoint  {endpoint}{what}")?;
    Ok(())
}

fn list(args: &AppList, store: &Store) -> Result<()> {
    tenants::note_unknown(args.tenant.as_ref(), &mut store.reader()?)?;
    let mut out = io::stdout().lock();
    for app in store.reader()?.apps()? {
        if args.tenant.as_ref().is_some_and(|tenant| *tenant != app.tenant) {
            continue;
        }
        if args.json {
            let object = json!({
                "tenant": app.tenant.as_str(),
                "clientId": app.client_id,
                "name": app.name,
                "roles": app.roles,
            });
            writeln!(out, "{object}")?;
        } else {
            let roles = app.roles.join(",");
            writeln!(out, "{}  {}  {}  {roles}", app.tenant, app.client_id, app.name)?;
        }
    }
    Ok(())
}

/// Replaces the roles of an application. If it loses the role to read, its subscribers get a
/// lifecycle event.
fn replace_roles(args: AppRoles, store: &Store) -> Result<()> {
    let app = find(store, &args.client_id)?;
    let reads =
        |roles: &[String]| roles.iter().any(|role| role == identity::role::READ_CALL_RECORDS);
    let loses = reads(&app.roles) && !reads(&args.roles);
    store.put_app(AppRow { roles: args.roles, ..app }).wait()?;
    if loses {
        subscriptions::require_reauthorization(store, &args.client_id)?;
    }
    Ok(())
}

fn rotate(name: &AppName, store: &Store) -> Result<()> {
    let app = find(store, &name.client_id)?;
    let secret = identity::generate_secret();
    let secret_hash = identity::hash_secret(&secret);
    store.put_app(AppRow { secret_hash, ..app }).wait()?;
    writeln!(io::stdout(), "client secret   {secret}   (not shown again)")?;
    Ok(())
}

fn delete(name: &AppName, store: &Store) -> Result<()> {
    let was_there = store.delete_app(&name.client_id).wait()?;
    ensure!(was_there, unknown(&name.client_id));
    subscriptions::remove_all_of(store, &name.client_id)
}
