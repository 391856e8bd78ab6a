//! The tokens that a thread has seen last, remembered as they are.
//!
//! The cache of all threads knows a token by its SHA-256, which costs several times as much as
//! comparing the token itself. What stands here counts exactly as long as it does there.

use std::fmt;
use std::sync::Arc;

use crate::cache::VerifiedToken;
use crate::caller::Caller;
use crate::verify::Verifier;

/// Tokens that are remembered at most; each has one place, by its last bytes.
const PLACES: usize = 64;
/// A longer token is verified well, but not remembered here.
const LONGEST: usize = 8 << 10;

/// A token and what is known of it.
struct RecentToken {
    text: Box<str>,
    verified: VerifiedToken,
}

/// Recently seen tokens of one thread.
pub struct RecentTokens {
    places: Vec<Option<RecentToken>>,
}

impl RecentTokens {
    /// None yet.
    pub fn new() -> Self {
        Self { places: std::iter::repeat_with(|| None).take(PLACES).collect() }
    }

    /// Who calls with a token, when it was verified before and still counts. Never waits.
    pub fn caller(&mut self, verifier: &Verifier, token: &str, now: i64) -> Option<Arc<Caller>> {
        let place = &mut self.places[place_of(token)];
        if let Some(recent) = place
            && *recent.text == *token
            && verifier.still_counts(&recent.verified, now)
        {
            return Some(Arc::clone(&recent.verified.caller));
        }
        let verified = verifier.remembered(token, now)?;
        let caller = Arc::clone(&verified.caller);
        *place = (token.len() <= LONGEST).then(|| RecentToken { text: token.into(), verified });
        Some(caller)
    }
}

impl Default for RecentTokens {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RecentTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecentTokens").finish_non_exhaustive()
    }
}

/// A token ends with its signature, which is as good as random. Whoever sends tokens that meet at one
/// place makes them be looked up in the cache of all threads, and no more.
fn place_of(token: &str) -> usize {
    let bytes = token.as_bytes().iter().rev().take(8);
    bytes.fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)))
        % PLACES
}
