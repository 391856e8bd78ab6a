//! What is counted, and how Prometheus reads it.
//!
//! Each worker thread counts in a [`Counters`] of its own, so that threads never share a cache
//! line on the way of a request; only the reader of `/metrics` adds them up.

mod exposition;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;

use crate::answer_budget::AnswerBudget;
use crate::body::IngestBudget;
use crate::connection_table::ConnectionTable;
use crate::route::Route;

pub(crate) use exposition::MEDIA_TYPE;
pub use exposition::write_family;

/// Upper bounds of the duration buckets, in microseconds; one more bucket has no bound.
const BOUNDS_US: [u64; 15] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    2_500_000, 10_000_000,
];
const BUCKETS: usize = BOUNDS_US.len() + 1;

/// Methods counted apart; the last stands for all others.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"];

/// Statuses counted apart; 0 stands for all others.
const STATUSES: [u16; 28] = [
    200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 414, 415, 424,
    429, 431, 499, 500, 501, 503, 504, 507, 0,
];

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    version: &'static str,
    /// What routes are called.
    labels: &'static [&'static str],
    gauges: Gauges,
    threads: Vec<OnceLock<Arc<Counters>>>,
    denials: [AtomicU64; DENIALS.len()],
}

/// What metrics show beside what they count.
#[derive(Debug)]
pub(crate) struct Gauges {
    /// Bytes of records that are on their way in.
    pub(crate) budget: IngestBudget,
    /// Bytes of answers that are on their way out.
    pub(crate) answer_budget: AnswerBudget,
    /// Lines of the log that were lost.
    pub(crate) log_lines_dropped: Arc<AtomicU64>,
    /// The connections.
    pub(crate) connection_table: Arc<ConnectionTable>,
}

/// Why callers were refused: `identity::Denial`, and a role that was missing.
const DENIALS: [&str; 16] = [
    "empty",
    "malformed",
    "algorithm",
    "unknown_key",
    "signature",
    "issuer",
    "audience",
    "early",
    "expired",
    "tenant",
    "not_access_token",
    "delegated",
    "keys_unavailable",
    "role",
    "application",
    "no_application",
];

impl Metrics {
    /// For `threads` workers. `version` is the program's, `labels` are the names of routes.
    pub(crate) fn new(
        version: &'static str,
        labels: &'static [&'static str],
        threads: usize,
        gauges: Gauges,
    ) -> Self {
        Self {
            version,
            labels,
            gauges,
            threads: (0..threads).map(|_| OnceLock::new()).collect(),
            denials: Default::default(),
        }
    }

    /// The counters of a worker. Made on its own thread, so that their memory is near it.
    pub(crate) fn counters(&self, thread: usize) -> Arc<Counters> {
        Arc::clone(self.threads[thread].get_or_init(|| Arc::new(Counters::new(self.labels.len()))))
    }

    /// A token was refused.
    pub(crate) fn denied(&self, denied: identity::Denial) {
        use identity::Denial;
        let number = match denied {
            Denial::Empty => 0,
            Denial::Malformed => 1,
            Denial::Algorithm => 2,
            Denial::UnknownKey => 3,
            Denial::Signature => 4,
            Denial::Issuer => 5,
            Denial::Audience => 6,
            Denial::Early => 7,
            Denial::Expired => 8,
            Denial::Tenant => 9,
            Denial::NotAccessToken => 10,
            Denial::Delegated => 11,
            Denial::KeysUnavailable => 12,
            Denial::Application => 14,
            Denial::NoApplication => 15,
        };
        self.denials[number].fetch_add(1, Ordering::Relaxed);
    }

    /// A role was missing.
    pub(crate) fn role_missing(&self) {
        self.denials[13].fetch_add(1, Ordering::Relaxed);
    }
}

/// The counters of one worker thread, the only one that writes to them.
#[derive(Debug)]
pub(crate) struct Counters {
    in_flight: AtomicU64,
    /// By route, method, status.
    requests: Vec<AtomicU64>,
    /// By route, bucket.
    durations: Vec<AtomicU64>,
    /// By route, nanoseconds.
    duration_sums: Vec<AtomicU64>,
}

impl Counters {
    fn new(routes: usize) -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            in_flight: AtomicU64::new(0),
            requests: zeros(routes * METHODS.len() * STATUSES.len()),
            durations: zeros(routes * BUCKETS),
            duration_sums: zeros(routes),
        }
    }

    pub(crate) fn request_begins(&self) {
        add(&self.in_flight, 1);
    }

    pub(crate) fn request_ends(&self, route: Route, method: &Method, status: u16, took: Duration) {
        add(&self.in_flight, u64::MAX);
        let route = usize::from(route.number);
        let method = method_number(method);
        let status = STATUSES.iter().position(|known| *known == status);
        let status = status.unwrap_or(STATUSES.len() - 1);
        add(&self.requests[(route * METHODS.len() + method) * STATUSES.len() + status], 1);
        let micros = took.as_micros() as u64;
        let bucket = BOUNDS_US.iter().position(|bound| micros <= *bound);
        add(&self.durations[route * BUCKETS + bucket.unwrap_or(BUCKETS - 1)], 1);
        add(&self.duration_sums[route], took.as_nanos() as u64);
    }
}

/// One writer, so no locked instruction is needed.
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
}

fn method_number(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::HEAD => 1,
        Method::POST => 2,
        Method::PUT => 3,
        Method::PATCH => 4,
        Method::DELETE => 5,
        _ => 6,
    }
}
