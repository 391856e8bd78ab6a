//! A migrated store in memory, for the unit tests of this crate.

use std::path::Path;

use rusqlite::{Connection, params_from_iter};

use super::migrate::migrate;
use crate::sql::writer::Statement;

pub(crate) fn migrated() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, Path::new(":memory:")).unwrap();
    super::functions::register(&connection).unwrap();
    connection
}

/// SQLite's plan of a statement, a line for each step.
pub(crate) fn explain(connection: &Connection, statement: &Statement) -> String {
    let text = format!("EXPLAIN QUERY PLAN {}", statement.text);
    let mut prepared = connection.prepare(&text).unwrap();
    let rows = prepared
        .query_map(params_from_iter(&statement.binds), |row| row.get::<_, String>(3))
        .unwrap();
    rows.collect::<Result<Vec<_>, _>>().unwrap().join("\n")
}
