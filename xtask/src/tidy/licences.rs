//! Where our dependencies come from, and under which licences: the registry alone, and the licences
//! that `deny.toml` allows. Sources are read from the lock files, licences from `cargo tree`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use xtask::process;
use xtask::repository::root;

/// The only source that a locked package may have.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Every lock file of the checkout.
const LOCKS: [&str; 2] = ["Cargo.lock", "clients/rust/Cargo.lock"];

/// The breaches in the lock files and the licences of what the workspace builds.
pub(super) fn breaches() -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for lock in LOCKS {
        let text = fs::read_to_string(root().join(lock)).with_context(|| format!("no {lock}"))?;
        let foreign = foreign_sources(&text);
        breaches.extend(foreign.iter().map(|source| format!("{lock}: source {source}")));
    }
    let policy = fs::read_to_string(root().join("deny.toml")).context("no deny.toml")?;
    let allowed = allowed_licences(&policy).context("deny.toml has no [licenses] allow")?;
    for (package, licence) in packages()? {
        if !is_allowed(&licence, &allowed) {
            breaches.push(format!("{package}: licence '{licence}' is not in deny.toml"));
        }
    }
    Ok(breaches)
}

/// The sources of a lock file other than the registry.
fn foreign_sources(lock: &str) -> Vec<&str> {
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    sources.map(|quoted| quoted.trim_matches('"')).filter(|source| *source != REGISTRY).collect()
}

/// The list `allow = [ "…" ]` of the section `[licenses]`.
fn allowed_licences(policy: &str) -> Option<Vec<&str>> {
    let (_, section) = policy.split_once("[licenses]")?;
    let (_, list) = section.split_once("allow = [")?;
    let (list, _) = list.split_once(']')?;
    Some(list.split('"').skip(1).step_by(2).collect())
}

/// Every package that the workspace builds for any system, with its licence expression.
fn packages() -> Result<Vec<(String, String)>> {
    let mut tree = Command::new("cargo");
    tree.args([
        "tree",
        "--workspace",
        "--locked",
        "--target",
        "all",
        "--edges",
        "normal,build,dev",
    ]);
    tree.args(["--prefix", "none", "--format", "{p}|{l}"]).current_dir(root());
    let listed = process::output(&mut tree)?;
    let mut packages: Vec<(String, String)> = listed
        .lines()
        .filter_map(|line| line.split_once('|'))
        // A package that was listed before is marked with a star.
        .map(|(package, licence)| (package.to_owned(), licence.trim_end_matches(" (*)").to_owned()))
        .collect();
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// Whether a licence expression (SPDX, or the old form `MIT/Apache-2.0`) can be met with the allowed
/// ones: one side of an OR, both sides of an AND, which binds tighter.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut expression = Expression { words: &words, allowed };
    let met = expression.any();
    met && expression.words.is_empty()
}

struct Expression<'e> {
    words: &'e [&'e str],
    allowed: &'e [&'e str],
}

impl Expression<'_> {
    fn next_if(&mut self, wanted: &str) -> bool {
        let found = self.words.first() == Some(&wanted);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any(&mut self) -> bool {
        let mut met = self.all();
        while self.next_if("OR") {
            met |= self.all();
        }
        met
    }

    fn all(&mut self) -> bool {
        let mut met = self.one();
        while self.next_if("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.next_if("(") {
            let met = self.any();
            return self.next_if(")") && met;
        }
        let Some((licence, rest)) = self.words.split_first() else { return false };
        self.words = rest;
        if self.next_if("WITH") {
            let Some((exception, rest)) = self.words.split_first() else { return false };
            self.words = rest;
            return self.allowed.contains(&format!("{licence} WITH {exception}").as_str());
        }
        self.allowed.contains(licence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: [&str; 3] = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];

    #[test]
    fn one_side_of_or_suffices_and_both_sides_of_and_are_needed() {
        for (expression, met) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT/Unlicense", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND Apache-2.0", true),
            ("GPL-3.0 AND MIT OR Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            ("", false),
            ("MIT MIT", false),
        ] {
            assert_eq!(is_allowed(expression, &ALLOWED), met, "{expression}");
        }
    }

    #[test]
    fn package_from_elsewhere_is_told() {
        let lock = format!("source = \"{REGISTRY}\"\nsource = \"git+https://example.com/a\"\n");
        assert_eq!(foreign_sources(&lock), ["git+https://example.com/a"]);
    }

    #[test]
    fn allowed_licences_are_read_from_the_policy() {
        let policy = "[licenses]\nallow = [\n  \"MIT\",\n  \"Zlib\",\n]\n";
        assert_eq!(allowed_licences(policy).unwrap(), ["MIT", "Zlib"]);
    }
}
