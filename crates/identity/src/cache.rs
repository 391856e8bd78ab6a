//! Tokens that were verified, remembered by their digest.
//!
//! Verifying a signature costs some twenty times what a SHA-256 does. An entry names the generation
//! of the keys it was verified under: when a key goes, the generation moves on and nothing
//! remembered counts any more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;

use crate::Caller;

/// Tokens that are remembered at most.
const CAPACITY: usize = 100_000;
/// Parts with a lock each, so that threads seldom meet.
const SHARDS: usize = 16;
/// Seconds for which a token is remembered at most, then it is verified again: an issuer whose
/// keys can't be had any more must not live on here.
const LONGEST: i64 = 3600;

/// SHA-256 of a token.
pub(crate) type Digest = [u8; 32];

/// The digest under which a token is remembered.
pub(crate) fn digest(token: &str) -> Digest {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// What is remembered of a token.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) caller: Arc<Caller>,
    until: i64,
    generation: u64,
}

/// The verified tokens. Entries that are over are dropped when room is needed.
pub(crate) struct Cache {
    shards: [RwLock<HashMap<Digest, Known>>; SHARDS],
    generation: Arc<AtomicU64>,
    shard_capacity: usize,
}

impl Cache {
    /// An empty cache for keys of the given generation.
    pub(crate) fn new(generation: Arc<AtomicU64>) -> Self {
        Self { shards: Default::default(), generation, shard_capacity: CAPACITY / SHARDS }
    }

    /// The generation of the keys now. To be read before the keys are.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Forgets everything, after a key went.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Who calls with a token of this digest, if that is known and still so.
    pub(crate) fn get(&self, digest: &Digest, now: i64) -> Option<Arc<Caller>> {
        self.known(digest, now).map(|known| known.caller)
    }

    /// The same with how long it counts.
    pub(crate) fn known(&self, digest: &Digest, now: i64) -> Option<Known> {
        let shard = self.shard(digest).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(digest).filter(|known| self.still_counts(known, now)).cloned()
    }

    /// Whether what was remembered is still so.
    pub(crate) fn still_counts(&self, known: &Known, now: i64) -> bool {
        now < known.until && known.generation == self.generation()
    }

    /// Remembers a token that was verified at `now` under keys of the given generation and counts
    /// until `until`, seconds since 1970.
    pub(crate) fn put(
        &self,
        digest: Digest,
        caller: &Arc<Caller>,
        now: i64,
        until: i64,
        generation: u64,
    ) {
        let until = until.min(now.saturating_add(LONGEST));
        let entry = Known { caller: Arc::clone(caller), until, generation };
        let mut shard = self.shard(&digest).write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= self.shard_capacity {
            self.make_room(&mut shard, now);
        }
        shard.insert(digest, entry);
    }

    /// Drops what is over, and if that is little, any eighth: what is dropped is verified again.
    fn make_room(&self, shard: &mut HashMap<Digest, Known>, now: i64) {
        let generation = self.generation();
        shard.retain(|_, entry| now < entry.until && entry.generation == generation);
        let wanted = self.shard_capacity - self.shard_capacity.div_ceil(8);
        let surplus = shard.len().saturating_sub(wanted);
        let victims: Vec<_> = shard.keys().take(surplus).copied().collect();
        for victim in victims {
            shard.remove(&victim);
        }
    }

    fn shard(&self, digest: &Digest) -> &RwLock<HashMap<Digest, Known>> {
        &self.shards[usize::from(digest[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(app: &str) -> Arc<Caller> {
        Arc::new(Caller {
            tenant: "t".into(),
            app_id: app.into(),
            roles: Vec::new(),
            expires_at: 0,
            is_own: false,
        })
    }

    #[test]
    fn a_token_is_remembered_until_its_time() {
        let cache = Cache::new(Arc::default());
        cache.put(digest("a"), &caller("x"), 100, 200, 0);
        assert_eq!(cache.get(&digest("a"), 199).expect("known").app_id, "x");
        assert_eq!(cache.get(&digest("a"), 200), None);
        assert_eq!(cache.get(&digest("b"), 199), None);
    }

    #[test]
    fn no_token_is_remembered_for_longer_than_an_hour() {
        let cache = Cache::new(Arc::default());
        cache.put(digest("a"), &caller("x"), 100, i64::MAX, 0);
        assert!(cache.get(&digest("a"), 100 + LONGEST - 1).is_some());
        assert_eq!(cache.get(&digest("a"), 100 + LONGEST), None);
    }

    #[test]
    fn nothing_counts_once_a_key_went_even_what_is_put_late() {
        let cache = Cache::new(Arc::default());
        let generation = cache.generation();
        cache.put(digest("a"), &caller("x"), 0, 10, generation);
        cache.forget();
        cache.put(digest("b"), &caller("x"), 0, 10, generation);
        assert_eq!(cache.get(&digest("a"), 1), None);
        assert_eq!(cache.get(&digest("b"), 1), None);
        cache.put(digest("b"), &caller("x"), 0, 10, cache.generation());
        assert!(cache.get(&digest("b"), 1).is_some());
    }

    #[test]
    fn the_cache_stays_bounded_and_keeps_what_it_took_last() {
        let cache = Cache { shard_capacity: 8, ..Cache::new(Arc::default()) };
        for number in 0..10_000 {
            let token = digest(&number.to_string());
            cache.put(token, &caller("x"), 0, 10, 0);
            assert!(cache.get(&token, 0).is_some());
        }
        let held: usize = cache.shards.iter().map(|shard| shard.read().expect("sound").len()).sum();
        assert!(held <= 8 * SHARDS && held > 6 * SHARDS, "{held}");
    }
}
