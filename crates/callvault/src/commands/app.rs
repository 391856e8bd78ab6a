//! `app`: manages the applications that may get tokens from the built-in issuer.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use store::{AppRow, Role, Store};

use super::setup::{open_or_create_store, open_store};
use super::subscriptions;
use crate::cli::{App, AppCreate, AppList, AppName, AppRoles};
use crate::clock;
use crate::settings::Settings;

pub(super) fn run(command: App, settings: &Settings) -> Result<ExitCode> {
    match command {
        App::Create(args) => {
            create(args, settings, &open_or_create_store(settings, Role::Tool)?)?;
        }
        App::List(args) => list(&args, &open_store(settings)?)?,
        App::Roles(args) => replace_roles(args, &open_store(settings)?)?,
        App::Rotate(name) => rotate(&name, &open_store(settings)?)?,
        App::Delete(name) => delete(&name, &open_store(settings)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(args: AppCreate, settings: &Settings, store: &Store) -> Result<()> {
    let secret = identity::generate_secret();
    let app = AppRow {
        client_id: identity::random_guid(),
        tenant: args.tenant,
        name: args.name,
        roles: args.roles,
        secret_hash: identity::hash_secret(&secret),
        created: clock::now(),
    };
    store.put_app(app.clone()).wait()?;
    let scheme = if settings.server.tls.is_some() { "https" } else { "http" };
    let listen_url = || format!("{scheme}://{}", settings.server.listen);
    let url = settings.server.public_url.clone().unwrap_or_else(listen_url);
    let endpoint = format!("{url}/{}/oauth2/v2.0/token", app.tenant);
    let mut out = io::stdout().lock();
    if args.json {
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
    writeln!(out, "token endpoint  {endpoint}")?;
    Ok(())
}

fn list(args: &AppList, store: &Store) -> Result<()> {
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
    let app = store.reader()?.app(&args.client_id)?.context("no such application")?;
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
    let app = store.reader()?.app(&name.client_id)?.context("no such application")?;
    let secret = identity::generate_secret();
    let secret_hash = identity::hash_secret(&secret);
    store.put_app(AppRow { secret_hash, ..app }).wait()?;
    writeln!(io::stdout(), "client secret   {secret}   (not shown again)")?;
    Ok(())
}

fn delete(name: &AppName, store: &Store) -> Result<()> {
    let was_there = store.delete_app(&name.client_id).wait()?;
    ensure!(was_there, "no such application");
    subscriptions::remove_all_of(store, &name.client_id)
}
