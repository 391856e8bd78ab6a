//! Arguments of `simulate`.

use std::path::PathBuf;

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
    /// Plant causes of poor quality: all, or those named, separated by commas
    #[arg(
        long,
        value_name = "CAUSES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        value_delimiter = ','
    )]
    pub(crate) planted: Vec<PlantedCause>,
    /// File for the truth: which streams and sessions the planted causes made poor or fail
    #[arg(long, value_name = "FILE", requires = "planted")]
    pub(crate) truth: Option<PathBuf>,
}

/// Causes of poor quality that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlantedCause {
    /// Each of the others
    All,
    /// A wired subnet of an office
    Subnet,
    /// A VPN that says it is wired
    Vpn,
    /// A model of headset
    Headset,
    /// A version of the client, from day 20 on
    Client,
    /// A session border controller that is down for 40 minutes
    Sbc,
    /// A Wi-Fi access point
    AccessPoint,
    /// An internet service provider
    Isp,
}

/// Mixes of simulated calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// As in a company, with meetings of up to 2,000 participants
    Realistic,
    /// Small, similar calls for benchmarks
    Bench,
}
