//! Arguments of `emulator-request-log`.

use clap::Args;

/// `emulator-request-log`
#[derive(Debug, Args)]
#[command(after_help = "Exits with code 3 if there are warnings.")]
pub(crate) struct EmulatorRequestLog {
    /// Address of the server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// Bearer token with the role Callvault.Admin, for a server that other machines can reach
    #[arg(long, value_name = "TOKEN", env = "CALLVAULT_TOKEN")]
    pub(crate) token: Option<String>,
    /// Assume that the clients have finished, and also warn of what they left undone
    #[arg(long = "final")]
    pub(crate) is_final: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
