//! Opens connections with the settings that durability and speed rest on.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::functions;
use crate::{Cause, Error};

/// How long to wait for another process's write or checkpoint.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a command waits beside a server, which may have much to write just then; nobody expects the
/// command to answer within seconds.
pub(crate) const TOOL_BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// Distinct statements of a connection are few; all stay prepared.
const PREPARED_STATEMENTS: usize = 64;

/// Pages that a reader keeps. Enough for the upper pages of all indexes, and for the index by id of a
/// million records, which each read by id goes through.
const READER_CACHE_KIB: i64 = 48 << 10;

/// Makes an empty file that only its owner can read, as records tell who spoke with whom.
pub(crate) fn create_file(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => sync_folder_of(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the names in the folder of `path` durable.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// A connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Connection, Error> {
    let connection = open(path)?;
    // Only a new file takes the page size.
    connection.pragma_update(None, "page_size", 8192)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::Unavailable(Cause::new(format!("the journal mode stays {mode}"))));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // The writer does it between groups, when nobody waits for it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn reader(path: &Path) -> Result<Connection, Error> {
    let connection = open(path)?;
    functions::register(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// Leaves the log alone when the connection is closed.
pub(crate) fn keep_log(connection: &Connection) -> Result<(), Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// A connection with what readers and writers have in common.
pub(crate) fn open(path: &Path) -> Result<Connection, Error> {
    // Not read-only for readers either: the first connection after a crash recovers the log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // A plan stands for all values. Without this SQLite compiles a statement anew for each value
    // that the planner could have looked at, which costs ten times what a point read does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}
