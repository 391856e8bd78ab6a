//! Rows of the telephone logs.

use model::TenantId;
use model::log::{LogRow, RowMerge, merge_row};

use super::session::Session;
use crate::Error;
use crate::engine::{Connection, most};
use crate::rows::log::{LogRange, LogRowOutcome, StoredLogRow};

/// Keeps rows, and says of each what became of it.
pub(crate) fn keep(
    session: &mut Session,
    tenant: &TenantId,
    rows: &[LogRow],
) -> Result<Vec<LogRowOutcome>, Error> {
    let tenant_key = session.tenant_key(tenant)?;
    let now = session.now();
    rows.iter().map(|row| keep_row(&session.connection, tenant_key, row, now)).collect()
}

fn keep_row(
    connection: &Connection,
    tenant_key: i64,
    row: &LogRow,
    now: i64,
) -> Result<LogRowOutcome, Error> {
    let name = (tenant_key, row.log.name(), &row.id_key);
    let text = "SELECT log_row_key, body FROM log_row \
                WHERE tenant_key = ?1 AND log = ?2 AND id_key = ?3 AND replaced IS NULL";
    let known: Option<(i64, String)> =
        connection.first(text, name, |found| Ok((found.get(0)?, found.get(1)?)))?;
    let Some((key, body)) = known else {
        insert(connection, tenant_key, row, &row.body, now)?;
        return Ok(LogRowOutcome::Created);
    };
    match merge_row(&body, &row.body) {
        RowMerge::Unchanged => Ok(LogRowOutcome::Unchanged),
        RowMerge::Merged(body) => {
            connection
                .execute("UPDATE log_row SET body = ?2 WHERE log_row_key = ?1", (key, body))?;
            Ok(LogRowOutcome::Merged)
        }
        RowMerge::Replaced(body) => {
            connection
                .execute("UPDATE log_row SET replaced = ?2 WHERE log_row_key = ?1", (key, now))?;
            insert(connection, tenant_key, row, &body, now)?;
            Ok(LogRowOutcome::Replaced)
        }
    }
}

fn insert(
    connection: &Connection,
    tenant_key: i64,
    row: &LogRow,
    body: &str,
    now: i64,
) -> Result<(), Error> {
    let text = "INSERT INTO log_row (tenant_key, log, id_key, date_time, received, body) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = (tenant_key, row.log.name(), &row.id_key, row.time, now, body);
    connection.execute(text, values).map(drop)
}

/// Rows of a range behind a position, the earliest first, without the first `skip` of them.
pub(crate) fn list(
    connection: &Connection,
    tenant_key: i64,
    range: &LogRange,
    after: Option<(i64, i64)>,
    (skip, limit): (u64, usize),
) -> Result<Vec<StoredLogRow>, Error> {
    let text = "SELECT date_time, log_row_key, body FROM log_row \
                WHERE tenant_key = ?1 AND log = ?2 AND replaced IS NULL \
                AND (date_time, log_row_key) > (?3, ?4) AND date_time < ?5 \
                ORDER BY date_time, log_row_key LIMIT ?6 OFFSET ?7";
    let (time, key) = after.unwrap_or((range.from, 0));
    let skip = i64::try_from(skip).unwrap_or(i64::MAX);
    let values = (tenant_key, range.log.name(), time, key, range.end, most(limit), skip);
    connection.all(text, values, |row| {
        Ok(StoredLogRow { time: row.get(0)?, key: row.get(1)?, body: row.get(2)? })
    })
}

/// Erases at most `limit` rows of what happened before `ticks`; answers how many.
pub(crate) fn erase_before(session: &Session, ticks: i64, limit: usize) -> Result<usize, Error> {
    let text = "DELETE FROM log_row WHERE log_row_key IN (SELECT log_row_key FROM log_row \
                WHERE date_time < ?1 ORDER BY date_time LIMIT ?2)";
    session.connection.execute(text, (ticks, most(limit)))
}
