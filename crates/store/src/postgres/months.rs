//! Parts of the tables of records, month by month: made when the first call of a month comes in.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::engine::{Connection, Opener};
use crate::tables::keys::{first_of_month, month};
use crate::tables::stored::PACK_BITS;

/// Tables that are parted by `record_key`.
const TABLES: [&str; 7] =
    ["call_record", "participant", "session", "segment", "media", "stream", "record_search"];
/// Tables that are parted by `pack_key`.
const PACKS: [&str; 2] = ["session_pack", "participant_pack"];
/// Months that get parts of their own, from January 1990 to December 2099. What has a start beyond
/// them, as wrong clocks give it, shares a part.
const OWN: std::ops::Range<i64> = 240..1_560;
/// How long those who read or write the tables are waited for, in milliseconds.
const LOCK_TIMEOUT: u32 = 1_000;
/// Any number, the same for all nodes.
const LOCK: i64 = 0x4361_6c6c_0002;

/// The months that are known to have parts.
#[derive(Debug, Default)]
pub(crate) struct Months {
    known: Mutex<HashSet<i64>>,
}

impl Months {
    /// Makes parts for the months of these starts where there are none. To be called by a thread that
    /// has no transaction: it waits for those of others, though not for long. Where none can be
    /// made, records go into the part that months share.
    pub(crate) fn make(&self, opener: &Opener, starts: impl Iterator<Item = i64>) {
        let Opener::Postgres(_) = opener else { return };
        let wanted: HashSet<i64> = starts.map(month).filter(|month| OWN.contains(month)).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let lacking: Vec<i64> = wanted.difference(&known).copied().collect();
        if lacking.is_empty() {
            return;
        }
        match opener.writer().and_then(|connection| make_all(&connection, &lacking)) {
            Ok(()) => known.extend(lacking),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "no part of the tables for a month of its own");
                // What has rows among the others can't get a part any more.
                if !matches!(error, Error::Busy | Error::Unavailable(_)) {
                    known.extend(lacking);
                }
            }
        }
    }
}

fn make_all(connection: &Connection, months: &[i64]) -> Result<(), Error> {
    connection.batch(&format!("SET lock_timeout = {LOCK_TIMEOUT}"))?;
    months.iter().try_for_each(|month| make(connection, *month))
}

fn make(connection: &Connection, month: i64) -> Result<(), Error> {
    let name = format!("{:04}_{:02}", 1970 + month / 12, month % 12 + 1);
    // The last one that is made.
    let last = format!("{}_{name}", PACKS[1]);
    if connection.exists("SELECT 1 WHERE to_regclass(?1) IS NOT NULL", [last.as_str()])? {
        return Ok(());
    }
    connection.transact(|connection| make_parts(connection, month, &name))
}

fn make_parts(connection: &Connection, month: i64, name: &str) -> Result<(), Error> {
    connection.exists("SELECT pg_advisory_xact_lock(?1)", [LOCK])?;
    let keys = (first_of_month(month), first_of_month(month + 1));
    let parts = TABLES.iter().map(|table| (table, keys));
    let packs = PACKS.iter().map(|table| (table, (keys.0 << PACK_BITS, keys.1 << PACK_BITS)));
    for (table, (from, to)) in parts.chain(packs) {
        // Names are the schema's own, and a month's.
        let text = format!(
            "CREATE TABLE IF NOT EXISTS {table}_{name} PARTITION OF {table} \
             FOR VALUES FROM ({from}) TO ({to})"
        );
        connection.batch(&text)?;
    }
    Ok(())
}
