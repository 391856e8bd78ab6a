//! A migrated store in memory, for the unit tests of this crate.

use std::path::Path;

use super::migrate::migrate;
use crate::engine::Connection;
use crate::sql::writer::Statement;

/// An empty database in memory.
pub(crate) fn in_memory() -> Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    super::functions::register(&connection).unwrap();
    Connection::Sqlite(connection)
}

pub(crate) fn migrated() -> Connection {
    let mut connection = in_memory();
    migrate(&mut connection, Path::new(":memory:")).unwrap();
    connection
}

/// SQLite's plan of a statement, a line for each step.
pub(crate) fn explain(connection: &Connection, statement: &Statement) -> String {
    let text = format!("EXPLAIN QUERY PLAN {}", statement.text);
    let steps = connection.all(&text, statement.binds.as_slice(), |row| row.get::<String>(3));
    steps.unwrap().join("\n")
}
