//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use model::TenantId;
use model::log::Log;
use odata::primitive::DateTimeOffset;

use super::values;

/// `import`
#[derive(Debug, Args)]
#[command(after_help = "\
A file may contain a record, one record per line, arrays of records, or responses of the API\n\
({\"value\":[...]}); .gz and .zst are decompressed. Folders are read recursively. You can run an\n\
interrupted import again.\n\n\
Prints the counts as one JSON object on standard output, also when interrupted with Ctrl-C, and\n\
exits with code 3 if records were rejected. On a terminal it explains them:\n\
  replaced    a higher version took the place of a stored one, which stays readable\n\
  merged      the same version came with more in it, such as its sessions\n\
  archived    lower than the stored version, and kept beside it\n\
  incomplete  in the store, and says that it has more sessions or participants than came; each is named\n\
With --kind it imports rows of telephone logs. A member of an enumeration that is not declared, such as\n\
a misspelt one, is kept as it is, with a warning.")]
pub(crate) struct Import {
    /// Tenant of the records, a GUID; it needs no creating [default: the only one in the store, so the first
    /// import needs it]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Files and folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Content of the files
    #[arg(long, value_name = "KIND", default_value = "records")]
    pub(crate) kind: Kind,
    /// Day that rows of the dial-out report count for, if they have no
    /// "@callvault.startDateTime"
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) counted_from: Option<DateTimeOffset>,
    /// Write why records were rejected to this file instead of standard error: for each, a JSON object with
    /// file, line, pointer and message on a line, and not the record itself
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

/// Kinds of data that can be imported and simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Call records
    Records,
    /// Rows of getPstnCalls
    Pstn,
    /// Rows of getDirectRoutingCalls
    DirectRouting,
    /// Rows of getSmsLog
    Sms,
    /// Rows of getPstnBlockedUsersLog
    Blocked,
    /// Rows of getPstnOnlineMeetingDialoutReport
    Dialout,
}

impl Kind {
    /// The telephone log whose rows these are; `None` for records.
    pub(crate) fn log(self) -> Option<Log> {
        match self {
            Self::Records => None,
            Self::Pstn => Some(Log::PstnCalls),
            Self::DirectRouting => Some(Log::DirectRoutingCalls),
            Self::Sms => Some(Log::Sms),
            Self::Blocked => Some(Log::BlockedUsers),
            Self::Dialout => Some(Log::DialoutReport),
        }
    }
}
