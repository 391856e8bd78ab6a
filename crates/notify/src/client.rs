//! The HTTP client of messages: to allowed addresses only, whatever a name resolves to at the
//! moment of connecting; no redirects, no proxies, ten seconds.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url, redirect};

use crate::address::Guard;

/// How long a receiver may take to answer (Graph, "change notifications delivery").
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// As much of an answer is read, so that the connection can be used again.
const MOST_ANSWER: usize = 16 << 10;

/// Sends messages. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    guard: Arc<Guard>,
    allows_plain: bool,
}

/// Why a message has not arrived.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The address is none, or not one that messages may go to.
    #[error("{0}")]
    Address(&'static str),
    /// No answer in time.
    #[error("no answer within {} s", ANSWERED_WITHIN.as_secs())]
    TimedOut,
    /// No connection, or it broke.
    #[error("{0}")]
    Broken(String),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<String>,
    /// What the receiver asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// The front of the body.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client that sends to what the guard admits; by plain HTTP only if that is allowed.
    ///
    /// # Errors
    /// When the system has no trusted certificates.
    pub fn new(guard: Guard, allows_plain: bool) -> Result<Self, reqwest::Error> {
        let guard = Arc::new(guard);
        let http = reqwest::Client::builder()
            .dns_resolver(Arc::new(Guarded(Arc::clone(&guard))))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(ANSWERED_WITHIN)
            .connect_timeout(ANSWERED_WITHIN)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("Callvault/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, guard, allows_plain })
    }

    /// The address of a receiver, if messages may go there as far as that can be told without
    /// resolving its name.
    pub(crate) fn address(&self, text: &str) -> Result<Url, SendError> {
        let url = Url::parse(text).map_err(|_| SendError::Address("the address is no URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allows_plain => {}
            _ if self.allows_plain => {
                let why = "the address begins with neither https:// nor http://";
                return Err(SendError::Address(why));
            }
            _ => return Err(SendError::Address("the address does not begin with https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SendError::Address("the address has a user name in it"));
        }
        // The parser has read what stands for a number in any of its spellings.
        let host = url.host_str().unwrap_or_default();
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        match literal {
            Some(address) if !self.guard.admits(address) => Err(SendError::Address(FORBIDDEN)),
            _ if host.is_empty() => Err(SendError::Address("the address has no host")),
            _ => Ok(url),
        }
    }

    /// Sends a body, and waits for the answer.
    pub(crate) async fn post(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, SendError> {
        let sent = self.http.post(url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(SendError::from)?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = header(reqwest::header::CONTENT_TYPE).map(str::to_owned);
        let retry_after = header(RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok());
        let mut body = Vec::new();
        let status = response.status();
        while body.len() < MOST_ANSWER {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = MOST_ANSWER - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                }
                Ok(None) => break,
                // What matters has been said.
                Err(_) if status.is_success() => break,
                Err(error) => return Err(error.into()),
            }
        }
        let retry_after = retry_after.map(Duration::from_secs);
        Ok(Answer { status, content_type, retry_after, body })
    }
}

const FORBIDDEN: &str = "the address is in a network that this service does not send to";

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let mut cause: &dyn std::error::Error = &error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        // Without the URL, whose query may hold a secret.
        Self::Broken(cause.to_string())
    }
}

/// Resolves names, and gives of their addresses those that the guard admits.
#[derive(Debug)]
struct Guarded(Arc<Guard>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> =
                found.filter(|address| guard.admits(address.ip())).collect();
            if admitted.is_empty() {
                return Err(FORBIDDEN.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(client: &Client, text: &str) -> String {
        client.address(text).unwrap_err().to_string()
    }

    #[test]
    fn addresses_are_judged_in_every_spelling() {
        let client = Client::new(Guard::default(), false).unwrap();
        for host in [
            "127.0.0.1",
            "127.1",
            "0177.0.0.1",
            "0x7f.1",
            "2130706433",
            "017700000001",
            "127.0.0.1.",
            "10.0.0.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[fd00:ec2::254]",
            "\u{ff11}27.0.0.1",
            "%31%32%37.0.0.1",
        ] {
            assert_eq!(refused(&client, &format!("https://{host}/x")), FORBIDDEN, "{host}");
        }
        for (text, why) in [
            ("http://contoso.com/", "the address does not begin with https://"),
            ("ftp://contoso.com/", "the address does not begin with https://"),
            ("https://user:secret@contoso.com/", "the address has a user name in it"),
            ("contoso.com", "the address is no URL"),
            ("https://", "the address is no URL"),
        ] {
            assert_eq!(refused(&client, text), why, "{text}");
        }
        assert!(client.address("https://1.1.1.1:8443/x?y=z").is_ok());
        assert!(client.address("https://contoso.com").is_ok());
    }

    #[tokio::test]
    async fn names_are_judged_by_what_they_resolve_to() {
        let client = Client::new(Guard::default(), true).unwrap();
        let url = client.address("http://localhost:9/").unwrap();
        let error = client.post(url, HeaderMap::new(), Vec::new()).await.unwrap_err();
        assert_eq!(error.to_string(), FORBIDDEN);
        let client = Client::new(Guard::allowing(["127.0.0.0/8", "::1"]).unwrap(), true).unwrap();
        let url = client.address("http://localhost:9/").unwrap();
        let error = client.post(url, HeaderMap::new(), Vec::new()).await.unwrap_err();
        assert!(error.to_string().contains("refused"), "{error}");
    }
}
