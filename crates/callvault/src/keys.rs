//! The keys of an installation: the master key beside the store, and all others encrypted in the store.

use anyhow::{Context, Result, ensure};
use identity::{MasterKey, SigningKey};
use store::{SigningKeyRow, Store};

use crate::settings::Settings;

/// Environment variable with the master key, for nodes without a key file.
const MASTER_KEY_VARIABLE: &str = "CALLVAULT_MASTER_KEY";
/// Prefix of the names of page token keys in the store; a number follows.
const PAGE_TOKEN_KEY: &str = "page-token-key/";
/// Seconds for which a key signs.
const ROTATION: i64 = 90 * 24 * 3600;

/// Reads the master key. The first start creates it.
pub(crate) fn master_key(settings: &Settings) -> Result<MasterKey> {
    if let Ok(text) = std::env::var(MASTER_KEY_VARIABLE) {
        return MasterKey::from_text(&text).context(MASTER_KEY_VARIABLE);
    }
    ensure!(
        settings.store.file().is_some(),
        "{MASTER_KEY_VARIABLE} must be set for a store in PostgreSQL, to the same key on all nodes"
    );
    let path = settings.master_key_path();
    MasterKey::load_or_create(&path).with_context(|| format!("master key {}", path.display()))
}

/// The keys that sign tokens, and those whose tokens are still valid. Creates one if none signs.
pub(crate) fn signing_keys(store: &Store, master: &MasterKey, now: i64) -> Result<Vec<SigningKey>> {
    let keys = stored(store)?;
    if keys.iter().any(|key| key.not_after.is_none()) {
        return Ok(keys);
    }
    save(store, &SigningKey::generate(master, now)?)?;
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
            let key = master.open(name, sealed).with_context(|| {
                format!("{name} was encrypted with another master key than the current one")
            })?;
            let number = name[PAGE_TOKEN_KEY.len()..].parse()?;
            Ok((number, key.try_into().ok().context("a page token key has 32 bytes")?))
        })
        .collect::<Result<Vec<_>>>()?;
    keys.sort_unstable_by(|left, right| right.cmp(left));
    Ok(keys)
}

fn save(store: &Store, key: &SigningKey) -> Result<()> {
    let row = SigningKeyRow {
        kid: key.kid.clone(),
        algorithm: key.algorithm.clone(),
        sealed_private_key: key.sealed_private_key.clone(),
        public_jwk: key.public_jwk.clone(),
        created: key.created,
        not_after: key.not_after,
    };
    Ok(store.put_signing_key(row).wait()?)
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
