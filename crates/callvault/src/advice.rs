//! What to do about a failure whose own words do not say it.

use std::io;

use store::Error;

/// A sentence for the user of a command, if there is something to be done.
pub(crate) fn on(failure: &anyhow::Error) -> Option<&'static str> {
    failure.chain().find_map(|cause| {
        let of_store = cause.downcast_ref::<Error>().and_then(on_store);
        of_store.or_else(|| on_system(cause.downcast_ref::<io::Error>()?))
    })
}

fn on_store(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Busy | Error::Again => "Run the command again",
        Error::Unavailable(_) => {
            "Check that its folder can be written and the disk works, or that the database runs and lets \
             this user in"
        }
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
