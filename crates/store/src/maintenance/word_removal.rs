//! Removes the words of erased records from the full-text index of a file.
//!
//! A search no longer finds a deleted row of the index, but its words stay in the file until the parts
//! of the index that hold them are written anew. That is done some pages at a time, so that writers
//! need not wait, and once for all that was erased meanwhile.

use crate::Error;
use crate::engine::Connection;
use crate::tables::session::Session;

/// Pages of the index (4 KiB) that are written in one transaction.
const PAGES: i64 = 100;

/// Row of `setting`: when a record was erased whose words may still be in the file.
const ERASED_AT: &str = "words_erased_at";

/// Notes that there are words to be removed. PostgreSQL's own clean-up takes out what was deleted.
pub(crate) fn note_erasure(session: &Session) -> Result<(), Error> {
    let Connection::Sqlite(_) = session.connection else { return Ok(()) };
    let text = "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    session.connection.execute(text, (ERASED_AT, session.now())).map(drop)
}

/// Begins if something was erased before an instant; whether there is more to do.
pub(crate) fn begin(session: &mut Session, erased_before: i64) -> Result<bool, Error> {
    let text = "SELECT value FROM setting WHERE name = ?1";
    let erased_at: Option<i64> = session.connection.value(text, [ERASED_AT])?;
    if erased_at.is_none_or(|erased_at| erased_at >= erased_before) {
        return Ok(false);
    }
    // All parts become one; its words are those of the rows that are left.
    merge(session, -PAGES)?;
    Ok(true)
}

/// Goes on with what was begun; whether there is more to do.
pub(crate) fn go_on(session: &mut Session) -> Result<bool, Error> {
    let before = changes(session)?;
    merge(session, PAGES)?;
    // What FTS5's documentation says of a merge that had nothing left to do.
    let has_more = changes(session)? - before >= 2;
    if !has_more {
        session.connection.execute("DELETE FROM setting WHERE name = ?1", [ERASED_AT])?;
    }
    Ok(has_more)
}

/// How many rows the connection has changed.
fn changes(session: &Session) -> Result<i64, Error> {
    Ok(session.connection.value("SELECT total_changes()", ())?.unwrap_or(0))
}

fn merge(session: &Session, pages: i64) -> Result<(), Error> {
    let text = "INSERT INTO record_search (record_search, rank) VALUES ('merge', ?1)";
    session.connection.execute(text, [pages]).map(drop)
}
