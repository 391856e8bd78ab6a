//! Migrates a database, one node at a time.
//!
//! A rolling upgrade has nodes of two versions on one database. So a step that a version brings only
//! expands: what it adds, nodes of the version before can do without. What they needed is taken
//! away by a step of a later version. Each step notes how many steps a node has to know to work with
//! what the step leaves.

use super::hash;
use crate::codec::dictionary;
use crate::engine::Connection;
use crate::tables::log_positions;
use crate::{Cause, Error};

/// Steps in order; their numbers count from 1. With each, how many steps a node has to know.
const STEPS: &[(&str, i64)] = &[
    (include_str!("../../../migrations/postgres/0001_records.sql"), 1),
    (include_str!("../../../migrations/postgres/0002_logs.sql"), 1),
    (include_str!("../../../migrations/postgres/0003_undecided.sql"), 1),
    (include_str!("../../../migrations/postgres/0004_tracking.sql"), 1),
    (include_str!("../../../migrations/postgres/0005_plain_words.sql"), 5),
    (include_str!("../../../migrations/postgres/0006_verdicts.sql"), 6),
    (include_str!("../../../migrations/postgres/0007_plain_values.sql"), 6),
    (include_str!("../../../migrations/postgres/0008_places.sql"), 6),
    (include_str!("../../../migrations/postgres/0009_ends.sql"), 6),
    (include_str!("../../../migrations/postgres/0010_profiles.sql"), 6),
    (include_str!("../../../migrations/postgres/0011_pages.sql"), 6),
    (include_str!("../../../migrations/postgres/0012_mirrors.sql"), 6),
    (include_str!("../../../migrations/postgres/0013_blocks.sql"), 6),
    (include_str!("../../../migrations/postgres/0014_mirror_notifications.sql"), 6),
];
/// Any number, the same for all nodes.
const LOCK: i64 = 0x4361_6c6c_0001;

/// The number of the last transaction that the store knows of.
macro_rules! last {
    () => {
        "(greatest((SELECT coalesce(max(sequence), 0) FROM change_log), \
         (SELECT max(sequence) FROM notification_cursor), \
         (SELECT coalesce(max(created_after), 0) FROM subscription)) >> 20)"
    };
}

/// The number that the next transaction would have.
macro_rules! next {
    () => {
        "(pg_snapshot_xmax(pg_current_snapshot())::text::bigint \
         + (SELECT value FROM setting WHERE name = 'transaction_base'))"
    };
}

/// Whether the database holds no store yet.
pub(crate) fn is_empty(connection: &Connection) -> Result<bool, Error> {
    Ok(applied(connection)? == 0)
}

/// Migrates what is behind the connection.
pub(crate) fn migrate(connection: &Connection) -> Result<(), Error> {
    if applied(connection)? < STEPS.len() {
        connection.transact(apply)?;
    }
    if is_of_another_cluster(connection)? {
        connection.transact(continue_numbers)?;
    }
    if !log_positions::has_incarnation(connection)? {
        connection.transact(|connection| {
            lock(connection)?;
            log_positions::settle_incarnation(connection)
        })?;
    }
    dictionary::add_shipped(connection)
}

fn apply(connection: &Connection) -> Result<(), Error> {
    lock(connection)?;
    // Another node may have been faster.
    let done = applied(connection)?;
    if done == 0 {
        connection.batch(
            "CREATE TABLE migration (number bigint PRIMARY KEY, hash text NOT NULL, \
                    needs bigint NOT NULL)",
        )?;
    }
    for (index, (step, needs)) in STEPS.iter().enumerate().skip(done) {
        connection.batch(step)?;
        connection.execute(
            "INSERT INTO migration (number, hash, needs) VALUES (?1, ?2, ?3)",
            (index as i64 + 1, hash(step).as_str(), *needs),
        )?;
    }
    Ok(())
}

/// Whether the cluster has given fewer numbers to transactions than are in the change log: a dump was
/// restored in it.
fn is_of_another_cluster(connection: &Connection) -> Result<bool, Error> {
    let text = concat!("SELECT ", last!(), " >= ", next!());
    Ok(connection.value(text, ())?.unwrap_or(false))
}

/// Has the numbers of the change log go on behind the last one.
fn continue_numbers(connection: &Connection) -> Result<(), Error> {
    lock(connection)?;
    // Another node may have been faster.
    if is_of_another_cluster(connection)? {
        tracing::info!("the change log goes on in another cluster");
        let text = concat!(
            "UPDATE setting SET value = value + ",
            last!(),
            " - ",
            next!(),
            " + 1 WHERE name = 'transaction_base'"
        );
        connection.execute(text, ())?;
    }
    Ok(())
}

fn lock(connection: &Connection) -> Result<(), Error> {
    connection.exists("SELECT pg_advisory_xact_lock(?1)", [LOCK]).map(drop)
}

/// How many steps the database has; an error if it is none of ours or newer.
fn applied(connection: &Connection) -> Result<usize, Error> {
    if !connection.exists("SELECT 1 WHERE to_regclass('migration') IS NOT NULL", ())? {
        return Ok(0);
    }
    let text = "SELECT number, hash, needs FROM migration ORDER BY number";
    let rows: Vec<(i64, String, i64)> =
        connection.all(text, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let known = STEPS.len() as i64;
    if rows.iter().any(|(.., needs)| *needs > known) {
        return Err(Error::Newer { found: rows.len() as i64, known });
    }
    for (index, ((number, hash_then, _), (step, _))) in rows.iter().zip(STEPS).enumerate() {
        if *number != index as i64 + 1 || *hash_then != hash(step) {
            return Err(Error::Corrupt(Cause::new("the schema was made by another build")));
        }
    }
    Ok(rows.len())
}
