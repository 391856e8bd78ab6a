//! Mirrors as commands and the server have them: set up by the settings or by `mirror add`, with their secrets.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use identity::MasterKey;
use mirror::{MirrorRun, Secret, hours};
use store::{MirrorRow, MirrorSetup, Reader, Store};

use super::background::BackgroundTask;
use crate::keys;
use crate::settings::{MirrorEntry, SecretPlace, Settings};

/// Bytes of a file with a secret.
const LARGEST_SECRET: u64 = 64 << 10;

/// Reads a secret.
pub(super) fn read_secret(place: &SecretPlace) -> Result<Secret> {
    let text = match place {
        SecretPlace::Variable(name) => std::env::var(name)
            .with_context(|| format!("the environment has no variable {name} with the secret"))?,
        SecretPlace::File(path) if path == Path::new("-") => read(io::stdin().lock())?,
        SecretPlace::File(path) => {
            let file = fs::File::open(path);
            read(file.with_context(|| format!("opening {}", path.display()))?)
                .with_context(|| format!("reading {}", path.display()))?
        }
    };
    let secret = Secret::new(&text);
    ensure!(!secret.is_empty(), "the secret is empty");
    Ok(secret)
}

fn read(from: impl Read) -> Result<String> {
    let mut text = String::new();
    from.take(LARGEST_SECRET).read_to_string(&mut text)?;
    Ok(text)
}

/// Keeps the secret of a mirror in the store.
pub(super) fn keep_secret(
    store: &Store,
    master: &MasterKey,
    mirror: &str,
    secret: &Secret,
) -> Result<()> {
    let name = secret_name(mirror);
    Ok(store.put_secret(&name, master.seal(&name, secret.as_bytes())).wait()?)
}

fn secret_name(mirror: &str) -> String {
    format!("mirror/{mirror}/client-secret")
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
        let mut wanted = setup(entry, true);
        if let Some(known) = known.iter().find(|known| known.setup.name == entry.name) {
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

/// Where the settings say that the secret of a mirror is read, if they set it up.
pub(super) fn place_of_secret<'s>(settings: &'s Settings, name: &str) -> Option<&'s SecretPlace> {
    settings.mirrors.iter().find(|entry| entry.name == name).map(|entry| &entry.secret)
}

/// All that a mirror needs to run; its secret is read at a place, or kept in the store.
pub(super) fn run_of(
    place: Option<&SecretPlace>,
    store: &Store,
    master: &MasterKey,
    mirror: MirrorRow,
) -> Result<MirrorRun> {
    let name = &mirror.setup.name;
    let secret = match place {
        Some(place) => read_secret(place).with_context(|| format!("the mirror {name}"))?,
        None => kept_secret(store, master, name)?,
    };
    let sealing = master.clone();
    let seal: mirror::Seal = Arc::new(move |purpose, plain| sealing.seal(purpose, plain));
    Ok(MirrorRun { store: store.clone(), mirror, secret, seal })
}

fn kept_secret(store: &Store, master: &MasterKey, mirror: &str) -> Result<Secret> {
    let name = secret_name(mirror);
    let sealed = store.reader()?.secret(&name)?.with_context(|| {
        format!("the store has no secret of the mirror {mirror}: run `callvault mirror add {mirror} …` again")
    })?;
    let plain = master.open(&name, &sealed).with_context(|| format!("{name}: {}", keys::REMEDY))?;
    Ok(Secret::new(&String::from_utf8_lossy(&plain)))
}

/// Runs each mirror of the store in the background.
pub(super) fn start(
    settings: &Settings,
    store: &Store,
    master: &MasterKey,
) -> Result<Vec<BackgroundTask>> {
    import(&settings.mirrors, store)?;
    let mut tasks = Vec::new();
    for mirror in store.reader()?.mirrors()? {
        let name = mirror.setup.name;
        let place = place_of_secret(settings, &name).cloned();
        let (store, master) = (store.clone(), master.clone());
        tasks.push(BackgroundTask::start("mirror", move |stop| async move {
            let load = || load(&name, place.as_ref(), (&store, &master));
            mirror::keep_running(&name, || load().map_err(|error| format!("{error:#}")), stop)
                .await;
            Ok::<(), anyhow::Error>(())
        })?);
    }
    Ok(tasks)
}

/// A mirror as it is set up now; none if there is none of the name.
fn load(
    name: &str,
    place: Option<&SecretPlace>,
    (store, master): (&Store, &MasterKey),
) -> Result<Option<MirrorRun>> {
    let mut mirrors = store.reader()?.mirrors()?.into_iter();
    let mirror = mirrors.find(|mirror| mirror.setup.name == name);
    mirror.map(|mirror| run_of(place, store, master, mirror)).transpose()
}
