//! SQLite's error codes by what the caller can do about them.

use std::fs;
use std::path::Path;

use rusqlite::ErrorCode;
use rustix::process::{Resource, getrlimit};

use crate::{Cause, Error};

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            return Self::Internal(Cause::new(error));
        };
        match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::DiskFull => Self::Full(Cause::new(error)),
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory => Self::Unavailable(Cause::new(error)),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                Self::Corrupt(Cause::new(error))
            }
            ErrorCode::OperationInterrupted => Self::Deadline,
            _ => Self::Internal(Cause::new(error)),
        }
    }
}

/// The error, as a full disk where one of the files has the greatest size that the process may give a
/// file (`RLIMIT_FSIZE`): SQLite reports that as it reports a broken disk.
pub(crate) fn classify<'f>(error: Error, files: impl IntoIterator<Item = &'f Path>) -> Error {
    let Error::Unavailable(cause) = error else { return error };
    let Some(limit) = getrlimit(Resource::Fsize).current else { return Error::Unavailable(cause) };
    let is_full = |file: &Path| fs::metadata(file).is_ok_and(|file| file.len() >= limit);
    if files.into_iter().any(is_full) { Error::Full(cause) } else { Error::Unavailable(cause) }
}
