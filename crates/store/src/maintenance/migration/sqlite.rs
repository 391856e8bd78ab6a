//! Migrates a file: all of the steps that it lacks, or none.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{hash, refill};
use crate::codec::dictionary;
use crate::tables::log_positions;
use crate::{Error, engine};

/// Steps in order; their numbers count from 1.
const STEPS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_records.sql"),
    include_str!("../../../migrations/sqlite/0002_queries.sql"),
    include_str!("../../../migrations/sqlite/0003_notifications.sql"),
    include_str!("../../../migrations/sqlite/0004_calls.sql"),
    include_str!("../../../migrations/sqlite/0005_logs.sql"),
    include_str!("../../../migrations/sqlite/0006_undecided.sql"),
    include_str!("../../../migrations/sqlite/0007_tracking.sql"),
    include_str!("../../../migrations/sqlite/0008_plain_words.sql"),
    include_str!("../../../migrations/sqlite/0009_verdicts.sql"),
    include_str!("../../../migrations/sqlite/0010_plain_values.sql"),
    include_str!("../../../migrations/sqlite/0011_places.sql"),
    include_str!("../../../migrations/sqlite/0012_ends.sql"),
    include_str!("../../../migrations/sqlite/0013_profiles.sql"),
    include_str!("../../../migrations/sqlite/0014_pages.sql"),
    include_str!("../../../migrations/sqlite/0015_mirrors.sql"),
    include_str!("../../../migrations/sqlite/0016_blocks.sql"),
    include_str!("../../../migrations/sqlite/0017_mirror_notifications.sql"),
];

/// Marks the file as a Callvault store ("Call").
const APPLICATION_ID: i32 = 0x4361_6c6c;

/// Migrates what is behind the connection.
pub(crate) fn migrate(connection: &mut engine::Connection, path: &Path) -> Result<(), Error> {
    let engine::Connection::Sqlite(file) = connection else { return Err(Error::FilesOnly) };
    if !is_current(file, path)? {
        apply(file, path)?;
    }
    dictionary::add_shipped(connection)?;
    if !log_positions::has_incarnation(connection)? {
        connection.transact(log_positions::settle_incarnation)?;
    }
    refill::refill(connection, path)
}

fn apply(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let done = applied(&transaction, path)?;
    if done == 0 {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.execute_batch(
            "CREATE TABLE migration (number INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT",
        )?;
    }
    for (index, step) in STEPS.iter().enumerate().skip(done) {
        transaction.execute_batch(step)?;
        transaction.execute(
            "INSERT INTO migration (number, hash) VALUES (?1, ?2)",
            (index as i64 + 1, hash(step)),
        )?;
    }
    transaction.commit()?;
    Ok(())
}

fn is_current(connection: &Connection, path: &Path) -> Result<bool, Error> {
    Ok(applied(connection, path)? == STEPS.len())
}

/// How many steps the file has; an error if it is none of ours or newer.
fn applied(connection: &Connection, path: &Path) -> Result<usize, Error> {
    let foreign = |reason| Error::Foreign { path: path.to_owned(), reason };
    let application_id: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application_id != APPLICATION_ID {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
        return if application_id == 0 && tables == 0 {
            Ok(0)
        } else {
            Err(foreign("it is the database of another program"))
        };
    }
    let mut statement = connection.prepare("SELECT number, hash FROM migration ORDER BY number")?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<Result<Vec<(i64, String)>, _>>()?;
    if rows.len() > STEPS.len() {
        return Err(Error::Newer { found: rows.len() as i64, known: STEPS.len() as i64 });
    }
    for (index, (number, hash_then)) in rows.iter().enumerate() {
        if *number != index as i64 + 1 || *hash_then != hash(STEPS[index]) {
            return Err(foreign("its schema was made by another build"));
        }
    }
    Ok(rows.len())
}

#[cfg(test)]
mod tests {
    use model::columns::Table;

    use super::*;
    use crate::testing;

    #[test]
    fn every_typed_column_of_the_model_stands_in_its_table() {
        let connection = testing::migrated();
        for table in Table::ALL {
            for column in table.columns().iter().chain(table.verdicts()) {
                let table = table.name();
                let text = "SELECT type FROM pragma_table_info(?1) WHERE name = ?2";
                let ty: Option<String> = connection.value(text, (table, column.name)).unwrap();
                let expected = format!("{:?}", column.affinity).to_uppercase();
                assert_eq!(ty, Some(expected), "{table}.{}", column.name);
            }
        }
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let mut connection = testing::migrated();
        let newer = [STEPS.len() as i64 + 1];
        connection.execute("INSERT INTO migration VALUES (?1, '')", newer).unwrap();
        let refused = migrate(&mut connection, Path::new("x.db"));
        let known = STEPS.len() as i64;
        let is_newer = |error: &Error| matches!(error, Error::Newer { found, known: ours } if *found == known + 1 && *ours == known);
        assert!(refused.as_ref().is_err_and(is_newer), "{refused:?}");
    }

    #[test]
    fn a_store_whose_step_was_another_is_refused() {
        let mut connection = testing::migrated();
        connection.execute("UPDATE migration SET hash = 'another'", ()).unwrap();
        let refused = migrate(&mut connection, Path::new("x.db"));
        assert!(matches!(refused, Err(Error::Foreign { .. })), "{refused:?}");
    }

    #[test]
    fn the_database_of_another_program_is_refused_and_left_alone() {
        let mut connection = testing::in_memory();
        connection.execute("CREATE TABLE bookmarks (url TEXT)", ()).unwrap();
        let refused = migrate(&mut connection, Path::new("x.db"));
        assert!(matches!(refused, Err(Error::Foreign { .. })), "{refused:?}");
        let tables = connection.value("SELECT count(*) FROM sqlite_schema", ()).unwrap();
        assert_eq!(tables, Some(1_i64));
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = testing::migrated();
        let changes = "SELECT total_changes()";
        let before: Option<i64> = connection.value(changes, ()).unwrap();
        migrate(&mut connection, Path::new("x.db")).unwrap();
        assert_eq!(connection.value(changes, ()).unwrap(), before);
    }
}
