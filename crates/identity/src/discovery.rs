//! Finding and fetching an issuer's keys (OpenID Connect Discovery 1.0, section 4).

use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::fetch::{Fetch, FetchFailure, FetchLimits};
use crate::issuers::{KeySource, TrustedIssuer, key_url};
use crate::keyset::KeySet;
use crate::strict_json;

/// What a discovery document or a JWK Set may take.
const LIMITS: FetchLimits = FetchLimits { bytes: 1024 * 1024, time: Duration::from_secs(10) };

/// Why keys couldn't be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{url}: {problem}")]
    Failed { url: Url, problem: String },
    #[error("{url}: answered {status}")]
    Status { url: Url, status: u16 },
    #[error("{url}: more than {} bytes", LIMITS.bytes)]
    TooBig { url: Url },
    #[error("{url}: not a discovery document")]
    NoDocument { url: Url },
    #[error("{url}: the document is of issuer {found:?}")]
    OtherIssuer { url: Url, found: String },
    #[error("{url}: jwks_uri {problem}")]
    BadKeyUrl { url: Url, problem: String },
    #[error("{url}: not a JWK Set with a usable key")]
    NoKeys { url: Url },
}

/// Fetches the keys of an issuer.
pub(crate) async fn fetch(
    fetcher: &dyn Fetch,
    issuer: &TrustedIssuer,
) -> Result<KeySet, FetchError> {
    let url = match &issuer.source {
        KeySource::Jwks(url) => url.clone(),
        KeySource::Discovery(url) => find_keys(url, &get(fetcher, url).await?, &issuer.name)?,
    };
    let body = get(fetcher, &url).await?;
    KeySet::parse(&body).ok_or(FetchError::NoKeys { url })
}

/// Takes the key set's URL out of a discovery document, which must be the issuer's own.
fn find_keys(url: &Url, document: &[u8], issuer: &str) -> Result<Url, FetchError> {
    let url = || url.clone();
    let document = strict_json::object(document).ok_or(FetchError::NoDocument { url: url() })?;
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("issuer") != issuer {
        return Err(FetchError::OtherIssuer { url: url(), found: text("issuer").to_owned() });
    }
    key_url(text("jwks_uri")).map_err(|problem| FetchError::BadKeyUrl { url: url(), problem })
}

async fn get(fetcher: &dyn Fetch, url: &Url) -> Result<Vec<u8>, FetchError> {
    let answer = fetcher.fetch(url.as_str(), LIMITS).await;
    let url = || url.clone();
    let answer = answer.map_err(|failure| match failure {
        FetchFailure::TooBig => FetchError::TooBig { url: url() },
        FetchFailure::Failed(problem) => FetchError::Failed { url: url(), problem },
    })?;
    if answer.status != 200 {
        return Err(FetchError::Status { url: url(), status: answer.status });
    }
    if answer.body.len() > LIMITS.bytes {
        return Err(FetchError::TooBig { url: url() });
    }
    Ok(answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.contoso.example";

    fn found(document: &str) -> Result<Url, FetchError> {
        let url = Url::parse("https://id.contoso.example/d").expect("a URL");
        find_keys(&url, document.as_bytes(), ISSUER)
    }

    #[test]
    fn the_key_url_is_taken_from_the_issuers_own_document() {
        let document =
            r#"{"issuer":"https://id.contoso.example","jwks_uri":"https://keys.example/k"}"#;
        assert_eq!(found(document).expect("found").as_str(), "https://keys.example/k");
    }

    #[test]
    fn a_document_that_is_not_the_issuers_is_refused() {
        use FetchError::{BadKeyUrl, NoDocument, OtherIssuer};
        assert!(matches!(found("<html>"), Err(NoDocument { .. })));
        assert!(matches!(found(r#"{"jwks_uri":"https://a/k"}"#), Err(OtherIssuer { .. })));
        let slash = r#"{"issuer":"https://id.contoso.example/","jwks_uri":"https://a/k"}"#;
        assert!(matches!(found(slash), Err(OtherIssuer { .. })));
        for jwks_uri in ["http://keys.example/k", "", "file:///k"] {
            let document = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{jwks_uri}"}}"#);
            assert!(matches!(found(&document), Err(BadKeyUrl { .. })), "{jwks_uri}");
        }
    }
}
