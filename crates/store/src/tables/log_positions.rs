//! Positions in the change log that outlive the process: of those who follow it from where they left it.
//!
//! A position names the log's incarnation, and the entry that was read last by its number and its time.
//! So it is noticed if the entries behind it are not those that would have come: a copy was put in the
//! store's place, the store was moved, or the log was cut. Of what is stored the log keeps an entry for
//! ever; a cut takes out the entries of what is gone, and those of merges.

use super::change_log;
use crate::Error;
use crate::engine::{Connection, most};
use crate::rows::change::LogPosition;

/// The cluster and the table of a log, which tell it from one that a dump has filled.
macro_rules! origin {
    () => {
        "(SELECT system_identifier::text FROM pg_control_system()) \
         || '/' || 'change_log'::regclass::oid::text"
    };
}

/// Gives the log an incarnation unless it has one of its own where it is now. To be called with other
/// nodes locked out.
pub(crate) fn settle_incarnation(connection: &Connection) -> Result<(), Error> {
    if has_incarnation(connection)? {
        return Ok(());
    }
    connection.execute("DELETE FROM log_state", ())?;
    let text = match connection {
        Connection::Sqlite(_) => {
            "INSERT INTO log_state (incarnation, cut) VALUES (lower(hex(randomblob(16))), 0)"
        }
        Connection::Postgres(_) => concat!(
            "INSERT INTO log_state (incarnation, origin, cut) \
             VALUES (replace(gen_random_uuid()::text, '-', ''), ",
            origin!(),
            ", 0)"
        ),
    };
    connection.execute(text, ()).map(drop)
}

/// Whether the log has an incarnation of its own where it is now.
pub(crate) fn has_incarnation(connection: &Connection) -> Result<bool, Error> {
    let text = match connection {
        Connection::Sqlite(_) => "SELECT 1 FROM log_state",
        Connection::Postgres(_) => concat!("SELECT 1 FROM log_state WHERE origin = ", origin!()),
    };
    connection.exists(text, ())
}

/// The last position behind which no entry is still to come.
pub(crate) fn last(connection: &Connection) -> Result<LogPosition, Error> {
    let (incarnation, _) = state(connection)?;
    let text = format!(
        "SELECT c.sequence, c.committed_at FROM change_log c WHERE {} \
         ORDER BY c.sequence DESC LIMIT 1",
        connection.is_settled()
    );
    let entry = connection.first(&text, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (sequence, committed_at) = entry.unwrap_or_default();
    Ok(LogPosition { incarnation, sequence, committed_at })
}

/// Whether all that came behind a position is still told.
///
/// # Errors
/// [`Error::LogCut`] if it is not.
pub(crate) fn check(connection: &Connection, position: &LogPosition) -> Result<(), Error> {
    let (incarnation, cut) = state(connection)?;
    let LogPosition { sequence, committed_at, .. } = *position;
    let is_there = || {
        let text = "SELECT committed_at FROM change_log WHERE sequence = ?1";
        Ok::<_, Error>(connection.value(text, [sequence])? == Some(committed_at))
    };
    let is_good =
        incarnation == position.incarnation && sequence >= cut && (sequence == cut || is_there()?);
    if is_good { Ok(()) } else { Err(Error::LogCut) }
}

/// Takes out at most `limit` entries of what is gone, and of merges, from before an instant
/// (ticks). Answers up to where that was done, and whether there is more.
pub(crate) fn cut(
    connection: &Connection,
    before: i64,
    limit: usize,
) -> Result<(i64, bool), Error> {
    let (_, from) = state(connection)?;
    // The last one stays: numbers go on behind it. Of what is taken out, nobody is notified.
    let last = change_log::last(connection)?.saturating_sub(1);
    let text = "SELECT sequence, committed_at FROM change_log \
                WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence LIMIT ?3";
    let entries: Vec<(i64, i64)> =
        connection.all(text, (from, last, most(limit)), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let old = entries.iter().take_while(|(_, committed_at)| *committed_at < before);
    let Some((to, _)) = old.last() else { return Ok((from, false)) };
    let text = "DELETE FROM change_log WHERE sequence > ?1 AND sequence <= ?2 \
                AND (change IN ('merged', 'erased') OR NOT EXISTS (SELECT 1 FROM call_record r \
                WHERE r.record_key = change_log.record_key))";
    connection.execute(text, (from, *to))?;
    connection.execute("UPDATE log_state SET cut = ?1 WHERE cut < ?1", [*to])?;
    Ok((*to, entries.len() == limit && entries.last().is_some_and(|(last, _)| last == to)))
}

/// Up to which entry the log was cut.
pub(crate) fn cut_to(connection: &Connection) -> Result<i64, Error> {
    Ok(state(connection)?.1)
}

/// The incarnation, and up to where the log was cut.
fn state(connection: &Connection) -> Result<(String, i64), Error> {
    let text = "SELECT incarnation, cut FROM log_state";
    let state = connection.first(text, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    // Without one nobody has a position yet.
    Ok(state.unwrap_or_default())
}
