//! A limit of requests per second for each application, off unless it is set.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use identity::Caller;

use crate::problem::Problem;

/// Applications remembered before those that are at rest are forgotten.
const REMEMBERED: usize = 4_096;

/// Token buckets, shared by all threads: each holds one second's worth of requests.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_second: f64,
    buckets: Mutex<HashMap<(String, String), Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn fill(&mut self, per_second: f64, now: Instant) {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + since * per_second).min(per_second.max(1.0));
        self.filled = now;
    }
}

impl Throttle {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second.max(1)), buckets: Mutex::default() }
    }

    /// Counts a request of the application in its tenant; 429 with the time until the next one
    /// would pass when it is one too many.
    pub(crate) fn admit(&self, caller: &Caller, now: Instant) -> Result<(), Problem> {
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= REMEMBERED {
            // A full bucket is as good as none.
            buckets.retain(|_, bucket| {
                bucket.fill(self.per_second, now);
                bucket.tokens < self.per_second
            });
        }
        let key = (caller.tenant.clone(), caller.app_id.clone());
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: self.per_second, filled: now });
        bucket.fill(self.per_second, now);
        if bucket.tokens < 1.0 {
            let wait = (1.0 - bucket.tokens) / self.per_second;
            return Err(Problem::throttled(Duration::from_secs_f64(wait)));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn caller(tenant: &str, app: &str) -> Caller {
        Caller {
            tenant: tenant.to_owned(),
            app_id: app.to_owned(),
            roles: Vec::new(),
            expires_at: 0,
        }
    }

    #[test]
    fn an_application_has_its_rate_and_no_other_pays_for_it() {
        let throttle = Throttle::new(10);
        let begin = Instant::now();
        let busy = caller("a", "app");
        for _ in 0..10 {
            throttle.admit(&busy, begin).unwrap();
        }
        assert_eq!(throttle.admit(&busy, begin).unwrap_err().code(), Code::Throttled);
        throttle.admit(&caller("b", "app"), begin).unwrap();
        throttle.admit(&caller("a", "other"), begin).unwrap();
        let later = begin + Duration::from_millis(150);
        throttle.admit(&busy, later).unwrap();
        assert!(throttle.admit(&busy, later).is_err());
    }

    #[test]
    fn applications_at_rest_are_forgotten() {
        let throttle = Throttle::new(1);
        let begin = Instant::now();
        for number in 0..REMEMBERED {
            throttle.admit(&caller("a", &number.to_string()), begin).unwrap();
        }
        throttle.admit(&caller("a", "last"), begin + Duration::from_secs(5)).unwrap();
        assert_eq!(throttle.buckets.lock().unwrap().len(), 1);
    }
}
