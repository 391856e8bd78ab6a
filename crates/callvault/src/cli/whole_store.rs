//! Arguments of the commands on a whole store: `migrate`, `backup`, `erase` and `doctor`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use model::TenantId;

use super::values;

/// `migrate`
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Store to move from: sqlite:PATH or postgres://…; it may be in use
    #[arg(long, value_name = "URL", requires = "to")]
    pub(crate) from: Option<String>,
    /// Store to move to: an empty one, or the target of an earlier move of the same store
    #[arg(long, value_name = "URL", requires = "from")]
    pub(crate) to: Option<String>,
}

/// `backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write; it must not exist
    pub(crate) file: PathBuf,
}

/// `doctor`
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// First make derived data anew: "columns", the copy of streams that answers questions about many
    #[arg(long, value_name = "WHAT")]
    pub(crate) rebuild: Option<Rebuild>,
}

/// Derived data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rebuild {
    /// Blocks of columns.
    Columns,
}

/// `erase`
#[derive(Debug, Args)]
#[command(after_help = "\
Prints the counts as one JSON object, names the ids that were not found on standard error, and exits\n\
with code 3 if there are any.")]
#[command(group(ArgGroup::new("records").args(["ids", "file"]).required(true).multiple(true)))]
pub(crate) struct Erase {
    /// Tenant of the records
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: TenantId,
    /// Ids of records
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Also erase the records whose ids are in this file, one per line, or on standard input (-)
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only count the records that would be erased
    #[arg(long)]
    pub(crate) dry_run: bool,
}
