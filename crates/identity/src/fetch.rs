//! What fetches documents of identity providers. The crate says which and what an answer may take;
//! whoever uses it brings the client.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// What an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes of its body, unpacked.
    pub bytes: usize,
    /// From the connection to the last byte.
    pub time: Duration,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// The body, unpacked. That of a status other than 200 is of no use and need not be read.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// The body has more bytes than it may have.
    #[error("the body is too big")]
    TooBig,
    /// What went wrong on the way or took too long, for the operator; without the URL.
    #[error("{0}")]
    Failed(String),
}

/// The future of an answer.
pub type FetchFuture<'a> =
    Pin<Box<dyn Future<Output = Result<FetchAnswer, FetchFailure>> + Send + 'a>>;

/// Fetches documents by GET.
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Asks for a URL once and gives up at the limits. A redirect is an answer like any other and
    /// is not followed: it would let somebody else say who gets in.
    fn fetch<'a>(&'a self, url: &'a str, limits: FetchLimits) -> FetchFuture<'a>;
}
