//! Callvault, the program: commands, settings and wiring. What it does is in the other crates.

mod cli;
mod clock;
mod commands;
mod fetch;
mod keys;
mod lines;
mod logging;
mod progress;
mod settings;
mod size_limit;
mod upkeep;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

/// Answers are made in buffers of some KiB to some 100 KiB, which glibc gives back to the system and
/// asks for again each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // What serves goes on when nobody reads what it prints, so that it is another pipe.
    let prints = !matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    let code = match commands::run(cli) {
        Ok(code) => code,
        Err(error) if prints && is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            logging::complain(&error);
            ExitCode::FAILURE
        }
    };
    logging::finish();
    code
}

/// Whether whoever read the output has had enough of it, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
