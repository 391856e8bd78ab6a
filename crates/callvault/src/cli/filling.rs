//! What fills a store: files, and simulated calls.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use model::TenantId;
use model::log::Log;
use odata::primitive::DateTimeOffset;

use super::{tenant, time};

/// `import`
#[derive(Debug, Args)]
#[command(after_help = "\
Files may hold a record, one record on each line, arrays of records, or answers of the API\n\
({\"value\":[...]}); .gz and .zst are unpacked. Folders are read with all below them. An import\n\
that was broken off can be run again.\n\n\
Ends with the counts as one JSON object on standard output, and with exit code 3 when records\n\
were refused.")]
pub(crate) struct Import {
    /// Tenant whose records they are
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: TenantId,
    /// Files and folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// What the files hold
    #[arg(long, value_name = "KIND", default_value = "records")]
    pub(crate) kind: Kind,
    /// When the calls happened that rows of the dial-out report sum up, for those that don't say so
    /// in "@callvault.startDateTime"
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) counted_from: Option<DateTimeOffset>,
    /// Write what was refused to this file, a JSON object on each line, instead of standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

/// What can be imported and simulated.
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
    /// The log whose rows are meant, if these are.
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

/// `simulate`
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// How many calls
    #[arg(long, value_name = "N")]
    pub(crate) calls: u64,
    /// Other calls for another number, the same for the same
    #[arg(long, value_name = "N")]
    pub(crate) seed: u64,
    /// What of the calls to print: their records, or the rows that they leave in a telephone log
    #[arg(long, value_name = "KIND", default_value = "records")]
    pub(crate) kind: Kind,
    /// Which calls
    #[arg(long, default_value = "realistic")]
    pub(crate) mix: Mix,
    /// Tenant of the users
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Earliest start [default: 30 days before --to]
    #[arg(long, value_name = "DATE", value_parser = time)]
    pub(crate) from: Option<DateTimeOffset>,
    /// Latest start [default: 2026-11-01]
    #[arg(long, value_name = "DATE", value_parser = time)]
    pub(crate) to: Option<DateTimeOffset>,
}

/// Mixtures of simulated calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// As in a company, with meetings of up to 2,000 participants
    Realistic,
    /// Small and alike, to measure with
    Bench,
}
