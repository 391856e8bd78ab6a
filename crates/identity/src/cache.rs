//! Tokens that were verified, remembered by their digest.
//!
//! Verifying a signature costs some twenty times what a SHA-256 does. An entry names the generation
//! of the keys it was verified under: when a key goes, the generation moves on and nothing
//! remembered counts any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;

use crate::caller::Caller;

/// Tokens that are remembered at most.
const CAPACITY: usize = 100_000;
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

/// What is remembered of a token that was verified.
#[derive(Clone)]
pub(crate) struct VerifiedToken {
    pub(crate) caller: Arc<Caller>,
    /// Seconds since 1970 from which it must be verified again.
    pub(crate) until: i64,
    /// Of the keys it was verified with, read before they were.
    pub(crate) generation: u64,
}

/// The verified tokens. When there is no room, those go that were not used again.
pub(crate) struct Cache {
    tokens: quick_cache::sync::Cache<Digest, VerifiedToken>,
    generation: Arc<AtomicU64>,
}

impl Cache {
    /// An empty cache for keys of the given generation.
    pub(crate) fn new(generation: Arc<AtomicU64>) -> Self {
        Self::with_capacity(CAPACITY, generation)
    }

    fn with_capacity(tokens: usize, generation: Arc<AtomicU64>) -> Self {
        Self { tokens: quick_cache::sync::Cache::new(tokens), generation }
    }

    /// The generation of the keys now. To be read before the keys are.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Forgets everything, after a key went.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// The token of this digest, if it was verified and still counts.
    pub(crate) fn get(&self, digest: &Digest, now: i64) -> Option<VerifiedToken> {
        self.tokens.get(digest).filter(|token| self.still_counts(token, now))
    }

    /// Whether what was remembered is still so.
    pub(crate) fn still_counts(&self, token: &VerifiedToken, now: i64) -> bool {
        now < token.until && token.generation == self.generation()
    }

    /// Remembers a token that was verified at `now`.
    pub(crate) fn put(&self, digest: Digest, token: VerifiedToken, now: i64) {
        let until = token.until.min(now.saturating_add(LONGEST));
        self.tokens.insert(digest, VerifiedToken { until, ..token });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(until: i64, generation: u64) -> VerifiedToken {
        let caller = Caller {
            tenant: "t".into(),
            app_id: "x".into(),
            roles: Vec::new(),
            expires_at: 0,
            is_own: false,
        };
        VerifiedToken { caller: Arc::new(caller), until, generation }
    }

    #[test]
    fn a_token_is_remembered_until_its_time() {
        let cache = Cache::new(Arc::default());
        cache.put(digest("a"), token(200, 0), 100);
        assert_eq!(cache.get(&digest("a"), 199).expect("known").caller.app_id, "x");
        assert!(cache.get(&digest("a"), 200).is_none());
        assert!(cache.get(&digest("b"), 199).is_none());
    }

    #[test]
    fn no_token_is_remembered_for_longer_than_an_hour() {
        let cache = Cache::new(Arc::default());
        cache.put(digest("a"), token(i64::MAX, 0), 100);
        assert!(cache.get(&digest("a"), 100 + LONGEST - 1).is_some());
        assert!(cache.get(&digest("a"), 100 + LONGEST).is_none());
    }

    #[test]
    fn nothing_counts_once_a_key_went_even_what_is_put_late() {
        let cache = Cache::new(Arc::default());
        let generation = cache.generation();
        cache.put(digest("a"), token(10, generation), 0);
        cache.forget();
        cache.put(digest("b"), token(10, generation), 0);
        assert!(cache.get(&digest("a"), 1).is_none());
        assert!(cache.get(&digest("b"), 1).is_none());
        cache.put(digest("b"), token(10, cache.generation()), 0);
        assert!(cache.get(&digest("b"), 1).is_some());
    }

    #[test]
    fn the_cache_stays_bounded_and_keeps_what_it_took_last() {
        let cache = Cache::with_capacity(128, Arc::default());
        for number in 0..10_000 {
            let digest = digest(&number.to_string());
            cache.put(digest, token(10, 0), 0);
            assert!(cache.get(&digest, 0).is_some());
        }
        let count = cache.tokens.len();
        assert!(count <= 128 && count > 96, "{count}");
    }
}
