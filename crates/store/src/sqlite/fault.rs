//! SQLite's error codes by what the caller can do about them.

use rusqlite::ErrorCode;

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
