//! The transports together: the scheme of an address says which one a message takes.

use std::sync::Arc;

use emulator::Emulator;
use reqwest::Url;

use crate::address::Guard;
use crate::handshake::HandshakeError;
use crate::nats::Nats;
use crate::send_error::{SendError, UNENCRYPTED};
use crate::transport::Transport;
use crate::webhook::Webhooks;

/// All transports. For the validation of addresses and, apart from that, for one dispatcher.
#[derive(Debug)]
pub struct Transports {
    webhooks: Webhooks,
    nats: Nats,
    allows_plain: bool,
    /// Makes addresses appear not to answer.
    emulator: Option<Arc<Emulator>>,
}

impl Transports {
    /// Transports to what the guard admits; without encryption only if that is allowed.
    ///
    /// # Errors
    /// When the system has no trusted certificates.
    pub fn new(guard: Guard, allows_plain: bool) -> Result<Self, reqwest::Error> {
        let guard = Arc::new(guard);
        let webhooks = Webhooks::new(Arc::clone(&guard))?;
        Ok(Self { webhooks, nats: Nats::new(guard), allows_plain, emulator: None })
    }

    /// Lets an emulator meddle with the validation of addresses.
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
            _ => return Err(SendError::Address(UNENCRYPTED)),
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

    /// The transport to an address.
    pub(crate) fn of(&self, url: &Url) -> &dyn Transport {
        match url.scheme() {
            "nats" | "tls" => &self.nats,
            _ => &self.webhooks,
        }
    }
}

#[cfg(test)]
mod tests;
