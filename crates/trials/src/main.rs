//! Callvault, built as it is shipped, tried from outside: by others' clients, under load and faults, with
//! hostile bytes, and beside references. Started by `cargo xtask`, which builds it and the program first.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool talks on its terminal")]

mod abnf;
mod bench;
mod chaos;
mod clients;
mod demo;
mod fuzz;
mod guides;
mod http;
mod instance;
mod members;
mod paths;
mod raw;
mod received;
mod scenarios;
mod sdks;
mod server_process;
mod soak;

use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    match run(name, arguments.get(1..).unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str, arguments: &[String]) -> Result<()> {
    match name {
        "abnf" => abnf::run(arguments),
        "bench" => bench::run(arguments),
        "chaos" => chaos::run(arguments),
        "clients" => clients::run(arguments),
        "demo" => demo::run(arguments),
        "fuzz" => fuzz::run(arguments),
        "guides" => guides::run(arguments),
        "scenarios" => scenarios::run(arguments),
        "soak" => soak::run(arguments),
        _ => bail!("no trial {name:?}; `cargo xtask` lists them"),
    }
}
