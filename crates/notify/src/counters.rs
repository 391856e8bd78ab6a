//! Counters of deliveries, for metrics.

use std::sync::atomic::AtomicU64;

/// What was sent, for the metrics.
#[derive(Debug, Default)]
pub struct Counters {
    /// Messages that arrived.
    pub delivered: AtomicU64,
    /// Requests that failed.
    pub failed: AtomicU64,
    /// Messages that were given up.
    pub dead: AtomicU64,
    /// Conditions that ran out of their budget and counted as met.
    pub undecided: AtomicU64,
    /// Requests under way.
    pub in_flight: AtomicU64,
    /// Messages that wait, as of a second ago.
    pub queued: AtomicU64,
    /// Seconds for which the oldest of them has waited.
    pub oldest_seconds: AtomicU64,
}
