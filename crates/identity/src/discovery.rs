//! Fetching an issuer's keys over HTTP (OpenID Connect Discovery 1.0, section 4).

use std::time::Duration;

use reqwest::{Client, Url, redirect};
use serde_json::Value;

use crate::issuers::{KeySource, TrustedIssuer, key_url};
use crate::keyset::KeySet;
use crate::strict_json;

/// Bytes that a discovery document or a JWK Set may have, unpacked.
const MAX_BODY: usize = 1024 * 1024;
/// For one request, from the connection to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why keys couldn't be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{url}: {source}")]
    Http { url: Url, source: reqwest::Error },
    #[error("{url}: answered {status}")]
    Status { url: Url, status: u16 },
    #[error("{url}: more than {MAX_BODY} bytes")]
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

/// The client for all fetches. It follows no redirect: a redirect would let somebody else say who
/// gets in.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none())
        .user_agent("callvault")
        .build()
}

/// Fetches the keys of an issuer.
pub(crate) async fn fetch(client: &Client, issuer: &TrustedIssuer) -> Result<KeySet, FetchError> {
    let url = match &issuer.source {
        KeySource::Jwks(url) => url.clone(),
        KeySource::Discovery(url) => find_keys(url, &get(client, url).await?, &issuer.name)?,
    };
    let body = get(client, &url).await?;
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

async fn get(client: &Client, url: &Url) -> Result<Vec<u8>, FetchError> {
    let failed = |source: reqwest::Error| FetchError::Http {
        url: url.clone(),
        source: source.without_url(),
    };
    let mut answer = client.get(url.clone()).send().await.map_err(failed)?;
    if answer.status().as_u16() != 200 {
        return Err(FetchError::Status { url: url.clone(), status: answer.status().as_u16() });
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(FetchError::TooBig { url: url.clone() });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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
