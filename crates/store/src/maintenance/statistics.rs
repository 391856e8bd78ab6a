//! What PostgreSQL's planner knows of the tables of records.
//!
//! Autovacuum looks at the partitions and never at the tables that they are partitions of, by whose statistics
//! the planner joins them. Without any it takes a join of streams and media for one row, and goes through all
//! records for each stream. So a node looks now and then, and has those tables analyzed that have grown to twice
//! what they were. A file needs none of this.

use crate::Error;
use crate::engine::Opener;

/// Any number, the same for all nodes: one of them analyzes at a time.
const LOCK: i64 = 0x4361_6c6c_0004;

/// The tables that have grown since they were analyzed. Rows that nobody would notice count for nothing.
const GROWN: &str = "SELECT p.relname::text FROM pg_class p \
                     WHERE p.relkind = 'p' AND p.relnamespace = current_schema()::regnamespace \
                     AND (SELECT coalesce(sum(s.n_live_tup), 0) FROM pg_inherits i \
                     JOIN pg_stat_user_tables s ON s.relid = i.inhrelid WHERE i.inhparent = p.oid) \
                     > 2 * greatest(p.reltuples, 0) + 100 ORDER BY 1";

/// Has tables analyzed that have grown; answers how many. To be called by a thread that has no transaction.
pub(crate) fn refresh(opener: &Opener) -> Result<usize, Error> {
    let Opener::Postgres(_) = opener else { return Ok(0) };
    let connection = opener.writer()?;
    let grown: Vec<String> = connection.all(GROWN, (), |row| row.get(0))?;
    if grown.is_empty() {
        return Ok(0);
    }
    // While another node does it, it is being done. The lock ends with the connection.
    if !connection.exists("SELECT 1 WHERE pg_try_advisory_lock(?1)", [LOCK])? {
        return Ok(0);
    }
    for table in &grown {
        // Each in a transaction of its own: readers of the change log wait for those that are open.
        connection.batch(&format!("ANALYZE \"{table}\""))?;
    }
    Ok(grown.len())
}
