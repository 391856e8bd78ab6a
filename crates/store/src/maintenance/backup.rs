//! A copy of a live store.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::engine::sqlite::{connection, fault};
use crate::{Cause, Error};

/// Copies the store behind `path` to the new file `to`. The copy gets its name once it is whole,
/// checked and synced.
pub(crate) fn backup(path: &Path, to: &Path) -> Result<(), Error> {
    if to.exists() {
        return Err(Error::Exists(to.to_owned()));
    }
    let mut partial = OsString::from(to);
    partial.push(".partial");
    let partial = Path::new(&partial);
    if partial.exists() {
        fs::remove_file(partial)?;
    }
    // The copy that failed has been cut already: whether it could have room is seen by the store.
    copy(path, partial)
        .map_err(|error| fault::classify(error, [partial, path, &wal_of(path)]))
        .and_then(|()| Ok(fs::rename(partial, to)?))
        .and_then(|()| connection::sync_folder_of(to))
        .inspect_err(|_| {
            // The error that matters is the one before.
            let _ = fs::remove_file(partial);
        })
}

fn wal_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-wal");
    name.into()
}

fn copy(path: &Path, partial: &Path) -> Result<(), Error> {
    let target = partial.to_str().ok_or_else(|| {
        Error::Unavailable(Cause::new("SQLite takes no file names that are not UTF-8"))
    })?;
    // Keeps the copy from others' eyes; SQLite takes an empty file for one that is not there.
    connection::create_file(partial)?;
    connection::open(path)?.execute("VACUUM INTO ?1", [target])?;
    let copied = connection::open(partial)?;
    // What goes on with the copy is another log, each time that it is put in the store's place.
    copied.execute("DELETE FROM log_state", ())?;
    check(&copied)?;
    drop(copied);
    File::open(partial)?.sync_all()?;
    Ok(())
}

fn check(copy: &Connection) -> Result<(), Error> {
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Error::Corrupt(Cause::new(verdict))) }
}
