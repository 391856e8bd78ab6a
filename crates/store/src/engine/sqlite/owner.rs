//! The lock by which one `serve` owns a store.
//!
//! It lies on a file beside the store, since SQLite's own locks come and go with transactions.
//! The operating system frees it when the process ends, however that happens; the file stays.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::Error;

/// Takes the lock; it is held as long as the file is open.
pub(crate) fn lock(store: &Path) -> Result<File, Error> {
    let path = path(store);
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Owned(path)),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Whether a server owns the store in a file.
pub fn is_owned(store: &Path) -> bool {
    let held = File::open(path(store)).map(|file| file.try_lock());
    matches!(held, Ok(Err(TryLockError::WouldBlock)))
}

fn path(store: &Path) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(".owner");
    name.into()
}
