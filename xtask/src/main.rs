//! All automation of the project: `cargo xtask COMMAND`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool talks on its terminal")]

mod abnf;
mod bench;
mod chaos;
mod ci;
mod clients;
mod codegen;
mod csdl;
mod demo;
mod fuzz;
mod http;
mod instance;
mod members;
mod parity;
mod process;
mod received;
mod repository;
mod scenarios;
mod served;
mod setup;
mod soak;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci                                 every check, as the landing runs it
  codegen [--check]                  make the tables of model from schema/
  parity --csdl FILE [--version V]   compare schema/ with another CSDL file (V: v1.0, beta)
  setup                              look for the programs that the checks need, install what can be
  tidy                               the house rules: file heads, arrows between crates, licences
  clients                            the Graph SDKs of Python, JavaScript and Rust against the server
  scenarios                          collectors of ours in every scenario of the emulator
  demo                               the README's first command, and the curl lines that it prints
  fuzz [--seconds N] [TARGET...]     each fuzz target for some seconds (10)
  abnf PATH                          OASIS's test cases of the OData grammar against our parser
  soak kill [--rounds N] | fuzz      the long forms: kill -9 during imports (50), fuzzing (5 min each, requests 30)
  soak nodes [--seconds N]           three nodes on one database: kill -9, restarts of the database (60)
  soak upgrade [COMMIT]              nodes of the commit before, or of another, beside those of this one
  soak queries [COUNT]               random queries of the store against the reference (100000)
  soak worst                         time and memory of requests that are made to be costly
  chaos notify [--records N] [--kills N]
                                     notifications while receivers fail and the server is killed (10000, 20)
  bench [--records N] [--rounds N] [--seconds N] [--keep] [PART...]
                                     speed and size beside nginx, bare SQLite and others, into docs/benchmarks.md
  bench instructions [--note]        instructions of each stage, compared to docs/instructions.tsv
  bench report                       docs/benchmarks.md anew from the rows of docs/benchmarks.tsv
  bench backlog N                    a queue of so many notifications
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let Some(run) = command_named(command) else {
        eprint!("no command {command}\n{USAGE}");
        return ExitCode::from(2);
    };
    match run(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What a command does, given the words after its name.
type Run = fn(&[String]) -> Result<()>;

fn command_named(name: &str) -> Option<Run> {
    Some(match name {
        "abnf" => abnf::run,
        "chaos" => chaos::run,
        "ci" => ci::run,
        "codegen" => codegen::run,
        "parity" => parity::run,
        "setup" => setup::run,
        "tidy" => tidy::run,
        "clients" => clients::run,
        "scenarios" => scenarios::run,
        "demo" => demo::run,
        "fuzz" => fuzz::run,
        "soak" => soak::run,
        "bench" => bench::run,
        _ => return None,
    })
}
