//! PostgreSQL's error codes by what the caller can do about them.

use tokio_postgres::error::SqlState;

use crate::{Cause, Error};

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code().cloned() else {
            // Whatever is no answer of the server is a connection that does not work.
            return Self::Unavailable(Cause::new(error));
        };
        match code {
            // Another node has just inserted the same, or dropped the part that was read or written.
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::UNDEFINED_TABLE
            | SqlState::CHECK_VIOLATION
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::UNIQUE_VIOLATION => Self::Again,
            SqlState::LOCK_NOT_AVAILABLE => Self::Busy,
            SqlState::QUERY_CANCELED => Self::Deadline,
            SqlState::DISK_FULL => Self::Full(Cause::new(error)),
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
                Self::Corrupt(Cause::new(error))
            }
            // Classes 08 (connection), 53 (resources), 57 (operator intervention), 58 (system).
            code if ["08", "53", "57", "58"].contains(&&code.code()[..2]) => {
                Self::Unavailable(Cause::new(error))
            }
            _ => Self::Internal(Cause::new(error)),
        }
    }
}
