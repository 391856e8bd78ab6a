//! The length of functions.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use xtask::repository::root;

use crate::tokens::{Token, tokens};

/// Lines of code that a function may have between its braces; comments and empty lines don't count.
const LINES: usize = 75;

/// The breaches in these files.
pub(super) fn breaches(files: &[String]) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    let is_rust = |path: &&String| Path::new(path).extension().is_some_and(|it| it == "rs");
    for path in files.iter().filter(is_rust) {
        let text =
            fs::read_to_string(root().join(path)).with_context(|| format!("can't read {path}"))?;
        if !text.lines().take(5).any(|line| line.contains("@generated")) {
            breaches.extend(long_functions(path, &tokens(&text)));
        }
    }
    Ok(breaches)
}

fn long_functions(path: &str, tokens: &[Token<'_>]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        // `fn(u8) -> u8` is a type.
        if pair[0].text != "fn" || pair[1].text == "(" {
            continue;
        }
        let lines = body_lines(&tokens[at..]);
        if lines > LINES {
            let (name, line) = (pair[1].text, pair[0].line);
            breaches.push(format!(
                "{path}:{line}: {name} has {lines} lines; a function has at most {LINES}"
            ));
        }
    }
    breaches
}

/// How many lines have code of the body of the function that these begin with.
fn body_lines(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    let mut lines = 0;
    let mut last = 0;
    for token in tokens {
        match token.text {
            "{" => depth += 1,
            "}" if depth <= 1 => break,
            "}" => depth -= 1,
            ";" if depth == 0 => break,
            _ => {}
        }
        if depth > 0 && token.line != last {
            lines += 1;
            last = token.line;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(lines: usize) -> Vec<String> {
        let text = format!("impl A {{\n fn long() {{\n{}// b\n\n}}\n}}", "a();\n".repeat(lines));
        long_functions("a.rs", &tokens(&text))
    }

    #[test]
    fn function_of_too_many_lines_is_a_breach() {
        assert_eq!(breaches_of(LINES), ["a.rs:2: long has 76 lines; a function has at most 75"]);
        assert!(breaches_of(LINES - 1).is_empty());
    }

    #[test]
    fn signatures_and_types_have_no_body() {
        let text = format!("trait A {{ fn b(); }} type C = fn(u8); {}", "d!{}\n".repeat(100));
        assert!(long_functions("a.rs", &tokens(&text)).is_empty());
    }
}
