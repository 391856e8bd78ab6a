//! How much the server takes of everything: sizes, times, counts, and shares of memory.

use std::time::Duration;

use crate::throttle::Rates;

/// Bytes that are shared out to what grows with what clients ask and send, by default.
pub const MEMORY: u64 = 448 << 20;

/// How memory is shared out: fixed parts of one sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of the values and items that all questions together may hold.
    pub questions: usize,
    /// Bytes of records that may be on their way in.
    pub ingest: u64,
    /// Bytes of answers that may be in flight.
    pub answers: u64,
    /// Bytes of columns that questions have read of the store.
    pub columns: u64,
}

impl Memory {
    /// Shares out so many bytes.
    pub fn of(all: u64) -> Self {
        let part = |of_default: u64| (all / 448).saturating_mul(of_default);
        let questions = usize::try_from(part(96)).unwrap_or(usize::MAX);
        Self { questions, ingest: part(160), answers: part(64), columns: part(128) }
    }
}

/// Sizes in bytes, times, and counts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections over all threads. Further ones take the places of those that showed no valid token
    /// and keep us waiting; if there are none of these, they wait.
    pub connections: usize,
    /// Connections from one address (of IPv6: one network of 64 bits), in the same way; but further ones
    /// are closed.
    pub connections_per_address: usize,
    /// Bytes of path and query.
    pub url: usize,
    /// Bytes of all header lines. Their number is at most 100.
    pub headers: usize,
    /// Bytes of a body for the token endpoint.
    pub form: usize,
    /// Bytes of records that may be on their way in, over all threads.
    pub ingest_in_flight: u64,
    /// Bytes of the values and items that all questions together may hold.
    pub question_memory: usize,
    /// Bytes of answers that may be in flight, over all threads: made and not yet written.
    pub answers_in_flight: u64,
    /// Rejections in a row that end the reading of a body of many lines.
    pub rejections: usize,
    /// How often applications may ask; `None` is as often as they want.
    pub rates: Option<Rates>,
    /// For a request's head to arrive, and for the TLS handshake.
    pub head: Duration,
    /// Between two pieces of a body.
    pub body_idle: Duration,
    /// For a client to send a body, and longer by a second for each `body_rate` bytes that have come.
    /// Only the time counts in which the client is waited for.
    pub body: Duration,
    /// Bytes a second; 0: a large body has no more time than a small one.
    pub body_rate: u64,
    /// Between requests, and for a client to take what is sent.
    pub idle: Duration,
    /// Bytes a second that a client has to take of answers, once it has been waited for as long as between
    /// requests; 0 is none.
    pub answer_rate: u64,
    /// For requests in flight to end when the server shuts down.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let memory = Memory::of(MEMORY);
        Self {
            connections: 1_024,
            connections_per_address: 768,
            url: 8 << 10,
            headers: 16 << 10,
            form: 16 << 10,
            ingest_in_flight: memory.ingest,
            question_memory: memory.questions,
            answers_in_flight: memory.answers,
            rejections: 1_000,
            rates: None,
            head: Duration::from_secs(10),
            body_idle: Duration::from_secs(30),
            body: Duration::from_mins(1),
            body_rate: 16 << 10,
            idle: Duration::from_mins(1),
            answer_rate: 16 << 10,
            drain: Duration::from_secs(10),
        }
    }
}
