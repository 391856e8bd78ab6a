//! `app credential`: what applications may show in place of their secrets.

use std::fs;
use std::io::{self, Write};

use anyhow::{Context, Result, ensure};
use identity::{Certificate, FederatedCredential};
use odata::primitive::DateTimeOffset;
use serde_json::Value;
use store::{AppCredential as Row, Store};

use super::registered_app::find;
use crate::cli::{AppCertificate, AppCredential, AppFederated};
use crate::clock;

/// What an application may have at most: each is tried with each assertion.
const MOST: usize = 20;

pub(super) fn run(command: AppCredential, store: &Store) -> Result<()> {
    match command {
        AppCredential::Certificate(args) => put_certificate(&args, store),
        AppCredential::Federated(args) => put_federated(args, store),
        AppCredential::List(name) => list(&name.client_id, store),
        AppCredential::Delete(name) => {
            let was_there = store.delete_app_credential(&name.client_id, &name.name).wait()?;
            ensure!(was_there, "the application has no credential named {:?}", name.name);
            Ok(())
        }
    }
}

fn put_certificate(args: &AppCertificate, store: &Store) -> Result<()> {
    let shown = args.file.display();
    let text = fs::read_to_string(&args.file).with_context(|| format!("reading {shown}"))?;
    let certificate = Certificate::from_pem(&text).with_context(|| shown.to_string())?;
    let thumbprint = certificate.thumbprint.clone();
    put(store, &args.client_id, ("certificate", thumbprint.clone(), certificate.pem))?;
    let ends = DateTimeOffset::from_unix_seconds(certificate.not_after);
    Ok(writeln!(io::stdout(), "certificate {thumbprint}, until {ends}")?)
}

fn put_federated(args: AppFederated, store: &Store) -> Result<()> {
    let shown = args.keys.display().to_string();
    let text = fs::read_to_string(&args.keys).with_context(|| format!("reading {shown}"))?;
    let set: Value = serde_json::from_str(&text).with_context(|| format!("{shown} is no JSON"))?;
    let keys = set.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let AppFederated { client_id, name, issuer, subject, audience, .. } = args;
    let credential = FederatedCredential { issuer, subject, audience, keys };
    ensure!(
        credential.has_usable_key(),
        "{shown} has no public key that signatures are checked with"
    );
    let body = serde_json::to_string(&credential)?;
    put(store, &client_id, ("federated", name, body))
}

fn put(store: &Store, client_id: &str, (kind, name, body): (&str, String, String)) -> Result<()> {
    find(store, client_id)?;
    let known = store.reader()?.app_credentials(client_id)?;
    let is_new = known.iter().all(|known| known.name != name);
    ensure!(!is_new || known.len() < MOST, "the application has {MOST} credentials already");
    let (client_id, kind, created) = (client_id.to_owned(), kind.to_owned(), clock::now());
    Ok(store.put_app_credential(Row { client_id, name, kind, body, created }).wait()?)
}

fn list(client_id: &str, store: &Store) -> Result<()> {
    find(store, client_id)?;
    let mut out = io::stdout().lock();
    for Row { name, kind, body, .. } in store.reader()?.app_credentials(client_id)? {
        let what = match kind.as_str() {
            "certificate" => Certificate::from_pem(&body).map_or_else(
                |error| error.to_string(),
                |read| format!("until {}", DateTimeOffset::from_unix_seconds(read.not_after)),
            ),
            _ => serde_json::from_str::<FederatedCredential>(&body).map_or_else(
                |error| error.to_string(),
                |read| format!("{} of {}", read.subject, read.issuer),
            ),
        };
        writeln!(out, "{kind}  {name}  {what}")?;
    }
    Ok(())
}
