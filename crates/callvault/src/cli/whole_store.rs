//! Arguments of the commands on a whole store: `migrate` and `backup`.

use std::path::PathBuf;

use clap::Args;

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
