//! A connection to PostgreSQL for threads that wait: statements are prepared once, and what a
//! transaction begins with travels with its first statement.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::SinkExt as _;
use futures_util::future::join;
use tokio_postgres::{Row, Statement};

use super::Database;
use super::link::Link;
use super::tuple::{Raw, Tuples};
use crate::engine::dialect::to_postgres;
use crate::engine::field::Field;
use crate::engine::insertion::Insertion;
use crate::engine::row::{self, Flow};
use crate::engine::value::Values;
use crate::{Cause, Error};

/// Distinct statements of a connection are few; when there are more, all are prepared anew.
const PREPARED_STATEMENTS: usize = 256;
/// Rows of a long result that are fetched first, and then at a time.
const FETCHED: [u32; 2] = [64, 512];

/// Bytes of what waits to be sent, above which it is sent.
const MOST_WAITING: usize = 4 << 20;
/// So many rows for one table, and more, are copied into it instead of being inserted one by one.
const COPIED_FROM: usize = 32;
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// An open connection.
pub(crate) struct Connection {
    /// Tells it from every other one of this process.
    pub(crate) number: u64,
    link: Link,
    statements: RefCell<HashMap<String, Statement>>,
    /// Whether the server has a transaction open, as far as statements were sent to it.
    is_open: Cell<bool>,
    /// What is sent before the next statement.
    before: RefCell<Option<Before>>,
    /// A statement of the transaction has failed, so that nothing can be committed any more.
    has_failed: Cell<bool>,
    /// Statements that are sent together with the next that is waited for.
    deferred: RefCell<Vec<Deferred>>,
    /// Rows that are put in with them; by table.
    rows: RefCell<Vec<Rows>>,
    waiting_bytes: Cell<usize>,
    /// Rows that those statements have changed which were deferred and sent.
    counts: RefCell<Vec<usize>>,
    /// Cursors that are open.
    cursors: Cell<u32>,
}

/// A beginning or an end of a transaction.
struct Before {
    text: String,
    /// Whether a transaction is open behind it.
    opens: bool,
}

/// A statement with its values.
struct Deferred {
    statement: Statement,
    values: Tuples,
}

/// Rows for one table.
struct Rows {
    insertion: &'static Insertion,
    statement: Statement,
    values: Tuples,
}

impl Connection {
    /// Connects. Blocks.
    pub(crate) fn open(database: &Database) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Ok(Self {
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            link: database.connect()?,
            statements: RefCell::default(),
            is_open: Cell::new(false),
            before: RefCell::default(),
            has_failed: Cell::new(false),
            deferred: RefCell::default(),
            rows: RefCell::default(),
            waiting_bytes: Cell::new(0),
            counts: RefCell::default(),
            cursors: Cell::new(0),
        })
    }

    /// Whether nothing can be asked any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// Begins a transaction with the next statement, once the one before has ended, if there is one.
    pub(crate) fn begin(&self, text: &str) {
        let end = if self.is_open.get() { "ROLLBACK; " } else { "" };
        *self.before.borrow_mut() = Some(Before { text: format!("{end}{text}"), opens: true });
        self.has_failed.set(false);
    }

    /// How long a statement may take, if nothing else is said when a transaction begins.
    pub(crate) fn limit_statements(&self, limit: Duration) -> Result<(), Error> {
        self.batch(&format!("SET statement_timeout = {}", milliseconds(limit)))
    }

    /// The same for one that reads one state; a statement may take so long in it.
    pub(crate) fn begin_reading(&self, limit: Option<Duration>) {
        let limit = limit.map_or_else(String::new, |limit| {
            format!("; SET LOCAL statement_timeout = {}", milliseconds(limit))
        });
        self.begin(&format!("{BEGIN_READING}{limit}"));
    }

    /// Ends a transaction that reads, if there is one, with the next statement.
    pub(crate) fn leave(&self) {
        let end = || Before { text: "ROLLBACK".to_owned(), opens: false };
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
        if self.is_open.get() || (is_to_begin && !self.deferred.borrow().is_empty()) {
            self.pipeline(Some(text))?;
        }
        *self.before.borrow_mut() = None;
        self.is_open.set(false);
        self.counts.borrow_mut().clear();
        Ok(())
    }

    /// Rolls the transaction back, if there is one, with whatever waits.
    pub(crate) fn roll_back(&self) -> Result<(), Error> {
        self.deferred.borrow_mut().clear();
        self.rows.borrow_mut().clear();
        self.waiting_bytes.set(0);
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
        self.told(self.link.run(self.link.client().batch_execute(text)))
    }

    /// Runs a statement together with the next that is waited for.
    pub(crate) fn defer(&self, text: &str, values: &impl Values) -> Result<(), Error> {
        if !self.rows.borrow().is_empty() {
            self.flush()?;
        }
        let statement = self.prepared(text)?;
        let mut row = Tuples::new();
        row.push(statement.params(), values)?;
        let bytes = row.size();
        self.deferred.borrow_mut().push(Deferred { statement, values: row });
        self.wait_with(bytes)
    }

    /// Puts a row into a table before the next statement that is waited for, in whatever order with
    /// rows for other tables.
    pub(crate) fn put(
        &self,
        insertion: &'static Insertion,
        values: &impl Values,
    ) -> Result<(), Error> {
        let is_its = |rows: &Rows| std::ptr::eq(rows.insertion, insertion);
        let known = self.rows.borrow().iter().position(is_its);
        let place = if let Some(place) = known {
            place
        } else {
            let statement = self.prepared(&insertion.text)?;
            let mut rows = self.rows.borrow_mut();
            rows.push(Rows { insertion, statement, values: Tuples::new() });
            rows.len() - 1
        };
        let mut all = self.rows.borrow_mut();
        let Rows { statement, values: rows, .. } = &mut all[place];
        let before = rows.size();
        rows.push(statement.params(), values)?;
        let bytes = rows.size() - before;
        drop(all);
        self.wait_with(bytes)
    }

    fn wait_with(&self, bytes: usize) -> Result<(), Error> {
        let waiting = self.waiting_bytes.get() + bytes;
        self.waiting_bytes.set(waiting);
        if waiting > MOST_WAITING { self.flush() } else { Ok(()) }
    }

    /// Sends what waits.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.copy_rows()?;
        if self.deferred.borrow().is_empty() { Ok(()) } else { self.pipeline(None) }
    }

    /// Copies rows into the tables that get many, and puts the others behind what is deferred.
    fn copy_rows(&self) -> Result<(), Error> {
        let is_many =
            |rows: &Rows| rows.values.count() >= COPIED_FROM && rows.insertion.copying.is_some();
        let (many, few): (Vec<_>, Vec<_>) = self.rows.take().into_iter().partition(is_many);
        if !many.is_empty() {
            if !self.deferred.borrow().is_empty() {
                self.pipeline(None)?;
            }
            self.send_before()?;
        }
        for Rows { insertion, values, .. } in many {
            if let Some(text) = &insertion.copying {
                self.copy(text, values)?;
            }
        }
        let few = few.into_iter().map(|rows| (rows.statement, rows.values));
        let few = few.map(|(statement, values)| Deferred { statement, values });
        self.deferred.borrow_mut().extend(few);
        Ok(())
    }

    fn copy(&self, text: &str, rows: Tuples) -> Result<(), Error> {
        let statement = self.prepared(text)?;
        let copied = async {
            let mut sink = pin!(self.link.client().copy_in(&statement).await?);
            sink.send(rows.into_copy()).await?;
            sink.finish().await
        };
        self.told(self.link.run(copied).map(drop))
    }

    /// Sends what is deferred, one behind the other without waiting in between, and behind it an
    /// end, if there is one.
    fn pipeline(&self, end: Option<&str>) -> Result<(), Error> {
        self.waiting_bytes.set(0);
        let deferred = self.deferred.take();
        let mut begun = Box::pin(self.begun());
        let rows = deferred.iter().flat_map(|it| it.values.rows().map(|row| (&it.statement, row)));
        let send = |(statement, row)| {
            Box::pin(self.link.client().execute_raw::<_, Raw<'_>, _>(statement, row))
        };
        let mut sent: Vec<_> = rows.map(send).collect();
        let mut ended = Box::pin(async {
            match end {
                Some(text) => self.link.client().batch_execute(text).await,
                None => Ok(()),
            }
        });
        let all = async {
            // A statement is sent when it is first looked at.
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
        let counts = self.told(self.link.run(all))?;
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
        Ok(usize::try_from(self.told(self.link.run(changed))?).unwrap_or(usize::MAX))
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
        self.told(self.link.run(rows))
    }

    /// Gives the rows of a query in turn, of which there may be more than memory holds. Others can
    /// be asked for meanwhile.
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
            let rows = self.told(self.link.run(self.link.client().query_typed(&fetch, &[])))?;
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

    /// Sends what is to be sent before a statement, when it is first looked at.
    async fn begun(&self) -> Result<(), tokio_postgres::Error> {
        let Some(before) = self.before.take() else { return Ok(()) };
        // If it fails there may be a transaction; to end one that is not there does no harm.
        self.is_open.set(true);
        self.link.client().batch_execute(&before.text).await?;
        self.is_open.set(before.opens);
        Ok(())
    }

    fn send_before(&self) -> Result<(), Error> {
        self.told(self.link.run(self.begun()))
    }

    /// Notes a failure, which is the end of a transaction.
    fn told<T>(&self, outcome: Result<T, tokio_postgres::Error>) -> Result<T, Error> {
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
        let statement = self.told(self.link.run(self.link.client().prepare(&to_postgres(text))))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= PREPARED_STATEMENTS {
            statements.clear();
        }
        statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn milliseconds(limit: Duration) -> String {
    limit.as_millis().max(1).to_string()
}

/// The outcome of what was looked at once already.
async fn finish<F: Future + Unpin>(early: Poll<F::Output>, rest: F) -> F::Output {
    match early {
        Poll::Ready(done) => done,
        Poll::Pending => rest.await,
    }
}

/// Gives rows that have been fetched, until one was enough.
pub(crate) fn give(
    rows: &[Row],
    mut visit: impl FnMut(&row::Row<'_>) -> Flow,
) -> Result<(), Error> {
    for row in rows {
        if let ControlFlow::Break(()) = visit(&row::Row::Postgres(row))? {
            break;
        }
    }
    Ok(())
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
