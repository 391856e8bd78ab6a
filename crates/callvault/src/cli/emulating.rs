//! A server that misbehaves on demand, for those who test what their programs do about it.

use std::path::PathBuf;

use clap::Args;

/// Flags of a server that can misbehave.
#[derive(Debug, Args)]
#[command(next_help_heading = "Emulation")]
pub(crate) struct Emulation {
    /// Misbehave on demand, and keep a log of requests: for tests, never for records that matter
    #[arg(long)]
    pub(crate) emulator: bool,
    /// Faults to begin with, as TOML; with --emulator
    #[arg(long, value_name = "FILE", requires = "emulator")]
    pub(crate) faults: Option<PathBuf>,
}

/// `emulator-request-log`
#[derive(Debug, Args)]
#[command(after_help = "Ends with exit code 3 when there are warnings.")]
pub(crate) struct EmulatorRequestLog {
    /// Where the server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// Bearer token of an administrator, for a server that other machines can reach
    #[arg(long, value_name = "TOKEN", env = "CALLVAULT_TOKEN")]
    pub(crate) token: Option<String>,
    /// Nothing more will be sent: also warn of what was not done yet
    #[arg(long = "final")]
    pub(crate) is_final: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
