//! How fast a source is asked, so that its limits hold in every window of time, wherever it begins.
//!
//! A bucket gives so many requests at once (its burst) and then one each so often: burst + rate × window is
//! what the limit allows, less what is left to others. Buckets begin empty, so that a process that is started
//! again and again sends no more than one that runs on. A 429 closes its bucket for as long as it asks, and
//! slows it down for a while; it loses nothing, since what waits stands in the ledger.

use std::collections::HashMap;
use std::time::Duration;

/// So many requests within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Requests.
    pub(crate) count: u32,
    /// The window.
    pub(crate) window: Duration,
}

impl Allowance {
    const fn new(count: u32, seconds: u64) -> Self {
        Self { count, window: Duration::from_secs(seconds) }
    }
}

/// The limits of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// All requests.
    pub(crate) all: Allowance,
    /// First pages of the list.
    pub(crate) list: Allowance,
    /// Pages of the list behind the first.
    pub(crate) list_following: Allowance,
    /// Requests for one record.
    pub(crate) record: Allowance,
    /// Pages of one record behind the first.
    pub(crate) record_following: Allowance,
}

/// Microsoft Graph's limits for an application in a tenant, where two of its pages differ the stricter one.
pub(crate) const GRAPH: Limits = Limits {
    all: Allowance::new(1_500, 20),
    list: Allowance::new(15, 20),
    list_following: Allowance::new(55, 300),
    record: Allowance::new(10, 20),
    record_following: Allowance::new(50, 300),
};

/// Shares of the limits that are used: the rest is for others, and for answers that arrive late.
const SHARE: f64 = 0.8;
const SHARE_OF_LISTS: f64 = 0.7;
/// Share of an allowance that may be used at once.
const BURST: f64 = 1.0 / 30.0;
const BURST_OF_RECORD: f64 = 0.5;
/// What a 429 leaves of a rate, and what comes back of it in a minute.
const SLOWED: f64 = 0.7;
const FASTER: f64 = 0.05;
/// The longest wait after a 429 that says none.
const LONGEST: Duration = Duration::from_mins(10);
/// Refusals of so many records within this time mean that all requests are too many.
const REFUSED_RECORDS: usize = 3;
const REFUSED_WITHIN: Duration = Duration::from_secs(10);
/// Failures in a row after which the source is only tried now and then.
const FAILURES: u32 = 20;
const TRIED_EVERY: Duration = Duration::from_secs(30);
/// Records of which the limits are remembered.
const RECORDS: usize = 4_096;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// The first page of the list.
    List,
    /// A page of the list behind the first.
    ListFollowing,
    /// A record, by the key of its id.
    Record(&'a [u8]),
    /// A page of a record behind the first.
    RecordFollowing(&'a [u8]),
    /// The mirror's subscription.
    Subscription,
}

impl Kind<'_> {
    /// Its name in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::ListFollowing => "list_following",
            Self::Record(_) => "record",
            Self::RecordFollowing(_) => "record_following",
            Self::Subscription => "subscription",
        }
    }
}

#[derive(Debug, Clone)]
struct Bucket {
    burst: f64,
    /// Requests a second.
    rate: f64,
    tokens: f64,
    at: Duration,
    /// What 429s have left of the rate.
    factor: f64,
    closed_until: Duration,
    /// 429s in a row.
    refusals: u32,
}

impl Bucket {
    /// A bucket that begins empty, or full.
    fn of(allowance: Allowance, shares: (f64, f64), is_full: bool, now: Duration) -> Self {
        let (share, burst) = shares;
        let count = f64::from(allowance.count) * share;
        let burst = (count * burst).max(1.0).min(count.max(1.0));
        Self {
            burst,
            rate: (count - burst).max(count / 10.0) / allowance.window.as_secs_f64().max(1.0),
            tokens: if is_full { burst } else { 0.0 },
            at: now,
            factor: 1.0,
            closed_until: Duration::ZERO,
            refusals: 0,
        }
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.rate * self.factor).min(self.burst);
        self.factor = (self.factor + FASTER * passed / 60.0).min(1.0);
    }

    /// The wait until a request may be sent; zero if it may be now.
    fn wait(&mut self, now: Duration) -> Duration {
        self.refill(now);
        let closed_for = self.closed_until.saturating_sub(now);
        if !closed_for.is_zero() {
            return closed_for;
        }
        if self.tokens >= 1.0 {
            return Duration::ZERO;
        }
        // A little more than it takes, so that one wait is enough.
        let seconds = (1.0 - self.tokens) / (self.rate * self.factor) + 0.001;
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
    }

    fn close(&mut self, wait: Option<Duration>, jitter: f64, now: Duration) {
        self.refill(now);
        self.refusals += 1;
        let usual = Duration::from_secs(1 << self.refusals.min(10)).min(LONGEST);
        let wait = wait.unwrap_or(usual).mul_f64(1.0 + jitter / 10.0);
        self.closed_until = self.closed_until.max(now + wait);
        self.factor *= SLOWED;
        self.tokens = 0.0;
    }
}

/// All buckets of a mirror. Times are since any instant; `jitter` is a random number from 0 to 1.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: Option<Limits>,
    all: Bucket,
    list: Bucket,
    list_following: Bucket,
    subscriptions: Bucket,
    records: HashMap<(bool, Vec<u8>), Bucket>,
    refused_records: Vec<(Duration, Vec<u8>)>,
    failures: u32,
    next_trial: Duration,
}

/// No limit that is ever reached.
const NO_LIMIT: Allowance = Allowance::new(u32::MAX, 1);

impl Limiter {
    /// Nothing was asked yet. Without limits only the source's refusals slow it down.
    pub(crate) fn new(limits: Option<Limits>, now: Duration) -> Self {
        let bucket = |allowance: Option<Allowance>, share| {
            Bucket::of(allowance.unwrap_or(NO_LIMIT), (share, BURST), allowance.is_none(), now)
        };
        Self {
            limits,
            all: bucket(limits.map(|limits| limits.all), SHARE),
            list: bucket(limits.map(|limits| limits.list), SHARE_OF_LISTS),
            list_following: bucket(limits.map(|limits| limits.list_following), SHARE_OF_LISTS),
            subscriptions: bucket(None, SHARE),
            records: HashMap::new(),
            refused_records: Vec::new(),
            failures: 0,
            next_trial: Duration::ZERO,
        }
    }

    /// Counts a request that is sent now.
    ///
    /// # Errors
    /// How long to wait before it may be asked again, when it must not be sent; it counts for nothing then.
    pub(crate) fn take(&mut self, kind: Kind<'_>, now: Duration) -> Result<(), Duration> {
        self.forget(now);
        let is_out_of_order = self.failures >= FAILURES;
        let trial =
            if is_out_of_order { self.next_trial.saturating_sub(now) } else { Duration::ZERO };
        let wait = self.all.wait(now).max(self.of(kind, now).wait(now)).max(trial);
        if !wait.is_zero() {
            return Err(wait);
        }
        if is_out_of_order {
            self.next_trial = now + TRIED_EVERY;
        }
        self.all.tokens -= 1.0;
        self.of(kind, now).tokens -= 1.0;
        Ok(())
    }

    /// The source has refused a request as one too many, and asks for a wait, or says none.
    pub(crate) fn refused(
        &mut self,
        kind: Kind<'_>,
        wait: Option<Duration>,
        jitter: f64,
        now: Duration,
    ) {
        self.of(kind, now).close(wait, jitter, now);
        if let Kind::Record(id) | Kind::RecordFollowing(id) = kind {
            self.refused_records.retain(|(at, known)| *at + REFUSED_WITHIN > now && known != id);
            self.refused_records.push((now, id.to_vec()));
            if self.refused_records.len() >= REFUSED_RECORDS {
                self.refused_records.clear();
                self.all.close(wait, jitter, now);
            }
        }
    }

    /// For how long requests of a kind are held back because the source asked for it.
    pub(crate) fn closed_for(&mut self, kind: Kind<'_>, now: Duration) -> Duration {
        self.of(kind, now).closed_until.max(self.all.closed_until).saturating_sub(now)
    }

    /// Requests a second that the buckets allow at present; none without limits.
    pub(crate) fn rates(&self) -> Vec<(&'static str, f64)> {
        let buckets =
            [("all", &self.all), ("list", &self.list), ("list_following", &self.list_following)];
        let rate = |(name, bucket): (&'static str, &Bucket)| (name, bucket.rate * bucket.factor);
        self.limits.map_or_else(Vec::new, |_| buckets.map(rate).to_vec())
    }

    /// The source has answered as it should.
    pub(crate) fn succeeded(&mut self, kind: Kind<'_>, now: Duration) {
        self.failures = 0;
        self.all.refusals = 0;
        self.of(kind, now).refusals = 0;
    }

    /// The source is out of order: no answer, or 5xx. `wait` is what it asks for.
    pub(crate) fn failed(&mut self, wait: Option<Duration>, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        if let Some(wait) = wait {
            self.all.closed_until = self.all.closed_until.max(now + wait);
        }
        if self.failures == FAILURES {
            self.next_trial = now + TRIED_EVERY;
        }
    }

    fn of(&mut self, kind: Kind<'_>, now: Duration) -> &mut Bucket {
        let (id, follows) = match kind {
            Kind::List => return &mut self.list,
            Kind::ListFollowing => return &mut self.list_following,
            Kind::Subscription => return &mut self.subscriptions,
            Kind::Record(id) => (id, false),
            Kind::RecordFollowing(id) => (id, true),
        };
        let of_record =
            |limits: Limits| if follows { limits.record_following } else { limits.record };
        let allowance = self.limits.map_or(NO_LIMIT, of_record);
        let new = || Bucket::of(allowance, (SHARE, BURST_OF_RECORD), true, now);
        self.records.entry((follows, id.to_vec())).or_insert_with(new)
    }

    /// Forgets records whose limits are at rest, if there are many.
    fn forget(&mut self, now: Duration) {
        if self.records.len() >= RECORDS {
            self.records.retain(|_, bucket| {
                bucket.refill(now);
                bucket.tokens < bucket.burst || bucket.closed_until > now
            });
        }
    }
}

#[cfg(test)]
mod tests;
