//! A connection to PostgreSQL for threads that wait: statements are prepared once, and what a
//! transaction begins with travels with its first statement.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;

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

/// An open connection.
pub(crate) struct Connection {
    client: Client,
    statements: RefCell<HashMap<String, Statement>>,
    /// What is sent before the next statement.
    before: RefCell<Option<String>>,
    is_in_transaction: Cell<bool>,
    /// Cursors that are open.
    cursors: Cell<u32>,
}

impl Connection {
    /// Connects, and lets the driver move the bytes for as long as the connection lives. Blocks.
    pub(crate) fn open(driver: &Driver) -> Result<Self, Error> {
        let connecting = driver.clone();
        let connecting = driver.runtime.spawn(async move { connecting.connect().await });
        let connected =
            connecting.block_on().map_err(|error| Error::Internal(Cause::new(error)))?;
        let (client, connection) = connected?;
        driver.runtime.spawn(async move {
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

    /// Ends the transaction, if there is one.
    pub(crate) fn end(&self, text: &str) -> Result<(), Error> {
        let is_begun = self.before.borrow_mut().take().is_none();
        if self.is_in_transaction.replace(false) && is_begun {
            self.client.batch_execute(text).block_on()?;
        }
        Ok(())
    }

    /// Runs statements without values, separated by semicolons.
    pub(crate) fn batch(&self, text: &str) -> Result<(), Error> {
        self.send_before()?;
        Ok(self.client.batch_execute(text).block_on()?)
    }

    /// Runs a statement; how many rows it has changed.
    pub(crate) fn execute(&self, text: &str, values: &impl Values) -> Result<usize, Error> {
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
