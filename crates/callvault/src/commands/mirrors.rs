//! Mirrors as commands and the server have them: set up by the settings or by `mirror add`, with their credentials.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use identity::{ClientCertificate, MasterKey};
use mirror::{Credential, CredentialKind, MirrorRun, MirrorSettings, Mirrors, Secret, hours};
use store::{MirrorRow, MirrorSetup, Reader, Store};

use super::background::BackgroundTask;
use crate::keys;
use crate::settings::{CredentialPlace, MirrorEntry, Settings};

/// Bytes of a file with a secret.
const LARGEST_SECRET: u64 = 64 << 10;

/// Reads a credential.
pub(super) fn read_credential(place: &CredentialPlace) -> Result<Credential> {
    let text = match place {
        CredentialPlace::Variable(name) => std::env::var(name)
            .with_context(|| format!("the environment has no variable {name} with the secret"))?,
        CredentialPlace::File(path) if path == Path::new("-") => read(io::stdin().lock())?,
        CredentialPlace::File(path) => read_file(path)?,
        CredentialPlace::Certificate(path) => {
            let certificate = ClientCertificate::from_pem(&read_file(path)?);
            let certificate = certificate.with_context(|| path.display().to_string())?;
            return Ok(Credential::Certificate(Arc::new(certificate)));
        }
        CredentialPlace::Federated(path) => {
            let path = path.canonicalize();
            let path = path.with_context(|| format!("opening {}", place.file().display()))?;
            return Ok(Credential::Federated(path));
        }
    };
    let secret = Secret::new(&text);
    ensure!(!secret.is_empty(), "the secret is empty");
    Ok(Credential::Secret(secret))
}

/// What a credential is, as the settings of a mirror say it.
pub(super) fn kind(credential: &Credential) -> CredentialKind {
    match credential {
        Credential::Secret(_) => CredentialKind::Secret,
        Credential::Certificate(certificate) => {
            let certificate = certificate.certificate();
            let (thumbprint, ends) = (certificate.thumbprint.clone(), certificate.not_after);
            CredentialKind::Certificate { thumbprint, ends }
        }
        Credential::Federated(path) => CredentialKind::Federated(path.clone()),
    }
}

/// The same of one that may still be missing; only a certificate has to be read for it.
fn kind_at(place: &CredentialPlace) -> Result<CredentialKind> {
    Ok(match place {
        CredentialPlace::Variable(_) | CredentialPlace::File(_) => CredentialKind::Secret,
        CredentialPlace::Federated(path) => {
            CredentialKind::Federated(path.canonicalize().unwrap_or_else(|_| path.clone()))
        }
        CredentialPlace::Certificate(_) => kind(&read_credential(place)?),
    })
}

fn read_file(path: &Path) -> Result<String> {
    let file = fs::File::open(path);
    read(file.with_context(|| format!("opening {}", path.display()))?)
        .with_context(|| format!("reading {}", path.display()))
}

fn read(from: impl Read) -> Result<String> {
    let mut text = String::new();
    from.take(LARGEST_SECRET).read_to_string(&mut text)?;
    Ok(text)
}

/// Keeps the credential of a mirror in the store, encrypted. Of a federated one only the settings know the
/// file. `place` is where it came from.
pub(super) fn keep_credential(
    store: &Store,
    master: &MasterKey,
    (mirror, place): (&str, &CredentialPlace),
    credential: &Credential,
) -> Result<()> {
    let (name, text) = match (credential, place) {
        (Credential::Secret(secret), _) => (secret_name(mirror), secret.as_bytes().to_vec()),
        (Credential::Certificate(_), CredentialPlace::Certificate(path)) => {
            (certificate_name(mirror), read_file(path)?.into_bytes())
        }
        _ => return Ok(()),
    };
    Ok(store.put_secret(&name, master.seal(&name, &text)).wait()?)
}

fn secret_name(mirror: &str) -> String {
    format!("mirror/{mirror}/client-secret")
}

fn certificate_name(mirror: &str) -> String {
    format!("mirror/{mirror}/certificate")
}

/// What a mirror is set up to do from now on.
pub(super) fn setup(entry: &MirrorEntry, is_of_file: bool) -> MirrorSetup {
    let from = store::clock::system() - entry.backfill_days * hours::DAY;
    MirrorSetup {
        name: entry.name.clone(),
        tenant: entry.tenant.clone(),
        settings: entry.settings.to_json(),
        is_of_file,
        // The first hour that is still listed whole, or the one that it is.
        begins: hours::of(from) + i64::from(entry.backfill_days > 0),
    }
}

/// Sets up the mirrors of the settings file.
pub(super) fn import(entries: &[MirrorEntry], store: &Store) -> Result<()> {
    let known = store.reader()?.mirrors()?;
    for entry in entries {
        let mut entry = entry.clone();
        let known = known.iter().find(|known| known.setup.name == entry.name);
        match kind_at(&entry.credential) {
            Ok(kind) => entry.settings.credential = kind,
            // A server has more to do than this: the mirror tries again, and tells of it.
            Err(error) => {
                tracing::error!("the mirror {}: {error:#}", entry.name);
                let before =
                    known.and_then(|it| MirrorSettings::from_json(&it.setup.settings).ok());
                entry.settings.credential =
                    before.map_or(CredentialKind::Secret, |settings| settings.credential);
            }
        }
        let mut wanted = setup(&entry, true);
        if let Some(known) = known {
            // What it covers began when it was set up first.
            wanted.begins = known.setup.begins;
        }
        let name = &entry.name;
        ensure!(
            store.put_mirror(wanted).wait()?,
            "the mirror {name} in the store is of another tenant than that of the settings: give the new one \
             another name, or `callvault mirror remove {name}`, which keeps the records"
        );
    }
    Ok(())
}

/// The mirror of a name, or the only one.
pub(super) fn find(reader: &mut Reader, name: Option<&str>) -> Result<MirrorRow> {
    let mut mirrors = reader.mirrors()?;
    let names: Vec<&str> = mirrors.iter().map(|mirror| mirror.setup.name.as_str()).collect();
    let names = names.join(", ");
    match name {
        Some(name) => match mirrors.iter().position(|mirror| mirror.setup.name == name) {
            Some(place) => Ok(mirrors.swap_remove(place)),
            None if mirrors.is_empty() => {
                bail!("there is no mirror yet: `callvault mirror add` makes one")
            }
            None => bail!("there is no mirror {name:?}: there are {names}"),
        },
        None if mirrors.len() == 1 => Ok(mirrors.swap_remove(0)),
        None if mirrors.is_empty() => {
            bail!("there is no mirror yet: `callvault mirror add` makes one")
        }
        None => bail!("name one of the mirrors {names}"),
    }
}

/// Where the settings say that the credential of a mirror is read, if they set it up.
pub(super) fn place_of_credential<'s>(
    settings: &'s Settings,
    name: &str,
) -> Option<&'s CredentialPlace> {
    settings.mirrors.iter().find(|entry| entry.name == name).map(|entry| &entry.credential)
}

/// All that a mirror needs to run; its credential is read at a place, or kept in the store.
pub(super) fn run_of(
    place: Option<&CredentialPlace>,
    store: &Store,
    master: &MasterKey,
    mirror: MirrorRow,
) -> Result<MirrorRun> {
    let name = &mirror.setup.name;
    let credential = match place {
        Some(place) => read_credential(place).with_context(|| format!("the mirror {name}"))?,
        None => kept_credential(store, master, &mirror)?,
    };
    let sealing = master.clone();
    let seal: mirror::Seal = Arc::new(move |purpose, plain| sealing.seal(purpose, plain));
    Ok(MirrorRun {
        store: store.clone(),
        mirror,
        credential,
        seal,
        shared: Arc::default(),
        notified_at: None,
    })
}

fn kept_credential(store: &Store, master: &MasterKey, mirror: &MirrorRow) -> Result<Credential> {
    let settings = MirrorSettings::from_json(&mirror.setup.settings).map_err(anyhow::Error::msg)?;
    let of = &mirror.setup.name;
    let name = match settings.credential {
        CredentialKind::Federated(path) => return Ok(Credential::Federated(path)),
        CredentialKind::Secret => secret_name(of),
        CredentialKind::Certificate { .. } => certificate_name(of),
    };
    let sealed = store.reader()?.secret(&name)?.with_context(|| {
        format!("the store has no credential of the mirror {of}: run `callvault mirror add {of} …` again")
    })?;
    let plain = master.open(&name, &sealed).with_context(|| format!("{name}: {}", keys::REMEDY))?;
    let plain = String::from_utf8_lossy(&plain);
    if name == secret_name(of) {
        return Ok(Credential::Secret(Secret::new(&plain)));
    }
    let certificate =
        ClientCertificate::from_pem(&plain).context("the certificate in the store")?;
    Ok(Credential::Certificate(Arc::new(certificate)))
}

/// Runs each mirror of the store in the background.
pub(super) fn start(
    settings: &Settings,
    store: &Store,
    (master, shared): (&MasterKey, &Arc<Mirrors>),
) -> Result<Vec<BackgroundTask>> {
    import(&settings.mirrors, store)?;
    let mut tasks = Vec::new();
    for mirror in store.reader()?.mirrors()? {
        let name = mirror.setup.name.clone();
        // Without an address the list alone is read, which is enough.
        let notified_at = receive(settings, store, (master, shared), &mirror);
        let notified_at = notified_at.unwrap_or_else(|error| {
            tracing::error!(mirror = name, "it is not notified of new calls: {error:#}");
            None
        });
        let place = place_of_credential(settings, &name).cloned();
        let (store, master, shared) = (store.clone(), master.clone(), Arc::clone(shared));
        tasks.push(BackgroundTask::start("mirror", move |stop| async move {
            let load = || {
                let loaded = load(&name, place.as_ref(), (&store, &master));
                let loaded = loaded.map_err(|error| format!("{error:#}"))?;
                Ok(loaded.map(|run| MirrorRun {
                    shared: Arc::clone(&shared),
                    notified_at: notified_at.clone(),
                    ..run
                }))
            };
            mirror::keep_running(&name, load, (&store, &shared), stop).await;
            Ok::<(), anyhow::Error>(())
        })?);
    }
    Ok(tasks)
}

/// Receives notifications for a mirror, if its source is to send any; the address before the path then.
fn receive(
    settings: &Settings,
    store: &Store,
    (master, shared): (&MasterKey, &Mirrors),
    mirror: &MirrorRow,
) -> Result<Option<String>> {
    let of_mirror =
        MirrorSettings::from_json(&mirror.setup.settings).map_err(anyhow::Error::msg)?;
    let public_url = settings.server.public_url.as_deref();
    let Some(at) = of_mirror.notifications.address(public_url) else { return Ok(None) };
    // The same on all nodes: the first one that starts makes it.
    let name = format!("mirror/{}/path", mirror.setup.name);
    let new = identity::generate_secret();
    let sealed = store.put_secret_if_absent(&name, master.seal(&name, new.as_bytes())).wait()?;
    let secret =
        master.open(&name, &sealed).with_context(|| format!("{name}: {}", keys::REMEDY))?;
    let secret = String::from_utf8_lossy(&secret).into_owned();
    let opening = master.clone();
    let open: mirror::Open = Arc::new(move |purpose, sealed| opening.open(purpose, sealed).ok());
    shared.reception.open(mirror, secret, store.clone(), open);
    Ok(Some(at))
}

/// A mirror as it is set up now; none if there is none of the name.
fn load(
    name: &str,
    place: Option<&CredentialPlace>,
    (store, master): (&Store, &MasterKey),
) -> Result<Option<MirrorRun>> {
    let mut mirrors = store.reader()?.mirrors()?.into_iter();
    let mirror = mirrors.find(|mirror| mirror.setup.name == name);
    mirror.map(|mirror| run_of(place, store, master, mirror)).transpose()
}
