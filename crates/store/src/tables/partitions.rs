//! PostgreSQL's partitions of the tables of records, one for each month: made ahead, or when the first
//! call of a month comes in, and dropped when the last one has been erased. A file has none.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::sync::{PoisonError, RwLock};

use super::keys::{PACK_BITS, first_of_month, month, month_of};
use crate::Error;
use crate::engine::{Connection, Opener};

/// Tables that are partitioned by `record_key`.
const TABLES: [&str; 7] =
    ["call_record", "participant", "session", "segment", "media", "stream", "record_search"];
/// Tables that are partitioned by `pack_key`.
const PACKS: [&str; 2] = ["session_pack", "participant_pack"];
/// Months that get partitions of their own, from January 1990 to December 2099. What starts before or
/// after them, as wrong clocks give it, shares a partition.
const OWN: std::ops::Range<i64> = 240..1_560;
/// How long dropping a partition waits for those who read or write the table, in milliseconds; others
/// wait meanwhile.
const LOCK_TIMEOUT: u32 = 200;
/// Any number, the same for all nodes.
const LOCK: i64 = 0x4361_6c6c_0002;

/// The months that are known to have partitions.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    known: RwLock<HashSet<i64>>,
}

impl Partitions {
    /// Makes the partitions that the months of these starts lack. That keeps nobody waiting. To be
    /// called by a thread that has no transaction.
    ///
    /// A failure is logged; the write that needs the partition then fails.
    pub(crate) fn make(&self, opener: &Opener, starts: impl Iterator<Item = i64>) {
        let Opener::Postgres(_) = opener else { return };
        let wanted: BTreeSet<i64> = starts.map(month).filter(|month| OWN.contains(month)).collect();
        let lacking: Vec<i64> = wanted.into_iter().filter(|month| !self.is_known(*month)).collect();
        if lacking.is_empty() {
            return;
        }
        let made = opener.writer().and_then(|connection| {
            lacking.iter().try_for_each(|month| {
                make(&connection, *month)?;
                self.note(*month);
                Ok(())
            })
        });
        if let Err(error) = made {
            // The engine's own words are the last of the causes.
            let causes = std::iter::successors(std::error::Error::source(&error), |it| it.source());
            let cause = causes.last().map(ToString::to_string);
            tracing::warn!(%error, cause, "a month gets no partitions of its own");
        }
    }

    /// Forgets what is known: another node may have dropped a partition.
    pub(crate) fn forget(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Drops the partitions of months before that of an instant (ticks) in which nothing is left;
    /// answers of how many months.
    pub(crate) fn drop_empty(&self, opener: &Opener, before: i64) -> Result<usize, Error> {
        let Opener::Postgres(_) = opener else { return Ok(0) };
        let connection = limited(opener)?;
        let mut dropped = 0;
        for month in old_partitions(&connection, before)? {
            match connection.transact(|connection| drop_partitions(connection, month)) {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(month = name(month), "partitions of the tables dropped");
                    self.forget();
                    dropped += 1;
                }
                // Those who read or write it go first; there is time.
                Err(Error::Busy) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(dropped)
    }

    /// The partition that has the rows of a version; the whole table where none is known to have them,
    /// and in a file.
    pub(crate) fn table(
        &self,
        connection: &Connection,
        whole: &'static str,
        record_key: i64,
    ) -> Result<Cow<'static, str>, Error> {
        if let Connection::Sqlite(_) = connection {
            return Ok(whole.into());
        }
        let month = month_of(record_key);
        Ok(if month < OWN.start {
            format!("{whole}_early").into()
        } else if month >= OWN.end {
            format!("{whole}_late").into()
        } else if self.is_known(month) || self.look(connection, month)? {
            format!("{whole}_{}", name(month)).into()
        } else {
            whole.into()
        })
    }

    fn look(&self, connection: &Connection, month: i64) -> Result<bool, Error> {
        let is_there = exists(connection, month)?;
        if is_there {
            self.note(month);
        }
        Ok(is_there)
    }

    /// Forgets what is known if the error says that a partition is gone.
    pub(crate) fn forget_if_gone(&self, error: &Error) {
        if matches!(error, Error::Again) {
            self.forget();
        }
    }

    fn is_known(&self, month: i64) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(&month)
    }

    fn note(&self, month: i64) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(month);
    }
}

/// A connection that does not wait long for others.
fn limited(opener: &Opener) -> Result<Connection, Error> {
    let connection = opener.writer()?;
    connection.batch(&format!("SET lock_timeout = {LOCK_TIMEOUT}"))?;
    Ok(connection)
}

/// The months before that of an instant that have partitions.
fn old_partitions(connection: &Connection, before: i64) -> Result<Vec<i64>, Error> {
    let text = "SELECT right(relname, 7) FROM pg_class JOIN pg_inherits ON inhrelid = oid \
                WHERE inhparent = to_regclass('call_record')";
    let names = connection.all(text, (), |row| row.get::<String>(0))?;
    let months = names.iter().filter_map(|name| month_named(name));
    Ok(months.filter(|found| *found < month(before)).collect())
}

/// The month of which [`name`] makes this.
fn month_named(name: &str) -> Option<i64> {
    let (year, month) = name.split_once('_')?;
    Some((year.parse::<i64>().ok()? - 1970) * 12 + month.parse::<i64>().ok()? - 1)
}

/// Drops the partitions of a month, if nothing is in them; whether it did.
fn drop_partitions(connection: &Connection, month: i64) -> Result<bool, Error> {
    let parts: Vec<String> =
        TABLES.iter().chain(&PACKS).map(|table| format!("{table}_{}", name(month))).collect();
    connection.batch(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", parts[0]))?;
    for part in &parts {
        if connection.exists(&format!("SELECT 1 FROM {part} LIMIT 1"), ())? {
            return Ok(false);
        }
    }
    connection.batch(&format!("DROP TABLE {}", parts.join(", ")))?;
    Ok(true)
}

/// What the names of a month's partitions end with.
fn name(month: i64) -> String {
    format!("{:04}_{:02}", 1970 + month / 12, month % 12 + 1)
}

/// Whether a month has partitions: the one that is made last is there. Asks the catalog: a look-up by
/// name may miss what another node has made while this transaction waited for it.
fn exists(connection: &Connection, month: i64) -> Result<bool, Error> {
    let [_, last] = PACKS;
    let text = "SELECT 1 FROM pg_inherits JOIN pg_class ON oid = inhrelid \
                WHERE inhparent = to_regclass(?1) AND relname = ?2::text";
    connection.exists(text, (last, format!("{last}_{}", name(month)).as_str()))
}

fn make(connection: &Connection, month: i64) -> Result<(), Error> {
    if exists(connection, month)? {
        return Ok(());
    }
    connection.transact(|connection| make_partitions(connection, month))
}

/// Makes tables of the same form and attaches them. `CREATE TABLE … PARTITION OF` would take a lock that
/// readers and writers wait for; attaching takes none (PostgreSQL, "ALTER TABLE", "ATTACH PARTITION").
fn make_partitions(connection: &Connection, month: i64) -> Result<(), Error> {
    connection.exists("SELECT pg_advisory_xact_lock(?1)", [LOCK])?;
    // Another node may have been faster.
    if exists(connection, month)? {
        return Ok(());
    }
    let name = name(month);
    let keys = (first_of_month(month), first_of_month(month + 1));
    let parts = TABLES.iter().map(|table| (table, keys));
    let packs = PACKS.iter().map(|table| (table, (keys.0 << PACK_BITS, keys.1 << PACK_BITS)));
    for (table, (from, to)) in parts.chain(packs) {
        // Names are the schema's own, and a month's.
        let text = format!(
            "CREATE TABLE {table}_{name} (LIKE {table} INCLUDING ALL); \
             ALTER TABLE {table} ATTACH PARTITION {table}_{name} FOR VALUES FROM ({from}) TO ({to})"
        );
        connection.batch(&text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_partitions_tell_their_months() {
        for month in OWN {
            assert_eq!(month_named(&name(month)), Some(month));
        }
        assert_eq!(name(682), "2026_11");
        assert_eq!(month_named("d_early"), None);
    }
}
