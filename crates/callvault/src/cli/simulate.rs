//! Arguments of `simulate`.

use clap::{Args, ValueEnum};
use model::TenantId;
use odata::primitive::DateTimeOffset;

use super::import::Kind;
use super::values;

/// `simulate`
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Number of calls
    #[arg(long, value_name = "N")]
    pub(crate) calls: u64,
    /// Seed of the random numbers; the same seed gives the same calls
    #[arg(long, value_name = "N")]
    pub(crate) seed: u64,
    /// What to print: records of the calls, or their rows in a telephone log
    #[arg(long, value_name = "KIND", default_value = "records")]
    pub(crate) kind: Kind,
    /// Mix of calls
    #[arg(long, default_value = "realistic")]
    pub(crate) mix: Mix,
    /// Tenant of the users
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Earliest start [default: 30 days before --to]
    #[arg(long, value_name = "DATE", value_parser = values::time)]
    pub(crate) from: Option<DateTimeOffset>,
    /// Latest start [default: 2026-11-01]
    #[arg(long, value_name = "DATE", value_parser = values::time)]
    pub(crate) to: Option<DateTimeOffset>,
}

/// Mixes of simulated calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// As in a company, with meetings of up to 2,000 participants
    Realistic,
    /// Small, similar calls for benchmarks
    Bench,
}
