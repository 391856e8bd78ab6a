//! Statements and rows that wait to be sent together.

use tokio_postgres::Statement;

use super::tuple::Tuples;
use crate::Error;
use crate::engine::insertion::Insertion;
use crate::engine::value::Values;

/// Bytes of what waits, above which it is sent.
const MOST_WAITING: usize = 4 << 20;
/// So many rows for one table, and more, are copied into it instead of being inserted one by one.
const COPIED_FROM: usize = 32;

/// A statement with the values of each time that it is run.
pub(super) struct DeferredStatement {
    pub(super) statement: Statement,
    pub(super) values: Tuples,
}

/// Rows for one table.
pub(super) struct Rows {
    pub(super) insertion: &'static Insertion,
    statement: Statement,
    pub(super) values: Tuples,
}

/// What waits: statements in their order, and behind them rows, which may come in any order.
#[derive(Default)]
pub(super) struct Queue {
    deferred: Vec<DeferredStatement>,
    rows: Vec<Rows>,
    bytes: usize,
}

impl Queue {
    pub(super) fn has_deferred(&self) -> bool {
        !self.deferred.is_empty()
    }

    pub(super) fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Whether so much waits that it should be sent.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MOST_WAITING
    }

    pub(super) fn defer(&mut self, deferred: DeferredStatement) {
        self.bytes += deferred.values.size();
        self.deferred.push(deferred);
    }

    /// The place of the rows of an insertion, if any wait.
    pub(super) fn place(&self, insertion: &'static Insertion) -> Option<usize> {
        self.rows.iter().position(|rows| std::ptr::eq(rows.insertion, insertion))
    }

    /// Makes a place for the rows of an insertion.
    pub(super) fn open(&mut self, insertion: &'static Insertion, statement: Statement) -> usize {
        self.rows.push(Rows { insertion, statement, values: Tuples::new() });
        self.rows.len() - 1
    }

    /// Adds a row in a place.
    pub(super) fn put(&mut self, place: usize, values: &impl Values) -> Result<(), Error> {
        let Rows { statement, values: rows, .. } = &mut self.rows[place];
        let before = rows.size();
        rows.push(statement.params(), values)?;
        self.bytes += rows.size() - before;
        Ok(())
    }

    /// Takes all rows: those that are to be copied, and the others.
    pub(super) fn take_rows(&mut self) -> (Vec<Rows>, Vec<Rows>) {
        let is_many =
            |rows: &Rows| rows.values.count() >= COPIED_FROM && rows.insertion.copying.is_some();
        std::mem::take(&mut self.rows).into_iter().partition(is_many)
    }

    /// Puts rows behind the statements.
    pub(super) fn defer_rows(&mut self, rows: Vec<Rows>) {
        let deferred = rows
            .into_iter()
            .map(|Rows { statement, values, .. }| DeferredStatement { statement, values });
        self.deferred.extend(deferred);
    }

    /// Takes all statements, behind which no rows wait.
    pub(super) fn take_deferred(&mut self) -> Vec<DeferredStatement> {
        self.bytes = 0;
        std::mem::take(&mut self.deferred)
    }
}
