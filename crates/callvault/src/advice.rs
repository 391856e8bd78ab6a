//! What to do about a failure whose own words do not say it.

use std::borrow::Cow;
use std::{fmt, io};

use store::{Error, Place};
use web::StartError;

/// What a command did when it failed: it opened this store.
#[derive(Debug)]
pub(crate) struct Opening(pub(crate) Place);

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "opening {}", self.0)
    }
}

/// A sentence for the user of a command, if there is something to be done.
pub(crate) fn on(failure: &anyhow::Error) -> Option<Cow<'static, str>> {
    let place = failure.downcast_ref::<Opening>().map(|opening| &opening.0);
    failure.chain().find_map(|cause| {
        if let Some(advice) = cause.downcast_ref::<StartError>().and_then(on_start) {
            return Some(Cow::Owned(advice));
        }
        let of_store = cause.downcast_ref::<Error>().and_then(|error| on_store(error, place));
        of_store.or_else(|| on_system(cause.downcast_ref::<io::Error>()?)).map(Cow::Borrowed)
    })
}

fn on_start(error: &StartError) -> Option<String> {
    let StartError::Listen { flag, source, .. } = error else { return None };
    Some(match on_system(source) {
        Some(advice) => format!("{advice}, or name another address with {flag}"),
        None => format!("Name another address with {flag}"),
    })
}

fn on_store(error: &Error, place: Option<&Place>) -> Option<&'static str> {
    Some(match error {
        Error::Busy | Error::Again => "Run the command again",
        Error::Unavailable(_) => match place {
            Some(Place::Postgres(_)) => {
                "Check that the database runs at this address and lets this user in"
            }
            Some(Place::File(_)) => "Check that its folder can be written and the disk works",
            None => {
                "Check that its folder can be written and the disk works, or that the database runs and lets \
                 this user in"
            }
        },
        Error::Full(_) => "Make room there and run the command again; what it has written is kept",
        Error::Lost(_) => "Something moved or replaced the file: run the command again",
        Error::Corrupt(_) => {
            "`callvault doctor` says what is damaged; docs/guides/backup.md says how to restore a copy"
        }
        Error::Newer { .. } => "A newer version of Callvault has upgraded it: use that one",
        Error::Foreign { .. } => {
            "Name another file with --store, or another folder with --data-dir"
        }
        Error::Owned(_) => {
            "Stop that server first, or name another store with --data-dir or --store"
        }
        Error::Exists(_) => "Name another file",
        Error::Url(_) => "A store is sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME",
        Error::Target(_) => "Name an empty store with --to",
        Error::Differs { .. } => {
            "Run the command again when nothing writes to either store, or move to an empty one"
        }
        _ => return None,
    })
}

fn on_system(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "Check who owns it and its mode, or run the command as its owner"
        }
        io::ErrorKind::NotFound => "Check the path; a relative one begins in the working directory",
        io::ErrorKind::AddrInUse => "`ss -ltnp` shows which program has it",
        io::ErrorKind::AddrNotAvailable => "It must be an address of this machine",
        io::ErrorKind::StorageFull => "Make room there and run the command again",
        _ => return None,
    })
}
