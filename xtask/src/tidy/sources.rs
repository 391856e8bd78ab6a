//! Rules for the text of files: heads, lengths, names, and words that must not stay.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use xtask::repository::root;

/// Lines a Rust file may have; one that is generated may have more.
const LINES: usize = 500;

/// Module names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"];

/// Named for the `common` part of the schema, which is a thing of the domain.
const NAMED_FOR_THE_SCHEMA: [&str; 2] =
    ["crates/model/src/generated/common.rs", "schema/common.csdl.xml"];

/// What Rust code must not hold, and why. Written in two parts, so that this file does not either.
const LEFT_BEHIND: [(&str, &str); 7] = [
    (concat!("todo", "!("), "unfinished"),
    (concat!("unimplemented", "!("), "unfinished"),
    (concat!("dbg", "!("), "left from debugging"),
    (concat!("TO", "DO"), "unfinished: do it or write an issue"),
    (concat!("FIX", "ME"), "unfinished: do it or write an issue"),
    (concat!("XX", "X"), "unfinished: do it or write an issue"),
    (concat!("#[ig", "nore"), "a skipped test"),
];

/// A test that another test starts as a process of its own, and that means nothing alone.
const PLAYED_BY_A_CHILD: &str = concat!("#[ig", "nore = \"a part played by a child process\"]");

/// Places that a stranger's clone does not have.
const FOREIGN_PLACES: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/fa", "rm/"), concat!("../sh", "ared"), concat!("/ro", "ot/")];

/// The breaches in these files.
pub(super) fn breaches(files: &[String]) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for path in files {
        let bytes = fs::read(root().join(path)).with_context(|| format!("can't read {path}"))?;
        let text = String::from_utf8_lossy(&bytes);
        breaches.extend(name_breaches(path));
        if !is_lock_file(path) {
            breaches.extend(foreign_places(path, &text));
        }
        if Path::new(path).extension().is_some_and(|extension| extension == "rs") {
            breaches.extend(rust_breaches(path, &text));
        }
    }
    Ok(breaches)
}

fn is_lock_file(path: &str) -> bool {
    path.ends_with("Cargo.lock") || path.ends_with("package-lock.json")
}

fn name_breaches(path: &str) -> Option<String> {
    let stem = Path::new(path).file_stem()?.to_str()?;
    let stem = stem.split('.').next()?;
    if path.ends_with("/mod.rs") {
        return Some(format!("{path}: name it after its folder, beside the folder"));
    }
    if EMPTY_NAMES.contains(&stem) && !NAMED_FOR_THE_SCHEMA.contains(&path) {
        return Some(format!("{path}: '{stem}' does not say what is inside"));
    }
    None
}

fn foreign_places(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let place = FOREIGN_PLACES.iter().find(|place| line.contains(**place))?;
            Some(format!("{path}:{}: '{place}' is a place of one machine", number + 1))
        })
        .collect()
}

fn rust_breaches(path: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    if !text.starts_with("//! ") {
        breaches.push(format!("{path}: the first line must say what the file is for (//! …)"));
    }
    let generated = text.lines().take(5).any(|line| line.contains("@generated"));
    let lines = text.lines().count();
    if lines > LINES && !generated {
        breaches
            .push(format!("{path}: {lines} lines; a room with one purpose has at most {LINES}"));
    }
    for (number, line) in text.lines().enumerate() {
        for (word, why) in LEFT_BEHIND {
            if holds_word(line, word) && line.trim() != PLAYED_BY_A_CHILD {
                breaches.push(format!("{path}:{}: '{word}': {why}", number + 1));
            }
        }
    }
    breaches
}

/// Whether a line holds the word, not only as a part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    let is_part = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let ends_open = word.ends_with(|letter: char| !letter.is_alphanumeric());
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !is_part(line[..at].chars().next_back()) && (ends_open || !is_part(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_without_a_head_is_told() {
        assert_eq!(rust_breaches("a.rs", "fn main() {}\n").len(), 1);
        assert!(rust_breaches("a.rs", "//! Does a thing.\nfn main() {}\n").is_empty());
    }

    #[test]
    fn long_file_is_told_unless_generated() {
        let long = |head: &str| format!("{head}{}", "fn f() {}\n".repeat(LINES));
        assert_eq!(rust_breaches("a.rs", &long("//! Long.\n")).len(), 1);
        assert!(rust_breaches("a.rs", &long("//! @generated from the schema.\n")).is_empty());
    }

    #[test]
    fn what_was_left_behind_is_told_with_its_line() {
        let text = format!("//! Head.\n\nfn f() {{ {}x) }}\n", concat!("dbg", "!("));
        let breaches = rust_breaches("a.rs", &text);
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].starts_with("a.rs:3:"), "{breaches:?}");
    }

    #[test]
    fn part_of_a_longer_word_is_not_told() {
        let marker = concat!("XX", "X");
        assert!(holds_word(&format!("// {marker}: why"), marker));
        assert!(!holds_word(&format!("a \\u{marker}X escape"), marker));
    }

    #[test]
    fn skipped_test_is_told_unless_another_test_runs_it() {
        let skipped = |reason: &str| format!("//! Head.\n{}{reason}]\n", concat!("#[ig", "nore"));
        assert_eq!(rust_breaches("a.rs", &skipped("")).len(), 1);
        let child = skipped(" = \"a part played by a child process\"");
        assert!(rust_breaches("a.rs", &child).is_empty());
    }

    #[test]
    fn empty_names_are_told_but_not_those_of_the_schema() {
        assert!(name_breaches("crates/store/src/utils.rs").is_some());
        assert!(name_breaches("crates/store/src/mod.rs").is_some());
        assert!(name_breaches("schema/common.csdl.xml").is_none());
        assert!(name_breaches("crates/store/src/writer.rs").is_none());
    }

    #[test]
    fn places_of_one_machine_are_told() {
        let line = format!("see {}notes\n", concat!("/wo", "rk/"));
        assert_eq!(foreign_places("README.md", &line).len(), 1);
    }
}
