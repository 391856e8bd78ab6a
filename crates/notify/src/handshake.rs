//! Why an address may get no notifications.

use crate::send_error::{FORBIDDEN, SendError, UNENCRYPTED};

/// Why an address may get no notifications, in Graph's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// No answer in time.
    #[error("Subscription validation request timed out.")]
    TimedOut,
    /// Another status than 200, no connection, no address, or none that messages may go to: whoever
    /// asks is not told which, and could else look at our networks through us.
    #[error(
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to \
         validation request."
    )]
    NotOk {
        /// Which it is, for the log alone.
        cause: String,
    },
    /// Another text than the token.
    #[error(
        "Subscription validation request failed. Response must exactly match validationToken query \
         parameter."
    )]
    OtherToken,
    /// Something else than plain text.
    #[error(
        "Subscription validation request failed. Notification endpoint must respond with content \
         type text/plain."
    )]
    OtherType,
    /// Nothing may be sent there, as the address itself says.
    #[error("Subscription validation request failed: {0}.")]
    Address(&'static str),
}

impl HandshakeError {
    /// What only the log says: the cause, and the setting that would allow it.
    pub fn cause(&self) -> Option<String> {
        let cause = match self {
            Self::NotOk { cause } => cause,
            Self::Address(why) => *why,
            Self::TimedOut | Self::OtherToken | Self::OtherType => return None,
        };
        let setting = if cause.contains(FORBIDDEN) {
            ": notifications.allow_networks names networks that it may send to"
        } else if cause == UNENCRYPTED {
            ": notifications.allow_insecure_urls = true allows http:// and nats://"
        } else {
            ""
        };
        Some(format!("{cause}{setting}"))
    }
}

impl From<SendError> for HandshakeError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Address(why) => Self::Address(why),
            SendError::TimedOut => Self::TimedOut,
            SendError::Broken { reason, .. } => Self::NotOk { cause: reason },
        }
    }
}
