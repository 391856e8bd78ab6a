//! What cargo calls in place of the compiler for our own crates while `ci` runs (the variable
//! `RUSTC_WORKSPACE_WRAPPER`): compiles a crate, then has clippy and rustdoc read it too.
//!
//! `cargo clippy` and `cargo doc` would first check every dependency once more, which takes longer than
//! what they are for. Here the crates read what the build has made of the dependencies anyway.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, bail};

/// Arguments of the compiler that say what to make and where, with the argument that follows them.
const OUTPUTS: [&str; 3] = ["--emit", "--out-dir", "--json"];

/// Whether these are the words by which cargo calls a compiler: its path, then its arguments.
pub(crate) fn is_called(words: &[String]) -> bool {
    words.first().and_then(|word| Path::new(word).file_stem()).is_some_and(|name| name == "rustc")
}

/// Compiles a crate, then has it read.
///
/// # Errors
/// When the compiler, clippy or rustdoc refuses the crate.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let [rustc, arguments @ ..] = words else { bail!("no compiler") };
    passed("rustc", Command::new(rustc).args(arguments).status())?;
    let Some(name) = value_of(arguments, "--crate-name").filter(|name| *name != "___") else {
        // A question about the compiler itself.
        return Ok(());
    };
    let folder = Folder::new(name)?;
    let mut clippy = Command::new(beside(rustc, "clippy-driver"));
    clippy.args(without_outputs(arguments)).arg("--emit=metadata");
    passed("clippy", folder.receive(&mut clippy).status())?;
    if is_documented(name, arguments) {
        let mut rustdoc = Command::new(beside(rustc, "rustdoc"));
        rustdoc.args(for_rustdoc(arguments)).arg("--document-private-items");
        passed("rustdoc", folder.receive(&mut rustdoc).status())?;
    }
    Ok(())
}

/// A folder for what nobody needs. Dropped, it is gone.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("callvault-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Has a program write there, and say to cargo what it finds; every warning is an error.
    fn receive<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.arg("--json=diagnostic-rendered-ansi").args(["-D", "warnings"]);
        command.arg("--out-dir").arg(&self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn passed(what: &str, status: std::io::Result<ExitStatus>) -> Result<()> {
    let status = status.with_context(|| format!("can't start {what}"))?;
    if !status.success() {
        bail!("{what} ended with {status}");
    }
    Ok(())
}

/// A program of the same toolchain, or of this name where the compiler is found by its name too.
fn beside(rustc: &str, program: &str) -> PathBuf {
    Path::new(rustc).with_file_name(program)
}

/// Programs and libraries; not tests, build scripts and examples.
fn is_documented(name: &str, arguments: &[String]) -> bool {
    let is_example =
        arguments.iter().any(|it| it.starts_with("examples/") || it.contains("/examples/"));
    !(is_example || name == "build_script_build" || arguments.iter().any(|it| it == "--test"))
}

fn value_of<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let place = arguments.iter().position(|argument| argument == name)?;
    arguments.get(place + 1).map(String::as_str)
}

/// The arguments but for those that say what to make and where.
fn without_outputs(arguments: &[String]) -> impl Iterator<Item = &String> {
    let mut is_value = false;
    arguments.iter().filter(move |argument| {
        let is_output = OUTPUTS.iter().any(|name| is_option(argument, name));
        let is_dropped = std::mem::replace(&mut is_value, is_output && !argument.contains('='));
        !(is_output || is_dropped)
    })
}

/// `--name` or `--name=value`.
fn is_option(argument: &str, name: &str) -> bool {
    argument.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Of the arguments those that rustdoc knows, but for levels of lints that are not its own.
fn for_rustdoc(arguments: &[String]) -> Vec<&String> {
    const LINTS: [&str; 4] = ["--allow", "--warn", "--deny", "--forbid"];
    let mut kept = Vec::new();
    let mut rest = without_outputs(arguments);
    while let Some(argument) = rest.next() {
        if argument == "-C" {
            rest.next();
        } else if !(argument.starts_with("-C") || LINTS.iter().any(|it| is_option(argument, it))) {
            kept.push(argument);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn readers_make_nothing_where_the_compiler_does() {
        let arguments = words(
            "--crate-name odata --edition=2024 crates/odata/src/lib.rs --error-format=json \
             --json=artifacts,diagnostic-rendered-ansi --crate-type lib --emit=metadata,link \
             -C opt-level=3 -Cmetadata=1 --warn=clippy::todo --out-dir target/deps \
             -L dependency=target/deps --extern a=liba.rmeta",
        );
        let clippy: Vec<_> = without_outputs(&arguments).cloned().collect();
        let expected = "--crate-name odata --edition=2024 crates/odata/src/lib.rs --error-format=json \
             --crate-type lib -C opt-level=3 -Cmetadata=1 --warn=clippy::todo \
             -L dependency=target/deps --extern a=liba.rmeta";
        assert_eq!(clippy, words(expected));
        let rustdoc: Vec<_> = for_rustdoc(&arguments).into_iter().cloned().collect();
        let expected = "--crate-name odata --edition=2024 crates/odata/src/lib.rs --error-format=json \
             --crate-type lib -L dependency=target/deps --extern a=liba.rmeta";
        assert_eq!(rustdoc, words(expected));
        assert_eq!(value_of(&arguments, "--crate-name"), Some("odata"));
    }

    #[test]
    fn tests_examples_and_build_scripts_are_no_documents() {
        assert!(is_documented("odata", &words("crates/odata/src/lib.rs")));
        assert!(!is_documented("odata", &words("crates/odata/src/lib.rs --test")));
        assert!(!is_documented("build_script_build", &words("crates/odata/build.rs")));
        assert!(!is_documented("show", &words("crates/odata/examples/show.rs")));
        assert!(is_called(&words("/toolchain/bin/rustc -vV")) && !is_called(&words("ci")));
    }
}
