//! Arguments of the commands that serve the API: `serve` and `demo`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use odata::primitive::DateTimeOffset;

use super::values;

/// `serve`
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the server listens.
    #[command(flatten)]
    pub(crate) listening: Listening,
    /// Certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Address at which clients reach the server; contexts and links begin with it
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Serve plain HTTP even on addresses that other machines can reach
    #[arg(long)]
    pub(crate) allow_plain_http: bool,
    /// Whether the server emulates faults.
    #[command(flatten)]
    pub(crate) emulation: Emulation,
}

/// Flags for the addresses that the server listens on.
#[derive(Debug, Args)]
pub(crate) struct Listening {
    /// Address of the API; port 0 picks a free port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Address of health checks and metrics, or off [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR:PORT|off", value_parser = values::admin_address)]
    pub(crate) admin_listen: Option<String>,
}

/// `demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the server listens.
    #[command(flatten)]
    pub(crate) listening: Listening,
    /// Number of calls
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) calls: u64,
    /// Seed of the random numbers; another seed gives other calls
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// End of the 30 days of calls; a fixed time gives the same calls on every run [default: now]
    #[arg(long, value_name = "DATE", value_parser = values::time)]
    pub(crate) to: Option<DateTimeOffset>,
    /// Serve over TLS, which the SDKs require, with a certificate made on the spot; prints its path, and
    /// what the SDKs need
    #[arg(long)]
    pub(crate) tls: bool,
    /// Scenario to play on an empty store: its name, or a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["calls", "to", "faults"])]
    pub(crate) scenario: Option<String>,
    /// Whether the server emulates faults.
    #[command(flatten)]
    pub(crate) emulation: Emulation,
}

/// Flags of a server that emulates faults.
#[derive(Debug, Args)]
#[command(next_help_heading = "Emulation")]
pub(crate) struct Emulation {
    /// Misbehave on demand and log requests; for tests only, never for real records
    #[arg(long)]
    pub(crate) emulator: bool,
    /// Initial faults, as TOML; requires --emulator
    #[arg(long, value_name = "FILE", requires = "emulator")]
    pub(crate) faults: Option<PathBuf>,
}
