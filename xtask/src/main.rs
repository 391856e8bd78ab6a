//! All automation of the project: `cargo xtask COMMAND`. Small, so that it is compiled in seconds; what
//! tries the program (clients, fuzzing, benchmarks, faults) is in the crate `trials`, to which those
//! commands are passed on.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool talks on its terminal")]

mod ci;
mod codegen;
mod compiler;
mod csdl;
mod lines;
mod parity;
mod setup;
mod tidy;
mod tokens;
mod trials;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci                                 every check, as the landing runs it
  step NAME                          one step of it, on what was built
  codegen [--check]                  make the tables of model from schema/
  parity --csdl FILE [--version V]   compare schema/ with another CSDL file (V: v1.0, beta)
  setup                              look for the programs that the checks need, install what can be
  tidy                               the house rules: file heads, arrows between crates and modules, lengths
                                     of functions, features, licences
  lines [CHECKOUT]                   product lines: code of the binary without comments and tests
  clients                            the Graph SDKs of Python, JavaScript and Rust against the server
  scenarios                          collectors of ours in every scenario of the emulator
  guides [--short] [FILE...]         the README and the guides, every block in order, and what they show
  demo                               the README's first command, and the curl lines that it prints
  fuzz [--seconds N] [TARGET...]     each fuzz target for some seconds (10)
  abnf PATH                          OASIS's test cases of the OData grammar against our parser
  soak kill [--rounds N] | fuzz      the long forms: kill -9 during imports (50), fuzzing (5 min each, requests 30)
  soak mirror [--short]              kill -9 of a mirror as a command and as a server (50)
  soak nodes [--seconds N | --short] three nodes on one database: kill -9, restarts of the database (60)
  soak upgrade [COMMIT]              nodes of the commit before, or of another, beside those of this one
  soak queries [COUNT]               random queries of the store against the reference (100000)
  soak worst                         time and memory of requests that are made to be costly
  soak demo                          the demo, and how soon it answers
  soak differential [COUNT [SEED] | --short]
                                     requests that both ways through the server must answer alike (12000)
  soak hostile [--short] [CLASS...]  attacks by classes on both engines, with memory and what others notice
  chaos notify [--short] [--records N] [--kills N]
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
    let result = match command_named(command) {
        _ if compiler::is_called(&arguments) => compiler::run(&arguments),
        Some(run) => run(rest),
        None if trials::COMMANDS.contains(&command.as_str()) => trials::run(&arguments),
        None => {
            eprint!("no command {command}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
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
        "ci" => ci::run,
        "step" => ci::step,
        "codegen" => codegen::run,
        "lines" => lines::run,
        "parity" => parity::run,
        "setup" => setup::run,
        "tidy" => tidy::run,
        _ => return None,
    })
}
