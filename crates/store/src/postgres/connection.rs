//! A connection to PostgreSQL for threads that wait: statements are prepared once, and what a
//! transaction begins with travels with its first statement.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::Poll;

use pollster::FutureExt as _;
use tokio_postgres::{Client, Row, Statement};

use super::Driver;
use super::wording::worded;
use crate::engine::{self, Field, Flow, Values};
use crate::{Cause, Error};

/// Distinct statements of a connection are few; when there are more, all are prepared anew.
const PREPARED_STATEMENTS: usize = 256;
/// Rows of a long result that are fetched first, and then at a time.
const FETCHED: [u32; 2] = [64, 512];

/// Bytes of the values of statements that are deferred at a time.
const MOST_DEFERRED: usize = 4 << 20;

/// An open connection.
pub(crate) struct Connection {
    client: Client,
    statements: RefCell<HashMap<String, Statement>>,
    /// What is sent before the next statement.
    before: RefCell<Option<String>>,
    is_in_transaction: Cell<bool>,
    /// What is sent before the next statement also ends a transaction.
    is_begun_anew: Cell<bool>,
    /// Statements that are sent together with the next that is waited for.
    deferred: RefCell<Vec<(Statement, Vec<Field<'static>>)>>,
    deferred_bytes: Cell<usize>,
    /// Rows that those have changed which were sent.
    counts: RefCell<Vec<usize>>,
    /// Cursors that are open.
    cursors: Cell<u32>,
}

impl Connection {
    /// Connects, and lets the driver move the bytes for as long as the connection lives. Blocks.
    pub(crate) fn open(driver: &Driver) -> Result<Self, Error> {
        let connecting = driver.clone();
        let connecting = driver.spawn(async move { connecting.connect().await });
        let connected =
            connecting.block_on().map_err(|error| Error::Internal(Cause::new(error)))?;
        let (client, connection) = connected?;
        driver.spawn(async move {
            // Whoever waits for an answer is told.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to PostgreSQL has ended");
            }
        });
        Ok(Self {
            client,
            statements: RefCell::default(),
            before: RefCell::default(),
            is_in_transaction: Cell::new(false),
            is_begun_anew: Cell::new(false),
            deferred: RefCell::default(),
            deferred_bytes: Cell::new(0),
            counts: RefCell::default(),
            cursors: Cell::new(0),
        })
    }

    /// Whether nothing can be asked any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Begins a transaction with the next statement.
    pub(crate) fn begin(&self, text: String) {
        *self.before.borrow_mut() = Some(text);
        self.is_in_transaction.set(true);
    }

    /// The same, once the transaction before has ended, if there is one.
    pub(crate) fn begin_anew(&self, text: String) {
        let is_begun = self.is_in_transaction.get() && self.before.borrow().is_none();
        self.begin(if is_begun { format!("ROLLBACK; {text}") } else { text });
        self.is_begun_anew.set(is_begun);
    }

    /// Ends the transaction, if there is one, without what is still deferred.
    pub(crate) fn end(&self, text: &str) -> Result<(), Error> {
        self.deferred.borrow_mut().clear();
        self.deferred_bytes.set(0);
        self.counts.borrow_mut().clear();
        // What was not begun need not be ended, unless another one was to end with it.
        let is_anew = self.is_begun_anew.replace(false);
        let is_begun = self.before.borrow_mut().take().is_none() || is_anew;
        if self.is_in_transaction.replace(false) && is_begun {
            self.client.batch_execute(text).block_on()?;
        }
        Ok(())
    }

    /// Runs statements without values, separated by semicolons.
    pub(crate) fn batch(&self, text: &str) -> Result<(), Error> {
        self.flush()?;
        self.send_before()?;
        Ok(self.client.batch_execute(text).block_on()?)
    }

    /// Runs a statement together with the next that is waited for.
    pub(crate) fn defer(&self, text: &str, values: &impl Values) -> Result<(), Error> {
        let statement = self.prepared(text)?;
        let values: Vec<_> = collected(values)?.into_iter().map(Field::into_owned).collect();
        let bytes: usize = values.iter().map(Field::size).sum();
        self.deferred.borrow_mut().push((statement, values));
        self.deferred_bytes.set(self.deferred_bytes.get() + bytes);
        let is_much = self.deferred_bytes.get() > MOST_DEFERRED;
        if is_much { self.flush() } else { Ok(()) }
    }

    /// Sends what is deferred, one behind the other without waiting in between.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.deferred_bytes.set(0);
        let deferred = self.deferred.take();
        if deferred.is_empty() {
            return Ok(());
        }
        self.send_before()?;
        let send = |(statement, values)| {
            Box::pin(async move { self.client.execute_raw(&statement, values).await })
        };
        let mut sent: Vec<_> = deferred.into_iter().map(send).collect();
        let counts = async {
            // A statement is sent when it is first looked at.
            let mut early: Vec<_> = poll_fn(|context| {
                Poll::Ready(sent.iter_mut().map(|it| it.as_mut().poll(context)).collect::<Vec<_>>())
            })
            .await;
            let mut counts = Vec::with_capacity(sent.len());
            for (sent, early) in sent.iter_mut().zip(early.drain(..)) {
                // Of several failures the first one is the reason for the others.
                let count = match early {
                    Poll::Ready(done) => done?,
                    Poll::Pending => sent.as_mut().await?,
                };
                counts.push(usize::try_from(count).unwrap_or(usize::MAX));
            }
            Ok::<_, tokio_postgres::Error>(counts)
        };
        self.counts.borrow_mut().extend(counts.block_on()?);
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
        let before = self.before.borrow_mut().take();
        let changed = async {
            let (begun, changed) =
                tokio::join!(self.begun(before), self.client.execute_raw(&statement, values));
            begun.and(Ok(changed?))
        };
        Ok(usize::try_from(changed.block_on()?).unwrap_or(usize::MAX))
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
        let before = self.before.borrow_mut().take();
        let rows = async {
            let (begun, rows) =
                tokio::join!(self.begun(before), self.client.query(&statement, &values));
            begun.and(Ok(rows?))
        };
        rows.block_on()
    }

    /// Gives the rows of a query in turn, of which there may be more than memory holds. Others can
    /// be asked for meanwhile.
    pub(crate) fn scan(
        &self,
        text: &str,
        values: &impl Values,
        visit: &mut dyn FnMut(&engine::Row<'_>) -> Flow,
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
        visit: &mut dyn FnMut(&engine::Row<'_>) -> Flow,
    ) -> Result<(), Error> {
        self.execute(&format!("DECLARE scan_{number} NO SCROLL CURSOR FOR {text}"), values)?;
        let mut length = FETCHED[0];
        loop {
            let fetch = format!("FETCH {length} FROM scan_{number}");
            let rows = self.client.query_typed(&fetch, &[]).block_on()?;
            for row in &rows {
                if visit(&engine::Row::Postgres(row))?.is_break() {
                    return Ok(());
                }
            }
            if rows.len() < length as usize {
                return Ok(());
            }
            length = FETCHED[1];
        }
    }

    async fn begun(&self, before: Option<String>) -> Result<(), Error> {
        match before {
            Some(text) => Ok(self.client.batch_execute(&text).await?),
            None => Ok(()),
        }
    }

    fn send_before(&self) -> Result<(), Error> {
        let before = self.before.borrow_mut().take();
        self.begun(before).block_on()
    }

    fn prepared(&self, text: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.borrow().get(text) {
            return Ok(statement.clone());
        }
        // A transaction that has failed would not take it.
        self.send_before()?;
        let statement = self.client.prepare(&worded(text)).block_on()?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= PREPARED_STATEMENTS {
            statements.clear();
        }
        statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Gives rows that have been fetched, until one was enough.
pub(crate) fn give(
    rows: &[Row],
    mut visit: impl FnMut(&engine::Row<'_>) -> Flow,
) -> Result<(), Error> {
    for row in rows {
        if let ControlFlow::Break(()) = visit(&engine::Row::Postgres(row))? {
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
