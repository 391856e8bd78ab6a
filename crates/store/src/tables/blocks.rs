//! Blocks of columns: their heads and chunks, the records in them that no longer count, and up to where in the
//! change log they tell.
//!
//! A block never changes. What a question counts of it is decided in the question's own snapshot: not the rows
//! of records that are noted as gone, nor those of records about which the change log has an entry behind the
//! tenant's cursor. The rows that these have by now are read from the tables of rows.

use super::block_columns::LAYOUT;
use super::log_positions;
use crate::Error;
use crate::engine::{Connection, Row};

/// What the rows of a block are, as it stands in the table.
pub(crate) const STREAMS: &str = "stream";

/// What is known of a block without its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockHead {
    pub(crate) block_key: i64,
    pub(crate) month: i64,
    /// When the first and the last of its calls started, in ticks.
    pub(crate) starts: (i64, i64),
    /// The least and the greatest key of its records.
    pub(crate) records: (i64, i64),
    pub(crate) record_count: i64,
    pub(crate) row_count: usize,
}

/// Up to where blocks tell what the change log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) sequence: i64,
    /// How far the log was cut when the cursor was moved last.
    pub(crate) cut: i64,
    /// Which columns the blocks have ([`super::block_columns::LAYOUT`]).
    pub(crate) layout: i64,
}

impl Cursor {
    /// Whether the blocks have all columns, and the log all that has become of records in them since.
    pub(crate) fn is_good(self, cut: i64) -> bool {
        self.layout == *LAYOUT && (cut <= self.sequence || cut == self.cut)
    }
}

const HEAD: &str = "SELECT block_key, month, first_start, last_start, first_record, last_record, \
                    record_count, row_count FROM block";

fn head(row: &Row<'_>) -> Result<BlockHead, Error> {
    let row_count: i64 = row.get(7)?;
    Ok(BlockHead {
        block_key: row.get(0)?,
        month: row.get(1)?,
        starts: (row.get(2)?, row.get(3)?),
        records: (row.get(4)?, row.get(5)?),
        record_count: row.get(6)?,
        row_count: usize::try_from(row_count).unwrap_or(0),
    })
}

/// The blocks of a tenant with rows of a kind that may have starts between two (ticks, both included), the
/// latest first.
pub(crate) fn heads(
    connection: &Connection,
    (tenant_key, grain): (i64, &str),
    (from, until): (i64, i64),
) -> Result<Vec<BlockHead>, Error> {
    let text = format!(
        "{HEAD} WHERE tenant_key = ?1 AND grain = ?2 AND last_start >= ?3 AND first_start <= ?4 \
         ORDER BY last_start DESC, block_key"
    );
    connection.all(&text, (tenant_key, grain, from, until), head)
}

/// The bytes of a column; none if it is null in all rows.
pub(crate) fn chunk(
    connection: &Connection,
    block_key: i64,
    name: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let text = "SELECT body FROM block_chunk WHERE block_key = ?1 AND name = ?2";
    connection.value(text, (block_key, name))
}

/// Adds a block with its chunks, and gives its key.
pub(crate) fn insert(
    connection: &Connection,
    (tenant_key, grain): (i64, &str),
    head: &BlockHead,
    chunks: &[(String, Vec<u8>)],
) -> Result<i64, Error> {
    let text = "INSERT INTO block (tenant_key, grain, month, first_start, last_start, \
                first_record, last_record, record_count, row_count) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING block_key";
    let ((first_start, last_start), (first, last)) = (head.starts, head.records);
    let counts = (head.record_count, head.row_count as i64);
    let block_key = connection.inserted(
        text,
        (tenant_key, grain, head.month, first_start, last_start, first, last, counts.0, counts.1),
    )?;
    let text = "INSERT INTO block_chunk (block_key, name, body) VALUES (?1, ?2, ?3)";
    for (name, body) in chunks {
        connection.execute(text, (block_key, name, body))?;
    }
    Ok(block_key)
}

/// Takes a block out, with all that belongs to it.
pub(crate) fn delete(connection: &Connection, block_key: i64) -> Result<(), Error> {
    for text in [
        "DELETE FROM block_chunk WHERE block_key = ?1",
        "DELETE FROM block_gone WHERE block_key = ?1",
        "DELETE FROM block WHERE block_key = ?1",
    ] {
        connection.execute(text, [block_key])?;
    }
    Ok(())
}

/// Takes out all blocks of a tenant, so that they are made anew.
pub(crate) fn delete_all(connection: &Connection, tenant_key: i64) -> Result<(), Error> {
    let of_tenant = "(SELECT block_key FROM block WHERE tenant_key = ?1)";
    for text in [
        &format!("DELETE FROM block_chunk WHERE block_key IN {of_tenant}"),
        &format!("DELETE FROM block_gone WHERE block_key IN {of_tenant}"),
        "DELETE FROM block WHERE tenant_key = ?1",
        "DELETE FROM block_cursor WHERE tenant_key = ?1",
    ] {
        connection.execute(text, [tenant_key])?;
    }
    Ok(())
}

/// Up to where the blocks of a tenant tell; none if it has none.
pub(crate) fn cursor(connection: &Connection, tenant_key: i64) -> Result<Option<Cursor>, Error> {
    let text = "SELECT sequence, cut, layout FROM block_cursor WHERE tenant_key = ?1";
    connection.first(text, [tenant_key], |row| {
        Ok(Cursor { sequence: row.get(0)?, cut: row.get(1)?, layout: row.get(2)? })
    })
}

/// The cursor of a tenant whose blocks may be used.
pub(crate) fn good_cursor(
    connection: &Connection,
    tenant_key: i64,
) -> Result<Option<Cursor>, Error> {
    let Some(cursor) = cursor(connection, tenant_key)? else { return Ok(None) };
    Ok(cursor.is_good(log_positions::cut_to(connection)?).then_some(cursor))
}

/// Whether any tenant has a cursor.
pub(crate) fn are_there(connection: &Connection) -> Result<bool, Error> {
    let found: Option<i64> = connection.value("SELECT 1 FROM block_cursor LIMIT 1", ())?;
    Ok(found.is_some())
}

/// Moves a tenant's cursor.
pub(crate) fn set_cursor(
    connection: &Connection,
    tenant_key: i64,
    cursor: Cursor,
) -> Result<(), Error> {
    let text = "INSERT INTO block_cursor (tenant_key, sequence, cut, layout) \
                VALUES (?1, ?2, ?3, ?4) \
                ON CONFLICT (tenant_key) DO UPDATE SET sequence = ?2, cut = ?3, layout = ?4";
    let Cursor { sequence, cut, layout } = cursor;
    connection.execute(text, (tenant_key, sequence, cut, layout)).map(drop)
}

/// Notes that the rows of a record in a block no longer count.
pub(crate) fn note_gone(
    connection: &Connection,
    block_key: i64,
    (record_key, is_erased): (i64, bool),
) -> Result<(), Error> {
    let text = "INSERT INTO block_gone (block_key, record_key, is_erased) VALUES (?1, ?2, ?3) \
                ON CONFLICT (block_key, record_key) DO UPDATE SET is_erased = ?3 \
                WHERE block_gone.is_erased = 0";
    connection.execute(text, (block_key, record_key, is_erased)).map(drop)
}

/// The records whose rows in a block no longer count.
pub(crate) fn gone(connection: &Connection, block_key: i64) -> Result<Vec<i64>, Error> {
    let text = "SELECT record_key FROM block_gone WHERE block_key = ?1";
    connection.all(text, [block_key], |row| row.get(0))
}

/// The same of all blocks of a tenant: keys of blocks, ascending, and of records.
pub(crate) fn all_gone(connection: &Connection, tenant_key: i64) -> Result<Vec<(i64, i64)>, Error> {
    let text = "SELECT g.block_key, g.record_key FROM block b \
                CROSS JOIN block_gone g ON g.block_key = b.block_key \
                WHERE b.tenant_key = ?1 ORDER BY g.block_key";
    connection.all(text, [tenant_key], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The blocks of a tenant in which records are gone: the key, how many, and whether one was erased.
pub(crate) fn with_gone(
    connection: &Connection,
    tenant_key: i64,
) -> Result<Vec<(i64, i64, bool)>, Error> {
    let text = "SELECT g.block_key, count(*), max(g.is_erased) FROM block_gone g \
                CROSS JOIN block b ON b.block_key = g.block_key WHERE b.tenant_key = ?1 \
                GROUP BY g.block_key ORDER BY g.block_key";
    connection.all(text, [tenant_key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// The records of a tenant, ascending, whose rows in blocks no longer count by what the change log tells
/// between two of its entries: those about which it has an entry, and the versions that others replaced. Of
/// each whether it was erased.
pub(crate) fn changed(
    connection: &Connection,
    tenant_key: i64,
    (after, until): (i64, i64),
) -> Result<Vec<(i64, bool)>, Error> {
    let text = "SELECT record_key, max(is_erased) FROM (\
                SELECT c.record_key AS record_key, \
                CASE c.change WHEN 'erased' THEN 1 ELSE 0 END AS is_erased FROM change_log c \
                WHERE c.tenant_key = ?1 AND c.sequence > ?2 AND c.sequence <= ?3 \
                UNION ALL SELECT v.record_key, 0 FROM change_log c \
                CROSS JOIN call_record r ON r.record_key = c.record_key \
                CROSS JOIN call_record v ON v.tenant_key = r.tenant_key AND v.id_key = r.id_key \
                WHERE c.tenant_key = ?1 AND c.sequence > ?2 AND c.sequence <= ?3 \
                AND c.change = 'replaced') AS c GROUP BY record_key ORDER BY record_key";
    connection.all(text, (tenant_key, after, until), |row| Ok((row.get(0)?, row.get(1)?)))
}
