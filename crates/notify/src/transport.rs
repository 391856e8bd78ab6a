//! The transport trait: what requests of HTTP and streams of NATS both do with a message.

use std::fmt;
use std::pin::Pin;

use reqwest::Url;

use crate::handshake::HandshakeError;
use crate::send_error::SendError;

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Stays the same when the message is sent again.
    pub(crate) id: String,
    /// Lines beside the body, in lower case.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(crate) body: Vec<u8>,
}

/// The future of a transport's operation.
pub(crate) type Sending<'a, E, T = ()> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Sends messages to receivers.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    /// Whether messages may go to an address, as far as that can be told without resolving its
    /// name.
    fn check(&self, url: &Url) -> Result<(), SendError>;

    /// Sends a message, and waits until the receiver has it.
    fn deliver<'a>(&'a self, url: &'a Url, message: Message) -> Sending<'a, SendError>;

    /// Checks that the receiver wants messages, or at least takes them.
    fn validate<'a>(&'a self, url: &'a Url, token: &'a str) -> Sending<'a, HandshakeError>;
}
