//! Messages as requests of HTTP: to allowed addresses only, whatever a name resolves to at the
//! moment of connecting; no redirects, no proxies, ten seconds.

mod handshake;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url, redirect};

use self::handshake::handshake;
use crate::address::Guard;
use crate::handshake::HandshakeError;
use crate::send_error::{ANSWERED, ANSWERED_WITHIN, FORBIDDEN, SendError};
use crate::transport::{Message, Sending, Transport};

/// As much of an answer is read, so that the connection can be used again.
const MOST_ANSWER: usize = 16 << 10;

/// Sends messages as requests.
#[derive(Debug)]
pub(crate) struct Webhooks {
    http: reqwest::Client,
    guard: Arc<Guard>,
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

impl Webhooks {
    /// A client that sends to what the guard admits.
    ///
    /// # Errors
    /// When the system has no trusted certificates.
    pub(crate) fn new(guard: Arc<Guard>) -> Result<Self, reqwest::Error> {
        Self::resolving(guard, ask_system)
    }

    fn resolving(guard: Arc<Guard>, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .dns_resolver(Arc::new(GuardedResolver { guard: Arc::clone(&guard), lookup }))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(ANSWERED_WITHIN)
            .connect_timeout(ANSWERED_WITHIN)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("Callvault/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, guard })
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

impl Transport for Webhooks {
    fn check(&self, url: &Url) -> Result<(), SendError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SendError::Address("the address has a user name in it"));
        }
        // The parser has read what stands for a number in any of its spellings.
        let host = url.host_str().unwrap_or_default();
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        match literal {
            Some(address) if !self.guard.admits(address) => Err(SendError::Address(FORBIDDEN)),
            _ => Ok(()),
        }
    }

    fn deliver<'a>(&'a self, url: &'a Url, message: Message) -> Sending<'a, SendError> {
        Box::pin(async move {
            let headers = message.headers.iter().filter_map(|(name, value)| {
                Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
            });
            let answer = self.post(url.clone(), headers.collect(), message.body).await?;
            if answer.status.is_success() {
                return Ok(());
            }
            let reason = answered(answer.status);
            Err(SendError::Broken { reason, retry_after: answer.retry_after })
        })
    }

    fn validate<'a>(&'a self, url: &'a Url, token: &'a str) -> Sending<'a, HandshakeError> {
        Box::pin(handshake(self, url, token))
    }
}

/// The reason of a failure by an answer that is no success.
fn answered(status: StatusCode) -> String {
    format!("{ANSWERED} {}", status.as_u16())
}

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
        Self::broken(cause.to_string())
    }
}

/// Asks for the addresses of a name.
type Lookup = fn(String) -> Sending<'static, io::Error, Vec<SocketAddr>>;

fn ask_system(name: String) -> Sending<'static, io::Error, Vec<SocketAddr>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

/// Resolves names, and gives of their addresses those that the guard admits: the connection goes to
/// one of these, whatever the name says before or after.
#[derive(Debug)]
struct GuardedResolver {
    guard: Arc<Guard>,
    lookup: Lookup,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.guard);
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let mut admitted = found.await?;
            admitted.retain(|address| guard.admits(address.ip()));
            if admitted.is_empty() {
                return Err(FORBIDDEN.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Answers with an address that is admitted, and from then on with one that is not.
    fn changing(_: String) -> Sending<'static, io::Error, Vec<SocketAddr>> {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let last = if ASKED.fetch_add(1, Ordering::Relaxed) == 0 { 2 } else { 1 };
        Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, last], 0))]) })
    }

    #[tokio::test]
    async fn a_name_that_means_something_else_meanwhile_leads_nowhere() {
        let admitted = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let port = admitted.local_addr().unwrap().port();
        let forbidden = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = admitted.accept().await.unwrap();
            let mut request = [0; 4_096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        });
        let guard = Arc::new(Guard::allowing(["127.0.0.2"]).unwrap());
        let webhooks = Webhooks::resolving(guard, changing).unwrap();
        let url = Url::parse(&format!("http://collector.contoso.com:{port}/")).unwrap();
        let message = Message { id: "1".to_owned(), headers: Vec::new(), body: Vec::new() };
        webhooks.deliver(&url, message.clone()).await.unwrap();
        receiver.await.unwrap();
        let error = webhooks.deliver(&url, message).await.unwrap_err();
        assert_eq!(error.to_string(), FORBIDDEN);
        // Connections are accepted in the order in which they were made: ours is the first.
        let ours = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (_, first) = forbidden.accept().await.unwrap();
        assert_eq!(first, ours.local_addr().unwrap(), "nobody may connect to a forbidden address");
    }
}
