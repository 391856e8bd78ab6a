//! A trusted issuer to test with: its keys, its tokens, its documents.

pub(crate) mod provider;

use std::sync::Arc;

use identity::{ConfigError, IssuerConfig, TrustedIssuers, Verifier};
use serde_json::Value;
use testkit::tokens;
pub(crate) use testkit::tokens::{
    APP, AUDIENCE, OTHER_TENANT, TEMPLATE, TENANT, encode, header, issuer, keys, set, sign, token,
};

use provider::{Provider, Reply, url};

/// The time of all tests, seconds since 1970.
pub(crate) const NOW: i64 = 1_800_000_000;

/// Claims that are good in every respect.
pub(crate) fn claims() -> Value {
    tokens::claims(NOW)
}

/// The good claims with one changed; null takes it away.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    tokens::claims_with(NOW, name, value)
}

/// A verifier that trusts the test issuer, which publishes all its keys.
pub(crate) fn verifier() -> (Verifier, Provider) {
    let provider = Provider::new();
    provider.set("/keys", Reply::Json(keys::published()));
    (trusting(&provider, vec![config()]).expect("a sound configuration"), provider)
}

/// A verifier that trusts issuers whose keys are at this provider.
pub(crate) fn trusting(
    provider: &Provider,
    issuers: Vec<IssuerConfig>,
) -> Result<Verifier, ConfigError> {
    let fetcher = Arc::new(provider.clone());
    Verifier::new(None, Some(TrustedIssuers { issuers, fetcher }))
}

/// How the test issuer is trusted, with its keys at the provider.
pub(crate) fn config() -> IssuerConfig {
    IssuerConfig {
        issuer: TEMPLATE.into(),
        audiences: vec!["api://other".into(), AUDIENCE.into()],
        jwks_uri: Some(url("/keys")),
        ..IssuerConfig::default()
    }
}
