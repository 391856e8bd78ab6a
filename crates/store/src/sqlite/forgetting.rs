//! Words of erased records leave the full-text index.
//!
//! A deleted row of the index is found no more, but its words stay in the file until the parts of
//! the index that hold them are written anew. That is done some pages at a time, so that writers
//! are not kept waiting, and once for all that was erased meanwhile.

use rusqlite::OptionalExtension;

use super::Session;
use crate::Error;

/// Pages of the index (4 KiB) that are written in one transaction.
const PAGES: i64 = 100;

/// Row of `setting`: when a record was erased whose words may still be in the file.
const ERASED_AT: &str = "words_erased_at";

/// Notes that there are words to be forgotten.
pub(super) fn note_erasure(session: &Session, now: i64) -> Result<(), Error> {
    let mut statement = session
        .connection
        .prepare_cached("INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)")?;
    statement.execute((ERASED_AT, now))?;
    Ok(())
}

/// Begins if something was erased before an instant; whether there is more to do.
pub(crate) fn begin(session: &mut Session, erased_before: i64) -> Result<bool, Error> {
    let erased_at: Option<i64> = session
        .connection
        .query_row("SELECT value FROM setting WHERE name = ?1", [ERASED_AT], |row| row.get(0))
        .optional()?;
    if erased_at.is_none_or(|erased_at| erased_at >= erased_before) {
        return Ok(false);
    }
    // All parts become one; its words are those of the rows that are left.
    merge(session, -PAGES)?;
    Ok(true)
}

/// Goes on with what was begun; whether there is more to do.
pub(crate) fn go_on(session: &mut Session) -> Result<bool, Error> {
    let before = session.connection.total_changes();
    merge(session, PAGES)?;
    // What FTS5's documentation says of a merge that had nothing left to do.
    let has_more = session.connection.total_changes() - before >= 2;
    if !has_more {
        session.connection.execute("DELETE FROM setting WHERE name = ?1", [ERASED_AT])?;
    }
    Ok(has_more)
}

fn merge(session: &Session, pages: i64) -> Result<(), Error> {
    let mut statement = session
        .connection
        .prepare_cached("INSERT INTO record_search (record_search, rank) VALUES ('merge', ?1)")?;
    statement.execute([pages])?;
    Ok(())
}
