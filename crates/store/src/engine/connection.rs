//! A connection to whichever engine holds the store: transactions, statements and their rows.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use rusqlite::CachedStatement;

use super::dialect::Dialect;
use super::field::Column;
use super::insertion::Insertion;
use super::postgres;
use super::postgres::listening::NOTICE;
use super::row::{Flow, Row};
use super::value::Values;
use crate::{Cause, Error};

/// The least number that a future entry of the change log may have, on PostgreSQL.
macro_rules! settled {
    () => {
        "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint \
         + (SELECT value FROM setting WHERE name = 'transaction_base') << 20)"
    };
}

/// An open connection.
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::connection::Connection>),
}

impl Connection {
    /// Tells a connection to a database from every other one; that to a file is 0.
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(connection) => connection.number,
        }
    }

    /// The dialect that it speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Begins a transaction that writes.
    pub(crate) fn begin_write(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.execute("BEGIN IMMEDIATE", ()).map(drop),
            Self::Postgres(connection) => {
                connection.begin("BEGIN ISOLATION LEVEL READ COMMITTED");
                Ok(())
            }
        }
    }

    /// Commits: what was written is durable from then on.
    pub(crate) fn commit(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.execute("COMMIT", ()).map(drop),
            Self::Postgres(connection) => connection.commit("COMMIT"),
        }
    }

    /// Commits, and notifies the other nodes of a store.
    pub(crate) fn commit_and_notify(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.commit(),
            Self::Postgres(connection) => connection.commit(NOTICE),
        }
    }

    /// Takes back what the transaction has written.
    pub(crate) fn roll_back(&self) -> Result<(), Error> {
        match self {
            // Some errors roll back by themselves.
            Self::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            Self::Sqlite(connection) => Ok(connection.execute_batch("ROLLBACK")?),
            Self::Postgres(connection) => connection.roll_back(),
        }
    }

    /// Runs `work` in a transaction of its own, which is committed if it succeeds and rolled back if not.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.begin_write()?;
        match work(self) {
            Ok(done) => self.commit().map(|()| done),
            Err(error) => {
                self.roll_back()?;
                Err(error)
            }
        }
    }

    /// Begins to read the state of the store as it is now, and lets go of the one before. `limit` is how
    /// long a statement may take, if that differs from the connection's usual limit.
    pub(crate) fn begin_read(&self, limit: Option<Duration>) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => {
                self.end_read()?;
                self.execute("BEGIN", ()).map(drop)
            }
            Self::Postgres(connection) => {
                connection.begin_reading(limit);
                Ok(())
            }
        }
    }

    /// Lets go of the state that was read, if there is one.
    pub(crate) fn end_read(&self) -> Result<(), Error> {
        match self {
            // Some errors end a transaction by themselves.
            Self::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            Self::Sqlite(_) => self.commit(),
            Self::Postgres(connection) => connection.roll_back(),
        }
    }

    /// Lets go of the state that was read, with the next statement at the latest.
    pub(crate) fn leave_read(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.end_read(),
            Self::Postgres(connection) => {
                connection.leave();
                Ok(())
            }
        }
    }

    /// A query of the last entry of the change log behind which no other can still appear; 0 before the
    /// first.
    pub(crate) fn last_settled(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SELECT coalesce(max(sequence), 0) FROM change_log",
            Self::Postgres(_) => {
                concat!("SELECT ", settled!(), " - 1")
            }
        }
    }

    /// Runs statements without values, separated by semicolons.
    pub(crate) fn batch(&self, text: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(text)?),
            Self::Postgres(connection) => connection.batch(text),
        }
    }

    /// A condition on entries `c` of the change log: that no other entry can still appear before them.
    pub(crate) fn is_settled(&self) -> &'static str {
        match self {
            // Transactions of a file follow each other.
            Self::Sqlite(_) => "1 = 1",
            Self::Postgres(_) => {
                concat!("c.sequence < ", settled!())
            }
        }
    }

    /// Runs a statement; how many rows it has changed.
    pub(crate) fn execute(&self, text: &str, values: impl Values) -> Result<usize, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(text)?;
                bind(&mut statement, &values)?;
                Ok(statement.raw_execute()?)
            }
            Self::Postgres(connection) => connection.execute(text, &values),
        }
    }

    /// Runs a statement in the transaction, after those before it and before those behind it. Its failure
    /// may show only with one of these.
    pub(crate) fn defer(&self, text: &str, values: impl Values) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.execute(text, values).map(drop),
            Self::Postgres(connection) => connection.defer(text, &values),
        }
    }

    /// Inserts a row, with the next statement whose outcome is awaited or the commit at the latest.
    /// Rows for several tables may be inserted in another order.
    pub(crate) fn put(
        &self,
        insertion: &'static Insertion,
        values: impl Values,
    ) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.execute(&insertion.text, values).map(drop),
            Self::Postgres(connection) => connection.put(insertion, &values),
        }
    }

    /// Runs a statement once for each of these values, one behind the other; how many rows each has
    /// changed.
    pub(crate) fn execute_each<V: Values>(
        &self,
        text: &str,
        all: impl IntoIterator<Item = V>,
    ) -> Result<Vec<usize>, Error> {
        match self {
            Self::Sqlite(_) => all.into_iter().map(|values| self.execute(text, values)).collect(),
            Self::Postgres(connection) => {
                connection.counted()?;
                for values in all {
                    connection.defer(text, &values)?;
                }
                connection.counted()
            }
        }
    }

    /// Gives the rows of a query one after the other, until one was enough.
    pub(crate) fn each(
        &self,
        text: &str,
        values: impl Values,
        mut visit: impl FnMut(&Row<'_>) -> Flow,
    ) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(text)?;
                bind(&mut statement, &values)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    if visit(&Row::Sqlite(row))?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
            Self::Postgres(connection) => {
                for row in &connection.rows(text, &values)? {
                    if visit(&Row::Postgres(row))?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Gives the rows of a query one after the other, also of one that has more than memory holds.
    pub(crate) fn scan(
        &self,
        text: &str,
        values: impl Values,
        mut visit: impl FnMut(&Row<'_>) -> Flow,
    ) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.each(text, values, visit),
            Self::Postgres(connection) => connection.scan(text, &values, &mut visit),
        }
    }

    /// The first row of a query, if there is one.
    pub(crate) fn first<T>(
        &self,
        text: &str,
        values: impl Values,
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let (mut read, mut first) = (Some(read), None);
        self.each(text, values, |row| {
            if let Some(read) = read.take() {
                first = Some(read(row)?);
            }
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// The first column of the first row, if there is one.
    pub(crate) fn value<T: Column>(
        &self,
        text: &str,
        values: impl Values,
    ) -> Result<Option<T>, Error> {
        self.first(text, values, |row| row.get(0))
    }

    /// Whether a query has rows.
    pub(crate) fn exists(&self, text: &str, values: impl Values) -> Result<bool, Error> {
        Ok(self.first(text, values, |_| Ok(()))?.is_some())
    }

    /// Inserts a row and gives the key that it got, which the statement returns.
    pub(crate) fn inserted(&self, text: &str, values: impl Values) -> Result<i64, Error> {
        let key = self.value(text, values)?;
        key.ok_or_else(|| Error::Internal(Cause::new("an insert has given no key")))
    }

    /// All rows of a query.
    pub(crate) fn all<T>(
        &self,
        text: &str,
        values: impl Values,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.each(text, values, |row| {
            all.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.dialect()).finish_non_exhaustive()
    }
}

fn bind(statement: &mut CachedStatement<'_>, values: &impl Values) -> Result<(), Error> {
    let mut number = 0;
    values.each(&mut |value| {
        number += 1;
        statement.raw_bind_parameter(number, value)?;
        Ok(())
    })
}
