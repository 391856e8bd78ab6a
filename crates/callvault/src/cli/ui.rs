//! Arguments of `ui` and `access-log`.

use std::time::Duration;

use clap::{Args, Subcommand};
use model::TenantId;
use odata::primitive::DateTimeOffset;

use super::values;

/// `ui`
#[derive(Debug, Subcommand)]
pub(crate) enum Ui {
    /// Print a link by which somebody signs in to the pages, once
    Link(UiLink),
    /// Print who is signed in
    Sessions,
    /// End the session with this number, or all sessions and links
    SignOut(UiSignOut),
}

/// `ui link`
#[derive(Debug, Args)]
pub(crate) struct UiLink {
    /// Whom the link is for, as the access log shall name them
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// How long it opens the pages: 5m, 1h; a day at most
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = values::time_to_live)]
    pub(crate) ttl: Duration,
    /// Tenant whose calls it opens [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
}

/// `ui sign-out`
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct UiSignOut {
    /// The number that `ui sessions` prints
    pub(crate) session: Option<String>,
    /// All sessions, and links that nobody has used
    #[arg(long)]
    pub(crate) all: bool,
}

/// `access-log`
#[derive(Debug, Args)]
pub(crate) struct AccessLog {
    /// Only from this instant or day on
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) from: Option<DateTimeOffset>,
}
