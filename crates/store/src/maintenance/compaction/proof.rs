//! Whether blocks have what the rows have that they were made of.

use std::collections::HashSet;
use std::ops::ControlFlow;

use columnar::Column;

use crate::cache::columns::read;
use crate::engine::{Connection, Field, Row};
use crate::query::block_rows;
use crate::tables::block_columns::{OF_STREAMS, RECORD_KEY};
use crate::tables::blocks::{self, BlockHead, STREAMS};
use crate::tables::tenants;
use crate::{Cause, Error};

/// Records that are compared at once.
const AT_ONCE: usize = 1_000;

/// What is wrong with blocks that answer questions, a sentence each.
pub(crate) fn problems(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    for tenant_key in tenants::keys(connection)? {
        // Others are made anew before they are used.
        let Some(cursor) = blocks::good_cursor(connection, tenant_key)? else { continue };
        let changed = blocks::changed(connection, tenant_key, (cursor.sequence, i64::MAX))?;
        let changed: HashSet<i64> = changed.into_iter().map(|(record_key, _)| record_key).collect();
        for head in blocks::heads(connection, (tenant_key, STREAMS), (i64::MIN, i64::MAX))? {
            let gone = blocks::gone(connection, head.block_key)?;
            let out: HashSet<i64> = gone.into_iter().chain(changed.iter().copied()).collect();
            let block_key = head.block_key;
            match equals_rows(connection, &head, &out) {
                Ok(true) => {}
                Ok(false) => problems.push(format!(
                    "the block {block_key} of columns is not what its rows are: \
                     'callvault doctor --rebuild columns' makes it anew"
                )),
                Err(Error::Corrupt(_)) => problems.push(format!(
                    "the block {block_key} of columns cannot be read: \
                     'callvault doctor --rebuild columns' makes it anew"
                )),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(problems)
}

/// Whether the rows of a block that count are those of the tables.
fn equals_rows(
    connection: &Connection,
    head: &BlockHead,
    out: &HashSet<i64>,
) -> Result<bool, Error> {
    let columns = OF_STREAMS.iter().map(|column| read(connection, head, column));
    let columns: Vec<Column> = columns.collect::<Result<_, _>>()?;
    let at = OF_STREAMS.iter().position(|column| *column == RECORD_KEY);
    let keys = at.map(|at| &columns[at]);
    let keys = keys.ok_or_else(|| Error::Internal(Cause::new("blocks have no keys")))?;
    let key = |row: usize| keys.int(row).unwrap_or(i64::MIN);
    let rows: Vec<usize> = (0..head.row_count).filter(|row| !out.contains(&key(*row))).collect();
    let mut record_keys: Vec<i64> = rows.iter().map(|row| key(*row)).collect();
    record_keys.dedup();
    let (mut rows, mut is_same) = (rows.into_iter(), true);
    for some in record_keys.chunks(AT_ONCE) {
        let statement = block_rows::of_streams(connection.dialect(), some, head.records);
        connection.scan(&statement.text, statement.binds.as_slice(), |found| {
            is_same = match rows.next() {
                Some(row) => is_row(&columns, row, found)?,
                None => false,
            };
            Ok(if is_same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        if !is_same {
            return Ok(false);
        }
    }
    Ok(rows.next().is_none())
}

/// Whether a row of a block is that of the tables.
fn is_row(columns: &[Column], row: usize, found: &Row<'_>) -> Result<bool, Error> {
    for (at, column) in columns.iter().enumerate() {
        let is_same = match (column, found.field(at)?) {
            (Column::Nothing, Field::Null) => true,
            (Column::Int(numbers), Field::Null) => numbers.get(row).is_none(),
            (Column::Real(numbers), Field::Null) => numbers.get(row).is_none(),
            (Column::Text(texts), Field::Null) => texts.get(row).is_none(),
            (Column::Int(numbers), Field::Int(number)) => numbers.get(row) == Some(number),
            (Column::Real(numbers), Field::Real(number)) => {
                numbers.get(row).map(f64::to_bits) == Some(number.to_bits())
            }
            (Column::Text(texts), Field::Text(text)) => texts.get(row) == Some(&*text),
            _ => false,
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}
