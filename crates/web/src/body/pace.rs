//! How slowly the body of a request may come.
//!
//! What counts is the time in which we waited for the client, not that in which it waited for us: a
//! sender that is held up by what becomes of its records is not a slow one.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::limits::Limits;
use crate::problem::Problem;

/// The time that the client of one body has, and how much of it is used up.
#[derive(Debug)]
pub(super) struct Pace {
    /// Between two pieces.
    idle: Duration,
    /// For all of it, and for so many bytes a second longer.
    whole: Duration,
    rate: u64,
    waited: Duration,
    received: u64,
}

impl Pace {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            idle: limits.body_idle,
            whole: limits.body,
            rate: limits.body_rate,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// Bytes that have come.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Counts bytes that have come.
    pub(super) fn receive(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// Waits for the client; 408 when its time is over.
    pub(super) async fn wait<T>(&mut self, next: impl Future<Output = T>) -> Result<T, Problem> {
        let began = Instant::now();
        let outcome = timeout(self.patience(), next).await;
        self.waited += began.elapsed();
        outcome.map_err(|_| Problem::request_timeout())
    }

    /// How long the next piece may take.
    fn patience(&self) -> Duration {
        let earned = self.received.saturating_mul(1_000).checked_div(self.rate).unwrap_or(0);
        let all = self.whole.saturating_add(Duration::from_millis(earned));
        self.idle.min(all.saturating_sub(self.waited))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: u64) -> Pace {
        Pace::new(&Limits {
            body_idle: Duration::from_secs(30),
            body: Duration::from_mins(1),
            body_rate: rate,
            ..Limits::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_the_rate_may_take_any_time() {
        let mut pace = pace(1_000);
        for _ in 0..1_000 {
            let piece = pace.wait(tokio::time::sleep(Duration::from_secs(20))).await;
            assert!(piece.is_ok());
            pace.receive(20_000);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slower_is_out_of_time_when_the_whole_is_used_up() {
        for (rate, bytes, expected) in [(1_000, 10, 60), (1_000, 500, 120), (0, 1 << 20, 60)] {
            let (mut pace, began) = (pace(rate), Instant::now());
            while pace.wait(tokio::time::sleep(Duration::from_secs(1))).await.is_ok() {
                pace.receive(bytes);
            }
            let after = began.elapsed().as_secs();
            assert!(after.abs_diff(expected) <= 1, "{after} s at {bytes} bytes a second");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_waits_for_the_client_does_not_count() {
        let mut pace = pace(1_000);
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_mins(1)).await;
            assert!(pace.wait(std::future::ready(())).await.is_ok());
        }
        assert!(pace.wait(std::future::pending::<()>()).await.is_err(), "but silence does");
    }
}
