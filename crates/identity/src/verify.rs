//! From a token to its caller.
//!
//! The issuer named in the token picks the keys, the key picks what algorithms there are, the
//! signature must fit, and only then are the claims looked at.

use std::fmt;
use std::sync::Arc;

use crate::cache::{self, Cache, VerifiedToken};
use crate::caller::Caller;
use crate::claims::{self, LEEWAY};
use crate::denial::Denial;
use crate::discovery;
use crate::fetch::Fetch;
use crate::issuer::Issuer;
use crate::issuers::{ConfigError, TrustedIssuer, TrustedIssuers};
use crate::jws::Jws;

/// Verifies tokens of the built-in issuer and of trusted ones. One for a process.
pub struct Verifier {
    built_in: Option<Arc<Issuer>>,
    trusted: Vec<Arc<TrustedIssuer>>,
    /// There is one whenever there are trusted issuers.
    fetcher: Option<Arc<dyn Fetch>>,
    cache: Arc<Cache>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trusted: Vec<_> = self.trusted.iter().map(|issuer| &issuer.name).collect();
        let built_in = &self.built_in;
        formatter
            .debug_struct("Verifier")
            .field("built_in", built_in)
            .field("trusted", &trusted)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that trusts these issuers. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`ConfigError`] when an issuer is configured in a way that can't work or isn't safe.
    pub fn new(
        built_in: Option<Arc<Issuer>>,
        trusted: Option<TrustedIssuers>,
    ) -> Result<Self, ConfigError> {
        let (configs, fetcher) = trusted.map(|trusted| (trusted.issuers, trusted.fetcher)).unzip();
        let mut issuers: Vec<Arc<TrustedIssuer>> = Vec::new();
        for config in configs.into_iter().flatten() {
            let issuer = TrustedIssuer::new(config)?;
            if issuers.iter().any(|other| other.name == issuer.name) {
                let problem = "is configured twice".to_owned();
                return Err(ConfigError { issuer: issuer.name, problem });
            }
            issuers.push(Arc::new(issuer));
        }
        let generation = built_in.as_ref().map(|issuer| Arc::clone(&issuer.generation));
        Ok(Self {
            cache: Arc::new(Cache::new(generation.unwrap_or_default())),
            built_in,
            trusted: issuers,
            fetcher,
        })
    }

    /// Who calls, when this very token was verified before and still counts. Never waits.
    pub fn cached(&self, token: &str, now: i64) -> Option<Arc<Caller>> {
        self.remembered(token, now).map(|token| token.caller)
    }

    /// What is remembered of this very token, when it was verified before and still counts.
    pub(crate) fn remembered(&self, token: &str, now: i64) -> Option<VerifiedToken> {
        self.cache.get(&cache::digest(token), now)
    }

    /// Whether what was remembered of a token still counts.
    pub(crate) fn still_counts(&self, token: &VerifiedToken, now: i64) -> bool {
        self.cache.still_counts(token, now)
    }

    /// Who calls with this token at the time `now`, seconds since 1970.
    ///
    /// Waits for the network only when the token names a key that its issuer isn't known to have,
    /// and then at most once in 30 seconds for each issuer.
    ///
    /// # Errors
    /// [`Denial`] with the reason.
    pub async fn verify(&self, token: &str, now: i64) -> Result<Arc<Caller>, Denial> {
        let digest = cache::digest(token);
        if let Some(remembered) = self.cache.get(&digest, now) {
            return Ok(remembered.caller);
        }
        let jws = Jws::parse(token)?;
        let issuer = jws.text_claim("iss").ok_or(Denial::Issuer)?;
        let tenant = claims::tenant_claim(&jws.claims);
        // A tid that is no GUID fills no issuer's name; the claims are checked for it later.
        let tenant = tenant.as_ref().ok().and_then(Option::as_deref);
        let mut outcome = self.check(&jws, issuer, tenant, now);
        if matches!(outcome, Err(Denial::UnknownKey | Denial::KeysUnavailable)) {
            self.ask_for_keys(issuer, tenant, now).await;
            outcome = self.check(&jws, issuer, tenant, now);
        }
        let verified = outcome?;
        let caller = Arc::clone(&verified.caller);
        self.cache.put(digest, verified, now);
        Ok(caller)
    }

    /// Checks a token with the keys that are there.
    fn check(
        &self,
        token: &Jws<'_>,
        issuer: &str,
        tenant: Option<&str>,
        now: i64,
    ) -> Result<VerifiedToken, Denial> {
        let generation = self.cache.generation();
        let (keys, policy) = match self.own(issuer) {
            Some((own, of)) if tenant == Some(&*of) => (own.keys(), &own.policy),
            Some(_) => return Err(Denial::Tenant),
            None => {
                let trusted = self.trusted(issuer, tenant).ok_or(Denial::Issuer)?;
                (trusted.keys.usable(now).ok_or(Denial::KeysUnavailable)?, &trusted.policy)
            }
        };
        let key = keys.select(token, issuer, tenant, now)?;
        if !key.signed(token) {
            return Err(Denial::Signature);
        }
        let caller = claims::check(&token.claims, policy, now)?;
        let until = caller.expires_at.saturating_add(LEEWAY);
        let until = key.not_after.map_or(until, |end| end.min(until));
        Ok(VerifiedToken { caller: Arc::new(caller), until, generation })
    }

    /// Fetches the keys that are due: an hour old, or not there and not asked for just now. To be
    /// called about once a minute.
    pub async fn refresh(&self, now: i64) {
        if let Some(own) = &self.built_in {
            own.reload(now);
        }
        for issuer in self.trusted.iter().filter(|issuer| issuer.keys.is_due(now)) {
            self.fetch(issuer, now).await;
        }
    }

    /// The trusted issuers whose tokens can't be verified now, for want of keys.
    pub fn unready(&self, now: i64) -> Vec<String> {
        let without = self.trusted.iter().filter(|issuer| issuer.keys.usable(now).is_none());
        without.map(|issuer| issuer.name.clone()).collect()
    }

    fn own(&self, issuer: &str) -> Option<(&Issuer, String)> {
        let own = self.built_in.as_deref()?;
        own.tenant_of(issuer).map(|tenant| (own, tenant))
    }

    fn trusted(&self, issuer: &str, tenant: Option<&str>) -> Option<&Arc<TrustedIssuer>> {
        self.trusted.iter().find(|trusted| trusted.is(issuer, tenant))
    }

    async fn ask_for_keys(&self, issuer: &str, tenant: Option<&str>, now: i64) {
        match self.own(issuer) {
            Some((own, _)) => own.reload(now),
            None => {
                if let Some(trusted) = self.trusted(issuer, tenant) {
                    self.fetch(trusted, now).await;
                }
            }
        }
    }

    /// Fetches an issuer's keys, if it may be asked. The fetch is a task of its own: it goes on
    /// when the client that caused it hangs up.
    async fn fetch(&self, issuer: &Arc<TrustedIssuer>, now: i64) {
        let Some(fetcher) = self.fetcher.clone() else { return };
        if !issuer.keys.may_fetch(now) {
            return;
        }
        let (issuer, cache) = (Arc::clone(issuer), Arc::clone(&self.cache));
        let task = tokio::spawn(async move {
            let _one_at_a_time = issuer.keys.fetching.lock().await;
            if !issuer.keys.may_fetch(now) {
                return;
            }
            match discovery::fetch(&*fetcher, &issuer).await {
                Ok(keys) => {
                    tracing::debug!(issuer = issuer.name, keys = keys.0.len(), "keys fetched");
                    if issuer.keys.succeeded(keys, now) {
                        cache.forget();
                    }
                }
                Err(error) => {
                    issuer.keys.failed(now);
                    tracing::warn!(issuer = issuer.name, %error, "cannot fetch the issuer's keys");
                }
            }
        });
        // It can't be cancelled, and a panic in it is already reported.
        let _ = task.await;
    }
}
