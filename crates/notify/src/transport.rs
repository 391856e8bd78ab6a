//! The ways in which messages reach a receiver, behind one trait: requests of HTTP, and streams of
//! NATS. The scheme of the address says which.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use emulator::Emulator;
use reqwest::Url;

use crate::address::Guard;
use crate::handshake::HandshakeError;
use crate::nats::Nats;
use crate::webhook::Webhooks;

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The same whenever the same is sent again.
    pub(crate) id: String,
    /// Lines beside the body, in lower case.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(crate) body: Vec<u8>,
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
    /// No connection, or it broke, or the receiver said no.
    #[error("{reason}")]
    Broken {
        /// Why, without what the address holds of secrets.
        reason: String,
        /// What the receiver asks to wait.
        retry_after: Option<Duration>,
    },
}

impl SendError {
    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken { reason: reason.into(), retry_after: None }
    }

    /// What the receiver asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Broken { retry_after, .. } => *retry_after,
            Self::Address(_) | Self::TimedOut => None,
        }
    }
}

/// The subscription has none.
pub(crate) const NO_LIFECYCLE: &str = "there is no address for lifecycle events";

/// How the reason begins where the receiver has answered.
pub(crate) const ANSWERED: &str = "the receiver answered";

/// What an application is told of why a message has not arrived: what its receiver has said, or that it
/// said nothing. Whether a name has an address, and what kind of one, is for the operator.
pub fn reason_for_applications(reason: &str) -> &str {
    let is_theirs = reason.starts_with(ANSWERED)
        || reason == NO_LIFECYCLE
        || reason == SendError::TimedOut.to_string();
    if is_theirs {
        reason
    } else {
        "the receiver could not be reached, or did not take the message"
    }
}

/// How long a receiver may take to answer (Graph, "change notifications delivery").
pub(crate) const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// The address resolves to a network that messages don't go to.
pub(crate) const FORBIDDEN: &str = "the address is in a network that this service does not send to";

/// Something that is awaited.
pub(crate) type Sending<'a, E, T = ()> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// A way to receivers.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    /// Whether messages may go to an address, as far as that can be told without resolving its
    /// name.
    fn check(&self, url: &Url) -> Result<(), SendError>;

    /// Sends a message, and waits until the receiver has it.
    fn deliver<'a>(&'a self, url: &'a Url, message: Message) -> Sending<'a, SendError>;

    /// Whether whoever is there wants messages, or at least takes them.
    fn validate<'a>(&'a self, url: &'a Url, token: &'a str) -> Sending<'a, HandshakeError>;
}

/// All ways to receivers. For the validation of addresses and, apart from that, for one dispatcher.
#[derive(Debug)]
pub struct Transports {
    webhooks: Webhooks,
    nats: Nats,
    allows_plain: bool,
    /// Has addresses not answer, if that is wanted.
    emulator: Option<Arc<Emulator>>,
}

impl Transports {
    /// Ways to what the guard admits; without encryption only if that is allowed.
    ///
    /// # Errors
    /// When the system has no trusted certificates.
    pub fn new(guard: Guard, allows_plain: bool) -> Result<Self, reqwest::Error> {
        let guard = Arc::new(guard);
        let webhooks = Webhooks::new(Arc::clone(&guard))?;
        Ok(Self { webhooks, nats: Nats::new(guard), allows_plain, emulator: None })
    }

    /// The same, with an emulator that meddles with the validation of addresses.
    #[must_use]
    pub fn with_emulator(self, emulator: Option<Arc<Emulator>>) -> Self {
        Self { emulator, ..self }
    }

    /// Sends a token to an address, which has to send it back, or to take it if it is a stream.
    ///
    /// # Errors
    /// When it does not; nothing was kept of it.
    pub async fn validate(&self, address: &str, token: &str) -> Result<(), HandshakeError> {
        let url = self.address(address)?;
        if self.emulator.as_ref().is_some_and(|emulator| !emulator.validates(address)) {
            return Err(HandshakeError::TimedOut);
        }
        self.of(&url).validate(&url, token).await
    }

    /// The address of a receiver, if messages may go there as far as that can be told without
    /// resolving its name.
    pub(crate) fn address(&self, text: &str) -> Result<Url, SendError> {
        let url = Url::parse(text).map_err(|_| SendError::Address("the address is no URL"))?;
        match url.scheme() {
            "https" | "tls" => {}
            "http" | "nats" if self.allows_plain => {}
            _ if self.allows_plain => {
                let why = "the address begins with none of https://, http://, tls:// and nats://";
                return Err(SendError::Address(why));
            }
            _ => {
                let why = "the address begins with neither https:// nor tls://";
                return Err(SendError::Address(why));
            }
        }
        if url.host_str().unwrap_or_default().is_empty() {
            return Err(SendError::Address("the address has no host"));
        }
        self.of(&url).check(&url)?;
        Ok(url)
    }

    /// Closes connections that had no message for a while and don't close by themselves.
    pub(crate) fn close_idle(&self) {
        self.nats.close_idle();
    }

    /// The way to an address.
    pub(crate) fn of(&self, url: &Url) -> &dyn Transport {
        match url.scheme() {
            "nats" | "tls" => &self.nats,
            _ => &self.webhooks,
        }
    }
}

#[cfg(test)]
mod tests;
