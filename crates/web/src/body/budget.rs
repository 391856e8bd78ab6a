//! How many bytes of records may be on their way in at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::problem::Problem;

/// Shared by all threads. Handing it out never waits: above the limit a client is told to come
/// back, which is back-pressure that it can see.
#[derive(Debug, Clone)]
pub struct IngestBudget(Arc<Account>);

#[derive(Debug)]
struct Account {
    limit: u64,
    used: AtomicU64,
}

impl IngestBudget {
    /// `limit` in bytes.
    pub fn new(limit: u64) -> Self {
        Self(Arc::new(Account { limit, used: AtomicU64::new(0) }))
    }

    /// Takes `bytes` until the reservation is dropped; 503 when that would be too much.
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, Problem> {
        let mut reservation = Reservation { account: Arc::clone(&self.0), bytes: 0 };
        reservation.grow(bytes)?;
        Ok(reservation)
    }

    /// Bytes taken now.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }
}

/// Bytes that are counted as in flight.
#[derive(Debug)]
pub struct Reservation {
    account: Arc<Account>,
    bytes: u64,
}

impl Reservation {
    /// Takes more. Refused, it keeps what it had.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Problem> {
        let Account { limit, used } = &*self.account;
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|sum| sum <= limit)
        })
        .map_err(|used| {
            Problem::unavailable(
                format!("{used} bytes of records are in flight, {bytes} more is over the limit"),
                Duration::from_secs(1),
            )
        })?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn above_the_limit_clients_are_told_to_come_back() {
        let budget = IngestBudget::new(100);
        let mut first = budget.reserve(60).unwrap();
        assert_eq!(budget.reserve(41).unwrap_err().code(), Code::Unavailable);
        assert_eq!(first.grow(41).unwrap_err().code(), Code::Unavailable);
        first.grow(40).unwrap();
        assert_eq!(budget.used(), 100);
        drop(first);
        assert_eq!(budget.used(), 0);
        budget.reserve(100).unwrap();
    }
}
