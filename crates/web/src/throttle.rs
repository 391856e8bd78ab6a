//! How often applications may ask, off unless it is set.
//!
//! Each limit is a rate with a burst: so many requests within a time, all at once or one by one. What
//! is refused counts for nothing. Limits are those of one node.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Parts of the table, so that threads seldom wait for each other.
const SHARDS: usize = 16;
/// Entries of a part before those that are at rest are forgotten.
const REMEMBERED: usize = 1_024;

/// So many requests within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests; at least one.
    pub count: u32,
    /// The time.
    pub within: Duration,
}

impl Allowance {
    /// So many within so many seconds.
    pub const fn new(count: u32, seconds: u64) -> Self {
        Self { count, within: Duration::from_secs(seconds) }
    }
}

/// The limits; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Of an application in all tenants together, whatever it asks for.
    pub everywhere: Option<Allowance>,
    /// Of all applications of a tenant that ask for records.
    pub tenant: Option<Allowance>,
    /// Of an application of a tenant that asks for records.
    pub application: Option<Allowance>,
    /// Of an application that asks for the same record.
    pub record: Option<Allowance>,
    /// Of an application that asks for the pages behind the first one of the same record.
    pub following: Option<Allowance>,
    /// Of an application of a tenant that asks for the first page of the list of records.
    pub list: Option<Allowance>,
    /// Of an application of a tenant that asks for pages of that list behind the first one.
    pub list_following: Option<Allowance>,
}

/// What is asked for, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// The caller's tenant.
    pub tenant: &'a str,
    /// The caller's application.
    pub application: &'a str,
    /// What is asked for.
    pub of: Subject<'a>,
}

/// What a request is about, as far as limits tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// No records.
    Other,
    /// Records, or something beside a single one.
    Records,
    /// The list of records.
    List,
    /// A page of the list of records behind the first one.
    ListFollowing,
    /// One record, by its id as it stands in the address.
    Record(&'a str),
    /// A page behind the first one of something in a record.
    Following(&'a str),
}

/// When each limit of each application is due again, shared by all threads.
#[derive(Debug)]
pub struct Throttle {
    rates: Rates,
    began: Instant,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    /// By a hash of what is limited: the time at which its burst is whole again, in nanoseconds.
    whole_at: HashMap<u64, u64>,
    /// Entries at which those at rest are forgotten next.
    sweep_at: usize,
}

impl Throttle {
    /// Nobody has asked yet.
    pub fn new(rates: Rates) -> Self {
        let (began, hasher) = (Instant::now(), RandomState::new());
        Self { rates, began, hasher, shards: Default::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// The time until one would pass, when it is one too many; it counts for nothing then.
    pub fn admit(&self, charge: &Charge<'_>, now: Instant) -> Result<(), Duration> {
        let now = now.saturating_duration_since(self.began).as_nanos() as u64;
        let Charge { tenant, application, of } = *charge;
        let rates = &self.rates;
        let is_of_records = of != Subject::Other;
        let record = match of {
            Subject::Record(id) => (rates.record, 0, id),
            Subject::Following(id) => (rates.following, 1, id),
            Subject::List => (rates.list, 5, ""),
            Subject::ListFollowing => (rates.list_following, 6, ""),
            _ => (None, 0, ""),
        };
        let limits = [
            (rates.everywhere, self.hasher.hash_one((2, application))),
            (rates.tenant.filter(|_| is_of_records), self.hasher.hash_one((3, tenant))),
            (
                rates.application.filter(|_| is_of_records),
                self.hasher.hash_one((4, tenant, application)),
            ),
            (record.0, self.hash_of_record(tenant, application, record)),
        ];
        for (place, (allowance, key)) in limits.iter().enumerate() {
            let Some(allowance) = allowance else { continue };
            if let Err(wait) = self.take(*key, *allowance, now) {
                for (allowance, key) in &limits[..place] {
                    if let Some(allowance) = allowance {
                        self.give_back(*key, *allowance);
                    }
                }
                return Err(wait);
            }
        }
        Ok(())
    }

    fn hash_of_record(
        &self,
        tenant: &str,
        application: &str,
        (allowance, kind, id): (Option<Allowance>, u8, &str),
    ) -> u64 {
        match allowance {
            None => 0,
            // Ids are the same in either case.
            Some(_) => self.hasher.hash_one((kind, tenant, application, id.to_ascii_lowercase())),
        }
    }

    fn take(&self, key: u64, allowance: Allowance, now: u64) -> Result<(), Duration> {
        let mut shard = self.shard(key);
        shard.sweep(now);
        let whole_at = shard.whole_at.entry(key).or_insert(now);
        let next = (*whole_at).max(now) + step(allowance);
        let latest = now + allowance.within.as_nanos() as u64;
        if next > latest {
            return Err(Duration::from_nanos(next - latest));
        }
        *whole_at = next;
        Ok(())
    }

    fn give_back(&self, key: u64, allowance: Allowance) {
        if let Some(whole_at) = self.shard(key).whole_at.get_mut(&key) {
            *whole_at = whole_at.saturating_sub(step(allowance));
        }
    }

    fn shard(&self, key: u64) -> std::sync::MutexGuard<'_, Shard> {
        let shard = &self.shards[key as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// Forgets what is at rest, once there are twice as many as after the last time.
    fn sweep(&mut self, now: u64) {
        if self.whole_at.len() < self.sweep_at.max(REMEMBERED) {
            return;
        }
        self.whole_at.retain(|_, whole_at| *whole_at > now);
        self.sweep_at = 2 * self.whole_at.len();
    }
}

/// Nanoseconds that one request uses up.
fn step(allowance: Allowance) -> u64 {
    allowance.within.as_nanos() as u64 / u64::from(allowance.count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Microsoft Graph's.
    const LIMITED: Rates = Rates {
        everywhere: Some(Allowance::new(130_000, 10)),
        tenant: Some(Allowance::new(10_000, 20)),
        application: Some(Allowance::new(1_500, 20)),
        record: Some(Allowance::new(10, 20)),
        following: Some(Allowance::new(50, 300)),
        list: Some(Allowance::new(15, 20)),
        list_following: Some(Allowance::new(55, 300)),
    };

    fn charge<'a>(tenant: &'a str, application: &'a str, of: Subject<'a>) -> Charge<'a> {
        Charge { tenant, application, of }
    }

    /// How many pass at once.
    fn burst(throttle: &Throttle, charge: &Charge<'_>, now: Instant) -> usize {
        std::iter::repeat_with(|| throttle.admit(charge, now)).take_while(Result::is_ok).count()
    }

    #[test]
    fn limits_are_kept_per_application_tenant_and_record() {
        let throttle = Throttle::new(LIMITED);
        let now = throttle.began;
        let one = charge("a", "app", Subject::Record("R1"));
        assert_eq!(burst(&throttle, &one, now), 10);
        assert_eq!(burst(&throttle, &charge("a", "app", Subject::Record("r1")), now), 0);
        let pages = charge("a", "app", Subject::Following("r1"));
        assert_eq!(burst(&throttle, &pages, now), 50);
        assert_eq!(burst(&throttle, &charge("a", "app", Subject::List), now), 15);
        assert_eq!(burst(&throttle, &charge("a", "app", Subject::ListFollowing), now), 55);
        assert_eq!(burst(&throttle, &charge("b", "app", Subject::List), now), 15);
        let all = charge("a", "app", Subject::Records);
        assert_eq!(burst(&throttle, &all, now), 1_500 - 60 - 70);
        assert_eq!(burst(&throttle, &charge("b", "app", Subject::Records), now), 1_500 - 15);
        let others = (0..9)
            .map(|app| burst(&throttle, &charge("a", &app.to_string(), Subject::Records), now));
        assert_eq!(others.sum::<usize>(), 10_000 - 1_500, "the tenant has a limit too");
        let other = charge("a", "app", Subject::Other);
        assert_eq!(burst(&throttle, &other, now), 130_000 - 3_000, "its own in both tenants");
    }

    #[test]
    fn the_wait_that_is_told_is_enough_and_not_too_long() {
        let throttle = Throttle::new(LIMITED);
        let now = throttle.began;
        let one = charge("a", "app", Subject::Record("r1"));
        burst(&throttle, &one, now);
        let wait = throttle.admit(&one, now).unwrap_err();
        assert_eq!(wait, Duration::from_secs(2));
        assert!(throttle.admit(&one, now + Duration::from_millis(1_999)).is_err());
        assert_eq!(throttle.admit(&one, now + wait), Ok(()));
        assert_eq!(burst(&throttle, &one, now + Duration::from_mins(1)), 10);
    }

    #[test]
    fn what_is_refused_counts_for_nothing() {
        let record = Some(Allowance::new(1, 60));
        let application = Some(Allowance::new(3, 60));
        let throttle = Throttle::new(Rates { application, record, ..Rates::default() });
        let now = throttle.began;
        for _ in 0..10 {
            let _ = throttle.admit(&charge("a", "app", Subject::Record("r1")), now);
        }
        assert_eq!(burst(&throttle, &charge("a", "app", Subject::Records), now), 2);
    }

    #[test]
    fn no_limit_is_none() {
        let throttle = Throttle::new(Rates::default());
        let asked = charge("a", "app", Subject::Record("r1"));
        assert!((0..10_000).all(|_| throttle.admit(&asked, throttle.began).is_ok()));
    }

    #[test]
    fn what_is_at_rest_is_forgotten() {
        let application = Some(Allowance::new(1, 1));
        let throttle = Throttle::new(Rates { application, ..Rates::default() });
        for number in 0..100_000_u64 {
            let now = throttle.began + Duration::from_millis(number);
            throttle.admit(&charge("a", &number.to_string(), Subject::Records), now).unwrap();
        }
        let kept: usize =
            throttle.shards.iter().map(|shard| shard.lock().unwrap().whole_at.len()).sum();
        assert!(kept <= SHARDS * (REMEMBERED + 1), "{kept}");
    }
}
