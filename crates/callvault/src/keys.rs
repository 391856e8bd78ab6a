//! The keys of an installation: the master key beside the store, and all others encrypted in the store.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use identity::{MasterKey, SigningKey};
use notify::Vault;
use store::{SigningKeyRow, Store};

use crate::settings::Settings;

/// Environment variable with the master key, for nodes without a key file.
pub(crate) const MASTER_KEY_VARIABLE: &str = "CALLVAULT_MASTER_KEY";
/// Prefix of the names of page token keys in the store; a number follows.
const PAGE_TOKEN_KEY: &str = "page-token-key/";
/// Seconds for which a key signs.
const ROTATION: i64 = 90 * 24 * 3600;
/// What to do about secrets that do not open.
pub(crate) const REMEDY: &str = "put the right master key back, or run `callvault keys reset`, which \
                                 keeps the records and says what must be made anew";

/// Reads the master key. The first start makes it, but never beside secrets that another one encrypted.
///
/// # Errors
/// When there is none, or not the one that encrypted what is in the store.
pub(crate) fn master_key(settings: &Settings, store: &Store) -> Result<MasterKey> {
    let master = match existing_master_key(settings)? {
        Some(master) => master,
        None if !has_sealed(store)? => new_master_key(settings)?,
        // Another process may have made it, and encrypted with it, since it was looked for.
        None => existing_master_key(settings)?.with_context(|| missing(settings))?,
    };
    if let Some(what) = unopened_keys(store, &master)?.first() {
        let place = place_of_master_key(settings);
        bail!(
            "{place} is not the master key that encrypted {what} in {}: {REMEDY}",
            settings.store
        );
    }
    Ok(master)
}

/// The master key of the environment or of its file; `None` if there is no file.
pub(crate) fn existing_master_key(settings: &Settings) -> Result<Option<MasterKey>> {
    if let Ok(text) = std::env::var(MASTER_KEY_VARIABLE) {
        return MasterKey::from_text(&text).context(MASTER_KEY_VARIABLE).map(Some);
    }
    ensure!(
        settings.store.file().is_some(),
        "{MASTER_KEY_VARIABLE} must be set for a store in PostgreSQL, to the same key on all nodes"
    );
    let path = settings.master_key_path();
    MasterKey::load_if_there(&path).with_context(|| format!("master key {}", path.display()))
}

/// Makes the file of the master key.
pub(crate) fn new_master_key(settings: &Settings) -> Result<MasterKey> {
    let path = settings.master_key_path();
    MasterKey::load_or_create(&path).with_context(|| format!("master key {}", path.display()))
}

/// Where the master key is, as text.
pub(crate) fn place_of_master_key(settings: &Settings) -> String {
    match std::env::var_os(MASTER_KEY_VARIABLE) {
        Some(_) => MASTER_KEY_VARIABLE.to_owned(),
        None => settings.master_key_path().display().to_string(),
    }
}

/// What is said when the file of the master key is gone.
pub(crate) fn missing(settings: &Settings) -> String {
    let (place, store) = (place_of_master_key(settings), &settings.store);
    format!(
        "there is no master key at {place}, and {store} holds secrets encrypted with it: {REMEDY}"
    )
}

/// Whether the store holds anything that is encrypted with a master key.
pub(crate) fn has_sealed(store: &Store) -> Result<bool> {
    let mut reader = store.reader()?;
    Ok(!reader.signing_keys()?.is_empty()
        || !reader.secrets("")?.is_empty()
        || !reader.subscriptions(None, store::clock::now())?.is_empty())
}

/// The keys in the store that do not open with the master key, each in words.
fn unopened_keys(store: &Store, master: &MasterKey) -> Result<Vec<String>> {
    let keys = stored(store)?.into_iter().filter(|key| !key.opens_with(master));
    let keys = keys.map(|key| format!("the signing key {}", key.kid));
    let secrets = store.reader()?.secrets("")?.into_iter();
    let secrets = secrets.filter(|(name, sealed)| master.open(name, sealed).is_err());
    Ok(keys.chain(secrets.map(|(name, _)| format!("the secret {name}"))).collect())
}

/// Everything in the store that does not open with the master key, each in words.
pub(crate) fn unopened(store: &Store, master: &MasterKey) -> Result<Vec<String>> {
    let mut found = unopened_keys(store, master)?;
    let vault = vault(master);
    for row in store.reader()?.subscriptions(None, store::clock::now())? {
        if vault.open_secrets(&row.id, &row.sealed_secrets).is_none() {
            found.push(format!("the secret of the subscription {}", row.id));
        }
    }
    Ok(found)
}

/// Encrypts and decrypts the secrets of subscriptions with the master key.
pub(crate) fn vault(master: &MasterKey) -> Vault {
    let (sealing, opening) = (master.clone(), master.clone());
    Vault {
        seal: Arc::new(move |purpose, plain| sealing.seal(purpose, plain)),
        open: Arc::new(move |purpose, sealed| opening.open(purpose, sealed).ok()),
    }
}

/// The keys that sign tokens, and those whose tokens are still valid. Creates one if none signs.
pub(crate) fn signing_keys(store: &Store, master: &MasterKey, now: i64) -> Result<Vec<SigningKey>> {
    let keys = stored(store)?;
    if keys.iter().any(|key| key.not_after.is_none()) {
        return Ok(keys);
    }
    store.put_first_signing_key(row_of_key(&SigningKey::generate(master, now)?)).wait()?;
    // Read again, since another process may have created one at the same time.
    Ok(stored(store)?)
}

/// Reads the signing keys of the store.
pub(crate) fn stored(store: &Store) -> Result<Vec<SigningKey>, store::Error> {
    Ok(store.reader()?.signing_keys()?.into_iter().map(key_of_row).collect())
}

/// Creates a new signing key if the current one is due for rotation, and deletes expired ones. Returns
/// the keys if they changed.
pub(crate) fn rotate_when_due(
    store: &Store,
    master: &MasterKey,
    now: i64,
) -> Result<Option<Vec<SigningKey>>> {
    let mut keys = stored(store)?;
    let mut has_changed = false;
    for key in keys.extract_if(.., |key| key.not_after.is_some_and(|until| until < now)) {
        store.delete_signing_key(&key.kid).wait()?;
        has_changed = true;
    }
    if !keys.iter().any(|key| key.not_after.is_none() && key.created > now - ROTATION) {
        let new = identity::rotate(&mut keys, master, now, identity::OVERLAP)?;
        // The new key first, so that there is always one that signs.
        save(store, &new)?;
        for key in &keys {
            save(store, key)?;
        }
        keys.push(new);
        has_changed = true;
    }
    Ok(has_changed.then_some(keys))
}

/// The page token keys with their numbers, newest first. Creates one if there is none.
pub(crate) fn page_token_keys(store: &Store, master: &MasterKey) -> Result<Vec<(u16, [u8; 32])>> {
    let mut stored = store.reader()?.secrets(PAGE_TOKEN_KEY)?;
    if stored.is_empty() {
        let name = format!("{PAGE_TOKEN_KEY}00001");
        let sealed = master.seal(&name, &identity::random_key());
        let sealed = store.put_secret_if_absent(&name, sealed).wait()?;
        stored.push((name, sealed));
    }
    let mut keys = stored
        .iter()
        .map(|(name, sealed)| {
            let key = master.open(name, sealed).with_context(|| format!("{name}: {REMEDY}"))?;
            let number = name[PAGE_TOKEN_KEY.len()..].parse()?;
            Ok((number, key.try_into().ok().context("a page token key has 32 bytes")?))
        })
        .collect::<Result<Vec<_>>>()?;
    keys.sort_unstable_by(|left, right| right.cmp(left));
    Ok(keys)
}

fn save(store: &Store, key: &SigningKey) -> Result<()> {
    Ok(store.put_signing_key(row_of_key(key)).wait()?)
}

fn row_of_key(key: &SigningKey) -> SigningKeyRow {
    SigningKeyRow {
        kid: key.kid.clone(),
        algorithm: key.algorithm.clone(),
        sealed_private_key: key.sealed_private_key.clone(),
        public_jwk: key.public_jwk.clone(),
        created: key.created,
        not_after: key.not_after,
    }
}

fn key_of_row(row: SigningKeyRow) -> SigningKey {
    SigningKey {
        kid: row.kid,
        algorithm: row.algorithm,
        sealed_private_key: row.sealed_private_key,
        public_jwk: row.public_jwk,
        created: row.created,
        not_after: row.not_after,
    }
}
