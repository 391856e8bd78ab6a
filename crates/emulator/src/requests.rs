//! Requests, their answers, and faults, as the server states them.

use std::time::Duration;

use crate::answer_change::AnswerChange;

/// A request that has come in.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// When, in ticks of 100 ns since 1970.
    pub at: i64,
    /// The method.
    pub method: &'a str,
    /// The path below the version, as sent.
    pub path: &'a str,
    /// What stands behind the question mark, as sent.
    pub query: Option<&'a str>,
    /// The version: `v1.0` or `beta`.
    pub version: &'a str,
    /// Who sends it. All that nobody is known of are counted together.
    pub application: Option<&'a str>,
}

/// What went out in answer to a request.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// When all of it had gone out, in ticks of 100 ns since 1970.
    pub at: i64,
    /// The status.
    pub status: u16,
    /// What `Retry-After` says, in seconds.
    pub retry_after: Option<u32>,
    /// The body before compression, also if it was cut off on its way.
    pub body: &'a [u8],
}

/// What is to be done to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// How much later than otherwise it is answered.
    pub latency: Duration,
    /// Answered in place of what was asked for.
    pub status: Option<Refusal>,
    /// Bytes of the body after which the connection is cut.
    pub truncate: Option<usize>,
    /// What becomes of the body, if it is not as it was made.
    pub change: Option<AnswerChange>,
}

/// The answer of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status, 400 to 599.
    pub status: u16,
    /// What `Retry-After` says.
    pub retry_after: Option<String>,
}
