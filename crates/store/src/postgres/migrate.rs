//! Brings a database to the schema of this version, one node at a time.

use zstd::zstd_safe::get_dict_id_from_dict;

use crate::dictionary::{SHIPPED, kind_name};
use crate::engine::Connection;
use crate::{Cause, Error};

/// Steps in order; their numbers count from 1.
const STEPS: &[&str] = &[include_str!("../../migrations/postgres/0001_records.sql")];
/// Any number, the same for all nodes.
const LOCK: i64 = 0x4361_6c6c_0001;

/// Migrates what is behind the connection.
pub(crate) fn migrate(connection: &Connection) -> Result<(), Error> {
    if applied(connection)? < STEPS.len() {
        connection.transact(apply)?;
    }
    for shipped in &SHIPPED {
        let key = get_dict_id_from_dict(shipped.body).map_or(0, std::num::NonZero::get);
        connection.execute(
            "INSERT INTO dictionary (dictionary_key, kind, body) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO NOTHING",
            (key, kind_name(shipped.kind), shipped.body),
        )?;
    }
    Ok(())
}

fn apply(connection: &Connection) -> Result<(), Error> {
    connection.exists("SELECT pg_advisory_xact_lock(?1)", [LOCK])?;
    // Another node may have been faster.
    let done = applied(connection)?;
    if done == 0 {
        connection
            .batch("CREATE TABLE migration (number bigint PRIMARY KEY, hash text NOT NULL)")?;
    }
    for (index, step) in STEPS.iter().enumerate().skip(done) {
        connection.batch(step)?;
        connection.execute(
            "INSERT INTO migration (number, hash) VALUES (?1, ?2)",
            (index as i64 + 1, crate::sqlite::migrate::hash(step).as_str()),
        )?;
    }
    Ok(())
}

/// How many steps the database has; an error if it is none of ours or newer.
fn applied(connection: &Connection) -> Result<usize, Error> {
    if !connection.exists("SELECT 1 WHERE to_regclass('migration') IS NOT NULL", ())? {
        return Ok(0);
    }
    let text = "SELECT number, hash FROM migration ORDER BY number";
    let rows: Vec<(i64, String)> =
        connection.all(text, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    if rows.len() > STEPS.len() {
        return Err(Error::Newer { found: rows.len() as i64, known: STEPS.len() as i64 });
    }
    for (index, (number, hash)) in rows.iter().enumerate() {
        if *number != index as i64 + 1 || *hash != crate::sqlite::migrate::hash(STEPS[index]) {
            return Err(Error::Corrupt(Cause::new("the schema was made by another build")));
        }
    }
    Ok(rows.len())
}
