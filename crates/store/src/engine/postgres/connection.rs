//! A connection to PostgreSQL for threads that wait: statements are prepared once, the beginning of a
//! transaction travels with its first statement, and writes are pipelined.
//!
//! # Pipelining
//!
//! To await the outcome of a statement costs a round trip, which is most of what a small statement
//! costs. A transaction that writes has many statements whose outcome nobody needs before the commit, so
//! these wait in a [`Queue`], and are sent one behind the other, with the beginning before them and the commit
//! behind them: the server works on one while the next is on its way, and the whole takes one round trip.
//!
//! tokio-postgres sends a statement when its future is polled first, so polling all of them once, in
//! order, is what pipelines them ([`Connection::pipeline`]). A failure shows at the end only. The server
//! then refuses everything up to the end of the transaction, so the first failure is the one that
//! matters; and since PostgreSQL answers the `COMMIT` of a failed transaction with success, having rolled
//! it back, a transaction in which anything has failed is never committed here.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::SinkExt as _;
use futures_util::future::join;
use quick_cache::unsync::Cache;
use tokio_postgres::{Row, Statement};

use super::Database;
use super::link::Link;
use super::queue::{DeferredStatement, Queue, Rows};
use super::tuple::{RawValue, Tuples};
use crate::engine::dialect::to_postgres;
use crate::engine::field::Field;
use crate::engine::insertion::Insertion;
use crate::engine::row::{self, Flow};
use crate::engine::value::Values;
use crate::{Cause, Error};

/// Statements that stay prepared. Those of a connection are few; lists make others.
const PREPARED_STATEMENTS: usize = 256;
/// Rows of a long result that are fetched first, and then at a time.
const FETCHED: [u32; 2] = [64, 512];
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// An open connection.
pub(crate) struct Connection {
    /// Tells it from every other one of this process.
    pub(crate) number: u64,
    link: Link,
    statements: RefCell<Cache<String, Statement>>,
    /// Whether the server has a transaction open, as far as statements were sent to it.
    is_open: Cell<bool>,
    /// What is sent before the next statement.
    before: RefCell<Option<Boundary>>,
    /// A statement of the transaction has failed, so that nothing can be committed any more.
    has_failed: Cell<bool>,
    /// What is sent together with the next statement whose outcome is awaited.
    queue: RefCell<Queue>,
    /// Rows that those statements have changed which were deferred and sent.
    counts: RefCell<Vec<usize>>,
    /// Cursors that are open.
    cursors: Cell<u32>,
}

/// A beginning or an end of a transaction.
struct Boundary {
    text: String,
    /// Whether a transaction is open behind it.
    opens: bool,
}

impl Connection {
    /// Connects. Blocks.
    pub(crate) fn open(database: &Database) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Ok(Self {
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            link: database.connect()?,
            statements: RefCell::new(Cache::new(PREPARED_STATEMENTS)),
            is_open: Cell::new(false),
            before: RefCell::default(),
            has_failed: Cell::new(false),
            queue: RefCell::default(),
            counts: RefCell::default(),
            cursors: Cell::new(0),
        })
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// Begins a transaction with the next statement, once the one before has ended, if there is one.
    pub(crate) fn begin(&self, text: &str) {
        let end = if self.is_open.get() { "ROLLBACK; " } else { "" };
        *self.before.borrow_mut() = Some(Boundary { text: format!("{end}{text}"), opens: true });
        self.has_failed.set(false);
    }

    /// Limits how long a statement may take in transactions that begin without a limit of their own.
    pub(crate) fn limit_statements(&self, limit: Duration) -> Result<(), Error> {
        self.batch(&format!("SET statement_timeout = {}", milliseconds(limit)))
    }

    /// Begins a transaction that reads one state with the next statement; a limit is how long a statement
    /// may take in it.
    pub(crate) fn begin_reading(&self, limit: Option<Duration>) {
        let limit = limit.map_or_else(String::new, |limit| {
            format!("; SET LOCAL statement_timeout = {}", milliseconds(limit))
        });
        self.begin(&format!("{BEGIN_READING}{limit}"));
    }

    /// Ends a transaction that reads, if there is one, with the next statement.
    pub(crate) fn leave(&self) {
        let end = || Boundary { text: "ROLLBACK".to_owned(), opens: false };
        *self.before.borrow_mut() = self.is_open.get().then(end);
    }

    /// Commits what the transaction has done, and whatever waits. `text` ends with `COMMIT`.
    pub(crate) fn commit(&self, text: &str) -> Result<(), Error> {
        self.copy_rows()?;
        if self.has_failed.get() {
            // PostgreSQL would roll back, and call that a success.
            return Err(Error::Internal(Cause::new("a transaction has failed before its end")));
        }
        let is_to_begin = self.before.borrow().as_ref().is_some_and(|before| before.opens);
        if self.is_open.get() || (is_to_begin && self.queue.borrow().has_deferred()) {
            self.pipeline(Some(text))?;
        }
        *self.before.borrow_mut() = None;
        self.is_open.set(false);
        self.counts.borrow_mut().clear();
        Ok(())
    }

    /// Rolls the transaction back, if there is one, with whatever waits.
    pub(crate) fn roll_back(&self) -> Result<(), Error> {
        *self.queue.borrow_mut() = Queue::default();
        self.counts.borrow_mut().clear();
        *self.before.borrow_mut() = None;
        // With a connection ends its transaction.
        if self.is_open.get() && !self.is_closed() {
            self.link.run(self.link.client().batch_execute("ROLLBACK"))?;
        }
        self.is_open.set(false);
        Ok(())
    }

    /// Runs statements without values, separated by semicolons.
    pub(crate) fn batch(&self, text: &str) -> Result<(), Error> {
        self.flush()?;
        self.send_before()?;
        self.noted(self.link.run(self.link.client().batch_execute(text)))
    }

    /// Runs a statement together with the next one whose outcome is awaited.
    pub(crate) fn defer(&self, text: &str, values: &impl Values) -> Result<(), Error> {
        if self.queue.borrow().has_rows() {
            self.flush()?;
        }
        let statement = self.prepared(text)?;
        let mut row = Tuples::new();
        row.push(statement.params(), values)?;
        self.queue.borrow_mut().defer(DeferredStatement { statement, values: row });
        self.flush_if_full()
    }

    /// Inserts a row into a table before the next statement whose outcome is awaited, in any order with
    /// rows for other tables.
    pub(crate) fn put(
        &self,
        insertion: &'static Insertion,
        values: &impl Values,
    ) -> Result<(), Error> {
        let known = self.queue.borrow().place(insertion);
        let place = if let Some(place) = known {
            place
        } else {
            let statement = self.prepared(&insertion.text)?;
            self.queue.borrow_mut().open(insertion, statement)
        };
        self.queue.borrow_mut().put(place, values)?;
        self.flush_if_full()
    }

    fn flush_if_full(&self) -> Result<(), Error> {
        let is_full = self.queue.borrow().is_full();
        if is_full { self.flush() } else { Ok(()) }
    }

    /// Sends what waits.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.copy_rows()?;
        let has_deferred = self.queue.borrow().has_deferred();
        if has_deferred { self.pipeline(None) } else { Ok(()) }
    }

    /// Copies rows into the tables that get many, and puts the others behind what is deferred.
    fn copy_rows(&self) -> Result<(), Error> {
        let (many, few) = self.queue.borrow_mut().take_rows();
        if !many.is_empty() {
            let has_deferred = self.queue.borrow().has_deferred();
            if has_deferred {
                self.pipeline(None)?;
            }
            self.send_before()?;
        }
        for Rows { insertion, values, .. } in many {
            if let Some(text) = &insertion.copying {
                self.copy(text, values)?;
            }
        }
        self.queue.borrow_mut().defer_rows(few);
        Ok(())
    }

    fn copy(&self, text: &str, rows: Tuples) -> Result<(), Error> {
        let statement = self.prepared(text)?;
        let copied = async {
            let mut sink = pin!(self.link.client().copy_in(&statement).await?);
            sink.send(rows.into_copy()).await?;
            sink.finish().await
        };
        self.noted(self.link.run(copied).map(drop))
    }

    /// Sends what is deferred without waiting in between, and behind it an end, if there is one.
    fn pipeline(&self, end: Option<&str>) -> Result<(), Error> {
        let deferred = self.queue.borrow_mut().take_deferred();
        let mut begun = Box::pin(self.begun());
        let rows = deferred.iter().flat_map(|it| it.values.rows().map(|row| (&it.statement, row)));
        let send = |(statement, row)| {
            Box::pin(self.link.client().execute_raw::<_, RawValue<'_>, _>(statement, row))
        };
        let mut sent: Vec<_> = rows.map(send).collect();
        let mut ended = Box::pin(async {
            match end {
                Some(text) => self.link.client().batch_execute(text).await,
                None => Ok(()),
            }
        });
        let all = async {
            // A statement is sent when it is polled first.
            let (begun_early, mut early, ended_early) = poll_fn(|context| {
                let begun = begun.as_mut().poll(context);
                let sent: Vec<_> = sent.iter_mut().map(|it| it.as_mut().poll(context)).collect();
                Poll::Ready((begun, sent, ended.as_mut().poll(context)))
            })
            .await;
            // Of several failures the first one is the reason for the others.
            finish(begun_early, begun.as_mut()).await?;
            let mut counts = Vec::with_capacity(sent.len());
            for (sent, early) in sent.iter_mut().zip(early.drain(..)) {
                counts.push(finish(early, sent.as_mut()).await?);
            }
            finish(ended_early, ended.as_mut()).await?;
            Ok(counts)
        };
        let counts = self.noted(self.link.run(all))?;
        let counts = counts.into_iter().map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        self.counts.borrow_mut().extend(counts);
        Ok(())
    }

    /// How many rows each statement has changed that was deferred since this was asked last.
    pub(crate) fn counted(&self) -> Result<Vec<usize>, Error> {
        self.flush()?;
        Ok(self.counts.take())
    }

    /// Runs a statement; how many rows it has changed.
    pub(crate) fn execute(&self, text: &str, values: &impl Values) -> Result<usize, Error> {
        self.flush()?;
        let statement = self.prepared(text)?;
        let values = collected(values)?;
        let changed = async {
            let (begun, changed) =
                join(self.begun(), self.link.client().execute_raw(&statement, values)).await;
            begun.and(changed)
        };
        Ok(usize::try_from(self.noted(self.link.run(changed))?).unwrap_or(usize::MAX))
    }

    /// All rows of a query, which are few.
    pub(crate) fn rows(&self, text: &str, values: &impl Values) -> Result<Vec<Row>, Error> {
        self.flush()?;
        let statement = self.prepared(text)?;
        let values = collected(values)?;
        let values: Vec<_> = values
            .iter()
            .map(|value| value as &(dyn tokio_postgres::types::ToSql + Sync))
            .collect();
        let rows = async {
            let (begun, rows) =
                join(self.begun(), self.link.client().query(&statement, &values)).await;
            begun.and(rows)
        };
        self.noted(self.link.run(rows))
    }

    /// Gives the rows of a query in turn, of which there may be more than memory holds. `visit` may run
    /// other statements.
    pub(crate) fn scan(
        &self,
        text: &str,
        values: &impl Values,
        visit: &mut dyn FnMut(&row::Row<'_>) -> Flow,
    ) -> Result<(), Error> {
        let number = self.cursors.get();
        self.cursors.set(number + 1);
        let given = self.give(number, text, values, visit);
        self.cursors.set(number);
        let closed = self.batch(&format!("CLOSE scan_{number}"));
        given.and(closed)
    }

    fn give(
        &self,
        number: u32,
        text: &str,
        values: &impl Values,
        visit: &mut dyn FnMut(&row::Row<'_>) -> Flow,
    ) -> Result<(), Error> {
        self.execute(&format!("DECLARE scan_{number} NO SCROLL CURSOR FOR {text}"), values)?;
        let mut length = FETCHED[0];
        loop {
            let fetch = format!("FETCH {length} FROM scan_{number}");
            let rows = self.noted(self.link.run(self.link.client().query_typed(&fetch, &[])))?;
            for row in &rows {
                if visit(&row::Row::Postgres(row))?.is_break() {
                    return Ok(());
                }
            }
            if rows.len() < length as usize {
                return Ok(());
            }
            length = FETCHED[1];
        }
    }

    /// Sends what is to be sent before a statement, when it is polled first.
    async fn begun(&self) -> Result<(), tokio_postgres::Error> {
        let Some(before) = self.before.take() else { return Ok(()) };
        // If it fails there may be a transaction; to end one that is not there does no harm.
        self.is_open.set(true);
        self.link.client().batch_execute(&before.text).await?;
        self.is_open.set(before.opens);
        Ok(())
    }

    fn send_before(&self) -> Result<(), Error> {
        self.noted(self.link.run(self.begun()))
    }

    /// Notes a failure, which is the end of a transaction.
    fn noted<T>(&self, outcome: Result<T, tokio_postgres::Error>) -> Result<T, Error> {
        outcome.map_err(|error| {
            self.has_failed.set(true);
            error.into()
        })
    }

    fn prepared(&self, text: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.borrow().get(text) {
            return Ok(statement.clone());
        }
        // A transaction that has failed would not take it.
        self.send_before()?;
        let statement =
            self.noted(self.link.run(self.link.client().prepare(&to_postgres(text))))?;
        self.statements.borrow_mut().insert(text.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn milliseconds(limit: Duration) -> String {
    limit.as_millis().max(1).to_string()
}

/// The outcome of a future that was polled once already.
async fn finish<F: Future + Unpin>(early: Poll<F::Output>, rest: F) -> F::Output {
    match early {
        Poll::Ready(done) => done,
        Poll::Pending => rest.await,
    }
}

fn collected(values: &impl Values) -> Result<Vec<Field<'_>>, Error> {
    let mut all = Vec::new();
    values.each(&mut |value| {
        all.push(value);
        Ok(())
    })?;
    Ok(all)
}

#[cfg(test)]
mod tests;
