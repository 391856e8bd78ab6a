//! The steps of the whole check, as one table: what each runs, and which come before it.

use std::process::Command;

use xtask::repository::{PROFILE, binary, root};

/// A step. Its commands run one after the other, until one fails.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Steps that have to end well before.
    pub(super) after: &'static [&'static str],
    pub(super) commands: fn() -> Vec<Command>,
}

/// Cheap ones first, then what most others wait for. Of those that could begin, the first in this
/// table does. The build also lints and documents what it compiles ([`crate::compiler`]).
pub(super) const STEPS: [Step; 18] = [
    step("setup", &[], || vec![xtask(&["setup"])]),
    step("format", &[], format),
    step("tidy", &[], || vec![xtask(&["tidy"])]),
    step("codegen", &[], || vec![xtask(&["codegen", "--check"])]),
    step("build", &["setup"], || vec![build()]),
    step("sdks", &["build"], || vec![trials(&["clients", "--prepare"])]),
    step("tests", &["build"], || vec![test(&["--bins", "--tests", "--no-fail-fast"])]),
    step("postgresql", &["build"], || vec![on_postgresql(), mirrors_on_postgresql()]),
    step("fuzz", &["build"], || vec![trials(&["fuzz", "--seconds", "10"])]),
    step("clients", &["sdks"], || vec![trials(&["clients"])]),
    step("scenarios", &["sdks"], || vec![trials(&["scenarios"])]),
    step("guides", &["sdks"], || vec![trials(&["guides", "--short"])]),
    step("kill", &["build"], || {
        vec![
            trials(&["soak", "kill", "--rounds", "5"]),
            trials(&["soak", "delta", "--short"]),
            trials(&["soak", "mirror", "--short"]),
        ]
    }),
    step("chaos", &["build"], || vec![trials(&["chaos", "notify", "--short"])]),
    step("nodes", &["build"], || vec![trials(&["soak", "nodes", "--short"])]),
    step("differential", &["build"], || vec![trials(&["soak", "differential", "--short"])]),
    step("hostile", &["build"], || vec![trials(&["soak", "hostile", "--short"])]),
    step("demo", &["build"], || vec![trials(&["demo"])]),
];

/// Our crates but for the fuzz targets, which have no tests.
const WITHOUT_FUZZING: [&str; 3] = ["--workspace", "--exclude", "callvault-fuzz"];

const fn step(
    name: &'static str,
    after: &'static [&'static str],
    commands: fn() -> Vec<Command>,
) -> Step {
    Step { name, after, commands }
}

/// A command of cargo in the profile that all checks share.
fn cargo(command: &[&str], scope: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(command).args(["--profile", PROFILE]).args(scope).current_dir(root());
    cargo
}

/// All that is compiled, of the fuzz targets too what needs no counters: so everything is linted.
fn build() -> Command {
    cargo(&["build", "--bins", "--tests", "--examples"], &["--workspace"])
}

/// Tests, twice as many at once as there are cores: most wait for a server more than they work.
fn test(arguments: &[&str]) -> Command {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Of the whole workspace, or what it depends on would be compiled once more, with other features.
    let mut test = cargo(&["test"], &WITHOUT_FUZZING);
    test.args(arguments).env("RUST_TEST_THREADS", (2 * cores).to_string());
    test
}

/// This program with another command.
fn xtask(words: &[&str]) -> Command {
    let mut xtask = Command::new(std::env::current_exe().unwrap_or_else(|_| "xtask".into()));
    xtask.args(words);
    xtask
}

/// The program of the crate `trials`, which the build has made.
fn trials(words: &[&str]) -> Command {
    let mut trials = Command::new(binary("trials", PROFILE));
    trials.args(words);
    trials
}

/// Our workspace, and the one that stands apart, for which `--all` would mean ours too.
fn format() -> Vec<Command> {
    let fmt = |scope: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo.args(["fmt", "--check"]).args(scope).current_dir(root());
        cargo
    };
    vec![fmt(&["--all"]), fmt(&["--manifest-path", "clients/rust/Cargo.toml"])]
}

/// What is said over the wire and told to others, on the other engine; the rest of those tests asks
/// nothing of the store that its own do not ask of both.
fn on_postgresql() -> Command {
    let mut test = test(&["--test", "wire", "--", "notifications", "calls", "language"]);
    test.args(["reading", "writing", "plain", "batch", "throttling", "logs", "delta", "erasing"]);
    test.env("CALLVAULT_TEST_ENGINE", "postgres");
    test
}

/// Mirrors, whose ledger has statements of its own.
fn mirrors_on_postgresql() -> Command {
    let mut test = test(&["--test", "mirror"]);
    test.env("CALLVAULT_TEST_ENGINE", "postgres");
    test
}
