//! The callvault binary: commands, settings and wiring. The other crates do the work.

mod advice;
mod cli;
mod clock;
mod commands;
mod fetch;
mod interrupt;
mod keys;
mod line_queue;
mod logging;
mod maintenance;
mod progress;
mod public_url;
mod settings;
mod size_limit;

use std::io;
use std::process::ExitCode;

use cli::Command;

/// Responses are built in buffers of a few to a few hundred KiB. glibc would return these to the system
/// and request them again each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::parse();
    // A server keeps running when its output is closed, so there a broken pipe is another pipe.
    let is_tool = !matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    let code = match commands::run(cli) {
        Ok(code) => code,
        Err(error) if is_tool && is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            logging::print_error(&error, advice::on(&error).as_deref());
            ExitCode::FAILURE
        }
    };
    logging::finish();
    code
}

/// Whether the reader of the output has closed it, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
