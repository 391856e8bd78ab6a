//! Messages into streams of NATS JetStream: `nats://host:4222/subject`, or `tls://` for an encrypted
//! connection. A message has arrived when a stream has stored it and says so.
//!
//! A name is resolved here, and the connection made to the address that was judged: the library
//! neither resolves anything nor goes to servers that a cluster tells of.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::{ConnectOptions, HeaderMap, ServerAddr, jetstream};
use odata::json::{Node, write_node};
use reqwest::Url;
use rustls::ClientConfig;
use store::clock;

use crate::address::Guard;
use crate::handshake::HandshakeError;
use crate::named_server::NamedServer;
use crate::send_error::{ANSWERED_WITHIN, FORBIDDEN, SendError};
use crate::transport::{Message, Sending, Transport};

/// The port of NATS (IANA).
const PORT: u16 = 4222;
/// Connections that are kept at most.
const MOST_CONNECTIONS: usize = 64;
/// How long a connection is kept without a message.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Sends messages to streams.
pub(crate) struct Nats {
    guard: Arc<Guard>,
    /// Connections by their addresses without the subject.
    connections: Mutex<HashMap<String, Connection>>,
}

/// A connection that is shared by the messages to a server.
struct Connection {
    client: async_nats::Client,
    /// When it last had a message (ticks).
    used: i64,
}

impl fmt::Debug for Nats {
    /// Without the connections, whose addresses have passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl Nats {
    pub(crate) fn new(guard: Arc<Guard>) -> Self {
        Self { guard, connections: Mutex::default() }
    }

    /// Closes the connections that had no message for a while.
    pub(crate) fn close_idle(&self) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, most) = (clock::now(), odata::primitive::Duration::from(KEPT_FOR).0);
        // Also when the clock was moved back.
        connections.retain(|_, each| (now - each.used).abs() < most);
    }

    /// Publishes a message and waits until a stream has it, on a connection that is kept and shared
    /// by all messages to that server.
    async fn publish(&self, url: &Url, message: Message) -> Result<(), SendError> {
        let server = server_of(url);
        let client = match self.connection(&server) {
            Some(client) => client,
            None => self.keep(server, self.connect(url).await?),
        };
        store(&client, subject(url)?, message).await
    }

    fn connection(&self, server: &str) -> Option<async_nats::Client> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = connections.get_mut(server)?;
        connection.used = clock::now();
        Some(connection.client.clone())
    }

    /// Keeps a connection if there is room, and gives the one to use: of two that were made at the
    /// same time the first.
    fn keep(&self, server: String, client: async_nats::Client) -> async_nats::Client {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.len() >= MOST_CONNECTIONS && !connections.contains_key(&server) {
            return client;
        }
        let connection =
            connections.entry(server).or_insert(Connection { client, used: clock::now() });
        connection.client.clone()
    }

    /// A connection on which a message failed is kept no longer: the next message goes by what the
    /// name says then.
    fn forget(&self, url: &Url) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.remove(&server_of(url));
    }

    /// Connects to an address that the guard admits.
    async fn connect(&self, url: &Url) -> Result<async_nats::Client, SendError> {
        let host = host(url);
        let port = url.port().unwrap_or(PORT);
        let found = tokio::net::lookup_host((host, port)).await;
        let found: Vec<SocketAddr> =
            found.map_err(|error| SendError::broken(error.to_string()))?.collect();
        let admitted: Vec<ServerAddr> = found
            .iter()
            .filter(|address| self.guard.admits(address.ip()))
            .filter_map(|address| format!("{}://{address}", url.scheme()).parse().ok())
            .collect();
        if admitted.is_empty() {
            // No other kind of failure than a name without an address.
            return Err(SendError::broken(FORBIDDEN));
        }
        let options = options(url)?;
        options.connect(admitted).await.map_err(|error| {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(next) = cause.source() {
                cause = next;
            }
            SendError::broken(cause.to_string())
        })
    }
}

impl Transport for Nats {
    fn check(&self, url: &Url) -> Result<(), SendError> {
        subject(url)?;
        credentials(url)?;
        match number(url) {
            Some(address) if !self.guard.admits(address) => Err(SendError::Address(FORBIDDEN)),
            _ => Ok(()),
        }
    }

    fn deliver<'a>(&'a self, url: &'a Url, message: Message) -> Sending<'a, SendError> {
        Box::pin(async move {
            let sent = tokio::time::timeout(ANSWERED_WITHIN, self.publish(url, message)).await;
            let sent = sent.unwrap_or(Err(SendError::TimedOut));
            if sent.is_err() {
                self.forget(url);
            }
            sent
        })
    }

    /// A stream can't send a token back; it has to store one (Graph, "change notifications by
    /// Event Hubs", validation).
    fn validate<'a>(&'a self, url: &'a Url, token: &'a str) -> Sending<'a, HandshakeError> {
        Box::pin(async move {
            let body = validation(token);
            let message = Message { id: token.to_owned(), headers: Vec::new(), body };
            // On a connection of its own, which ends with the thread that asks.
            let stored = async {
                let client = self.connect(url).await?;
                store(&client, subject(url)?, message).await
            };
            let stored = tokio::time::timeout(ANSWERED_WITHIN, stored).await;
            stored.unwrap_or(Err(SendError::TimedOut)).map_err(HandshakeError::from)
        })
    }
}

/// Publishes a message, and waits until a stream says that it has stored it.
async fn store(
    client: &async_nats::Client,
    subject: &str,
    message: Message,
) -> Result<(), SendError> {
    let mut headers = HeaderMap::new();
    // By this a stream knows what it has stored before.
    headers.insert("Nats-Msg-Id", message.id.as_str());
    for (name, value) in &message.headers {
        headers.insert(*name, value.as_str());
    }
    let mut context = jetstream::new(client.clone());
    context.set_timeout(ANSWERED_WITHIN);
    let failed = |error: PublishError| match error.kind() {
        PublishErrorKind::TimedOut => SendError::TimedOut,
        PublishErrorKind::StreamNotFound => {
            SendError::broken("no stream of the NATS server takes the subject")
        }
        _ => SendError::broken(error.to_string()),
    };
    let stored = context
        .publish_with_headers(subject.to_owned(), headers, message.body.into())
        .await
        .map_err(failed)?;
    stored.await.map(drop).map_err(failed)
}

fn options(url: &Url) -> Result<ConnectOptions, SendError> {
    let options = ConnectOptions::new()
        .name("Callvault")
        .ignore_discovered_servers()
        .connection_timeout(ANSWERED_WITHIN)
        // A connection that broke is made anew by us, to an address that is judged anew.
        .max_reconnects(1);
    let options = match (url.scheme(), tls(host(url))) {
        ("tls", config) => options.require_tls(true).tls_client_config(config?),
        // A server may ask for it all the same.
        (_, Ok(config)) => options.tls_client_config(config),
        (_, Err(_)) => options,
    };
    Ok(match credentials(url)? {
        None => options,
        Some((token, None)) => options.token(token),
        Some((user, Some(password))) => options.user_and_password(user, password),
    })
}

/// User name and password of an address, or a token alone.
fn credentials(url: &Url) -> Result<Option<(String, Option<String>)>, SendError> {
    let secret = |text: &str| {
        odata::percent::decode(text, odata::percent::Plus::Literal)
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| SendError::Address("the address has a user name that can't be read"))
    };
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    Ok(Some((secret(url.username())?, url.password().map(secret).transpose()?)))
}

/// Trusts what the system trusts, for the name in the address: the connection knows a number only.
fn tls(host: &str) -> Result<ClientConfig, SendError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let failed = |error: rustls::Error| SendError::broken(error.to_string());
    let verifier = NamedServer::new(host, &provider).map_err(failed)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// The subject of an address: one that a stream of the receiver can have, without wildcards, and
/// none of the server's own.
fn subject(url: &Url) -> Result<&str, SendError> {
    let subject = url.path().strip_prefix('/').unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_whole = url.query().is_none()
        && url.fragment().is_none()
        && subject.chars().all(is_plain)
        && subject.split('.').all(|token| !token.is_empty())
        && !subject.starts_with("_INBOX");
    if is_whole {
        return Ok(subject);
    }
    let why = "the address does not end with a subject such as /calls.records: letters, digits, \
               '-' and '_' with dots between";
    Err(SendError::Address(why))
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// The host, if it is a number in any of the spellings that an address of HTTP may have.
fn number(url: &Url) -> Option<IpAddr> {
    let http = Url::parse(&format!("http://{}/", url.host_str()?)).ok()?;
    host(&http).parse().ok()
}

/// An address without its subject.
fn server_of(url: &Url) -> String {
    let mut server = url.clone();
    server.set_path("");
    server.into()
}

fn validation(token: &str) -> Vec<u8> {
    let data = ["@odata.type", "@odata.id", "id"].map(|name| (name, Node::text("NA")));
    let item = Node::object([
        ("subscriptionId", Node::text("NA")),
        ("subscriptionExpirationDateTime", Node::text("NA")),
        ("clientState", Node::text("NA")),
        ("changeType", Node::text(token)),
        ("resource", Node::text("NA")),
        ("resourceData", Node::object(data)),
    ]);
    let mut out = Vec::new();
    write_node(&mut out, &Node::object([("value", Node::Array(vec![item]))]));
    out
}
