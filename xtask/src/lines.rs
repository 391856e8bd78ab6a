//! Product lines: how much code there is in what a user's binary contains.
#![allow(clippy::print_stdout, reason = "a tool talks on its terminal")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use xtask::repository::root;

use crate::tokens::product_tokens;

/// Crates of the workspace that are not in the binary.
const BESIDE_THE_BINARY: [&str; 2] = ["testkit", "trials"];

/// Prints the product lines of each crate, and of all: those with code on them, without comments,
/// tests and generated files. The argument is the root of another checkout to count.
///
/// # Errors
/// When the checkout can't be read.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let checkout = arguments.first().map_or_else(|| root().to_owned(), PathBuf::from);
    let mut crates = Vec::new();
    for entry in fs::read_dir(checkout.join("crates"))? {
        let folder = entry?.path();
        let name = folder.file_name().and_then(|name| name.to_str()).context("a crate's name")?;
        if !BESIDE_THE_BINARY.contains(&name) {
            crates.push((name.to_owned(), folder_lines(&folder.join("src"))?));
        }
    }
    crates.sort();
    for (name, lines) in &crates {
        println!("{lines:7} {name}");
    }
    println!("{:7} in all", crates.iter().map(|(_, lines)| lines).sum::<usize>());
    Ok(())
}

/// The product lines of a folder's files, with those of the folders in it.
fn folder_lines(folder: &Path) -> Result<usize> {
    let mut lines = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if stem == "tests" || stem.ends_with("_tests") || stem == "testing" {
            continue;
        }
        if path.is_dir() {
            lines += folder_lines(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            lines += code_lines(&fs::read_to_string(&path)?);
        }
    }
    Ok(lines)
}

fn code_lines(text: &str) -> usize {
    if text.lines().take(5).any(|line| line.contains("@generated")) {
        return 0;
    }
    let mut lines: Vec<usize> = product_tokens(text).iter().map(|token| token.line).collect();
    lines.dedup();
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_code_of_the_product_count() {
        let text = "//! Head.\n\nuse a;\n/// Doc.\nfn b() {\n    c(); // why\n}\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(code_lines(text), 4);
        assert_eq!(code_lines("//! @generated\nfn a() {}\n"), 0);
    }
}
