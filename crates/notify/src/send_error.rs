//! Why a message has not arrived, and how much of that an application may know.

use std::time::Duration;

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

/// The address is one that messages would reach unencrypted.
pub(crate) const UNENCRYPTED: &str = "the address begins with neither https:// nor tls://";

/// The address resolves to a network that messages don't go to.
pub(crate) const FORBIDDEN: &str = "the address is in a network that this service does not send to";
