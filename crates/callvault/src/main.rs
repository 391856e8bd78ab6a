//! Callvault, the program: commands, settings and wiring. What it does is in the other crates.

mod cli;
mod clock;
mod commands;
mod fetch;
mod keys;
mod logging;
mod progress;
mod settings;
mod upkeep;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

/// Answers are made in buffers of some KiB to some 100 KiB, which glibc gives back to the system and
/// asks for again each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed, nobody is left to be told.
            let _ = writeln!(io::stderr(), "callvault: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether whoever read the output has had enough of it, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
