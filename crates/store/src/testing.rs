//! A migrated store in memory, for the unit tests of this crate.

use std::path::Path;

use crate::engine::Connection;
use crate::engine::sqlite::register_functions;
use crate::maintenance::migration::sqlite::migrate;
use crate::sql::Statement;

/// An empty database in memory.
pub(crate) fn in_memory() -> Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    register_functions(&connection).unwrap();
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
