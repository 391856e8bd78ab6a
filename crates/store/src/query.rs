//! Queries of rows: what is asked for, how much it may take, and what comes of it.

pub(crate) mod access;
mod arithmetic;
pub(crate) mod block_rows;
pub(crate) mod compiler;
mod condition;
pub(crate) mod inline;
mod lambda;
mod leg;
mod magnitude;
pub(crate) mod order;
pub(crate) mod places;
pub(crate) mod plan;
pub(crate) mod position;
mod scalar;
pub(crate) mod scope;
mod share;
pub(crate) mod statement;
mod time;
pub(crate) mod value;
mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use model::rows::RowSet;
use odata::bound;
use odata::eval::Meter;

use crate::Error;
use crate::rows::record::StoredRecord;

/// A question about the current records of a tenant, or about what is inside them.
#[derive(Debug, Clone)]
pub struct RowQuery {
    /// Which rows.
    pub rows: RowSet,
    /// Filter, search, compute, orderby, skip, top and apply are followed; what an answer shows of
    /// a row (select, expand) is the caller's.
    pub query: bound::Query,
    /// Records that started before this instant (ticks) are treated as if they were not there.
    pub not_before: Option<i64>,
}

/// What a query costs, which decides where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// No more than what it answers.
    Bounded,
    /// As much as there is to look through.
    Scan,
}

/// How much a query may take.
#[derive(Debug)]
pub struct Budget {
    /// Rows that our own evaluator may look at in one call.
    pub rows_scanned: u64,
    /// Groups, or rows held at once, of `$apply`.
    pub groups: usize,
    /// Steps, time and memory, of statements and of our own evaluator.
    pub meter: Meter,
}

impl Budget {
    /// When to give up.
    pub fn deadline(&self) -> Instant {
        self.meter.deadline().unwrap_or_else(|| Instant::now() + NEVER)
    }
}

/// Longer than anybody waits.
const NEVER: Duration = Duration::from_hours(24);

/// A row that was found.
#[derive(Debug, Clone)]
pub enum ResultRow {
    /// Of [`RowSet::Records`]. One that can't be unpacked has an empty fragment, which is no layout of
    /// one.
    Record(Arc<StoredRecord>),
    /// JSON text of a row of the other sets.
    Row(Vec<u8>),
    /// One of these that can't be read.
    Damaged {
        /// The id of its record.
        id: String,
        /// What is wrong with it.
        cause: Error,
    },
}

/// Some rows of a result, in its order.
#[derive(Debug, Clone, Default)]
pub struct RowPage {
    /// The rows; fewer than asked for, even none, when the budget ended the page.
    pub rows: Vec<ResultRow>,
    /// Where the next page begins; `None` when there is none. Opaque; `$skip` and `$top` are
    /// counted in it.
    pub next: Option<Vec<u8>>,
    /// Rows that our own evaluator looked at.
    pub scanned: u64,
}

/// How a query is answered, for people.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The statements, the leading one first.
    pub sql: Vec<String>,
    /// The values of the first statement's placeholders, as text.
    pub binds: Vec<String>,
    /// The engine's plan of the first statement, a line for each step.
    pub engine_plan: Vec<String>,
    /// What our own evaluator decides over the engine's candidates, as OData text.
    pub residual: Option<String>,
    /// What leads to the rows, in words.
    pub access: String,
    /// Where it has to run.
    pub cost: Cost,
}
