//! Arguments of `quality`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::TenantId;

use super::values;

/// `quality`
#[derive(Debug, Subcommand)]
pub(crate) enum Quality {
    /// Print the profiles: their rules, and each rule as an expression for $filter and $compute
    Profiles(QualityProfiles),
    /// Say of a call who heard whom how, and why
    Explain(QualityExplain),
    /// Print what the profiles say of streams that show what the rules mean
    Vectors,
}

/// `quality profiles`
#[derive(Debug, Args)]
pub(crate) struct QualityProfiles {
    /// Only the profile of this name
    pub(crate) name: Option<String>,
    /// Also read profiles from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) profiles: Option<PathBuf>,
}

/// `quality explain`
#[derive(Debug, Args)]
pub(crate) struct QualityExplain {
    /// Id of the record
    pub(crate) id: String,
    /// Name of the profile
    #[arg(long, value_name = "NAME", default_value = quality::profile::DEFAULT)]
    pub(crate) profile: String,
    /// Also read profiles from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) profiles: Option<PathBuf>,
    /// Version of the record instead of the latest
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i64>,
    /// Print a line of JSON for each stream instead of sentences
    #[arg(long)]
    pub(crate) json: bool,
    /// Tenant of the record [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
}
