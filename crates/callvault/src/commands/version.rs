//! `version`: prints the version.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;

pub(super) fn run() -> Result<ExitCode> {
    writeln!(io::stdout(), "callvault {}", env!("CARGO_PKG_VERSION"))?;
    Ok(ExitCode::SUCCESS)
}
