//! How much a query may cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use odata::eval::{Allowance, Meter, Pool};
use store::Budget;

/// How much a query may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Rows that are looked at one by one, where no index and no column decides.
    pub rows_scanned: u64,
    /// Groups of `$apply`, and rows that it holds at once.
    pub groups: usize,
    /// Time for the whole query.
    pub time: Duration,
    /// Steps of our own evaluator.
    pub steps: u64,
    /// Bytes of values that the query makes, and of items that it keeps.
    pub bytes: usize,
    /// Rows on a page of a list that Graph does not have, if as many are asked for.
    pub page: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            rows_scanned: 100_000,
            groups: 10_000,
            time: Duration::from_secs(2),
            steps: 100_000_000,
            bytes: 16 << 20,
            page: 1_000,
        }
    }
}

impl QueryLimits {
    /// Of the time, 1 in so many is left for making the answer of the rows that were found; of steps
    /// there are as many more for that.
    const FOR_THE_ANSWER: u32 = 12;

    /// What a question that came at an instant may take.
    pub(crate) fn budget(&self, pool: &Arc<Pool>, began: Instant) -> Budget {
        let allowance = Allowance {
            steps: self.steps,
            deadline: Some(began + self.time * (Self::FOR_THE_ANSWER - 1) / Self::FOR_THE_ANSWER),
            bytes: self.bytes,
        };
        let meter = Meter::of(pool, allowance);
        Budget { rows_scanned: self.rows_scanned, groups: self.groups, meter }
    }

    /// Gives what was left for the answer.
    pub(crate) fn release_the_rest(&self, budget: &Budget) {
        let end = budget.deadline() + self.time / Self::FOR_THE_ANSWER;
        budget.meter.extend(self.steps / u64::from(Self::FOR_THE_ANSWER), Some(end));
    }
}
