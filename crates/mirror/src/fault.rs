//! What goes wrong with a request to the source. No text of an answer, no token and no query stands in it.

use std::time::Duration;

/// Why there is no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The source does not have it (404, 410).
    #[error("the source does not have it: status {}{}", .0.status, .0.code_shown())]
    NotFound(Refusal),
    /// The source does not give it.
    #[error("the source refuses it: status {}{}", .0.status, .0.code_shown())]
    Refused(Refusal),
    /// The source is out of order.
    #[error("the source is out of order: status {}{}", .0.status, .0.code_shown())]
    Unavailable(Refusal),
    /// The source goes on refusing requests as too many.
    #[error("the source goes on answering 429")]
    Throttled,
    /// There was no answer, or it broke off.
    #[error("no whole answer: {0}")]
    Broken(String),
    /// An answer that can't be true.
    #[error("{0}")]
    Unsound(String),
    /// The mirror may not read at all, whatever it asks for.
    #[error("{0}")]
    Denied(String),
    /// This process must not ask any more: it stops, or another one holds the mirror.
    #[error("stopped")]
    Stopped,
}

/// A status that is no success, with what the source says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Refusal {
    /// The status.
    pub(crate) status: u16,
    /// Graph's code of the error.
    pub(crate) code: Option<String>,
    /// The source's name of the request.
    pub(crate) request_id: Option<String>,
    /// What `Retry-After` asks for.
    pub(crate) wait: Option<Duration>,
}

impl Refusal {
    fn code_shown(&self) -> String {
        self.code.as_ref().map_or_else(String::new, |code| format!(" ({code})"))
    }
}

impl Fault {
    /// The status and the request's name, where there was an answer.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::NotFound(refusal) | Self::Refused(refusal) | Self::Unavailable(refusal) => {
                Some(refusal)
            }
            _ => None,
        }
    }
}
